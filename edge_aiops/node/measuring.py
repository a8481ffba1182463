"""What a node tells other systems of itself, gathered from its services."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_aiops import __version__
from edge_aiops.base.clock import Clock
from edge_aiops.observe.drift.result import DRIFT_TYPES
from edge_aiops.observe.measures import DriftState, Measure, ModelMemory, NodeSnapshot, QualityState, measures_of
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.totals import MAX_VERSIONS, ModelVersion
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import LocalDatabase

FINDINGS_AGE_S = 30.0
"""Results of checks are read again only when they are older: they change rarely, and are large."""


class Measuring:
    """Measures of a node, at the moment of asking; results of checks are those of the last half minute."""

    def __init__(
        self,
        *,
        engine: Engine,
        monitoring: Monitoring,
        databases: Callable[[], Sequence[LocalDatabase]],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._monitoring = monitoring
        self._databases = databases
        self._clock = clock
        self._drift: list[DriftState] = []
        self._quality: list[QualityState] = []
        self._found_ns: int | None = None

    async def measures(self) -> list[Measure]:
        """Everything that is measured."""
        await self._find()
        firing = [alert.severity for alert in self._monitoring.alerts.active() if alert.status == "firing"]
        snapshot = NodeSnapshot(
            program_version=__version__,
            totals=self._monitoring.realtime.totals.by_version,
            models_served=len(self._engine.deployments),
            loaded=[
                ModelMemory(version=(model.model_name, model.model_version), memory_bytes=model.memory_bytes)
                for model in self._engine.loaded()
            ],
            database_bytes={database.path.name: database.path.stat().st_size for database in self._databases()},
            alerts_firing={severity: firing.count(severity) for severity in firing},
            drift=self._drift,
            quality=self._quality,
        )
        return measures_of(snapshot)

    async def _find(self) -> None:
        now_ns = self._clock.ticks_ns()
        if self._found_ns is not None and now_ns - self._found_ns < FINDINGS_AGE_S * 1e9:
            return
        versions = sorted(self._monitoring.models)[:MAX_VERSIONS]
        self._drift = [state for version in versions for state in await self._drift_of(version)]
        self._quality = [state for version in versions for state in await self._quality_of(version)]
        self._found_ns = now_ns

    async def _drift_of(self, version: ModelVersion) -> list[DriftState]:
        found = [await self._monitoring.drift.latest(*version, drift_type) for drift_type in DRIFT_TYPES]
        return [
            DriftState(version=version, drift_type=one.drift_type, score=one.score, drifted=one.confirmed)
            for one in found
            if one is not None
        ]

    async def _quality_of(self, version: ModelVersion) -> list[QualityState]:
        found = await self._monitoring.quality.latest(*version)
        if found is None:
            return []
        return [QualityState(version=version, score=found.score, violations=len(found.violations))]
