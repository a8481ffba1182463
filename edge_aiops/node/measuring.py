"""What a node tells of itself: measures for other systems, and an overview for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from edge_aiops import __version__
from edge_aiops.base.clock import Clock
from edge_aiops.observe.findings import LatestFindings
from edge_aiops.observe.measures import Measure, NodeSnapshot, measures_of
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.overview import Overview, overview
from edge_aiops.observe.totals import ModelVersion
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import LocalDatabase


class Measuring:
    """Looks at the services of a node at the moment of asking."""

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
        self._findings = LatestFindings(drift=monitoring.drift, quality=monitoring.quality, clock=clock)
        self._databases = databases

    async def overview(self, model_name: str | None = None) -> Overview:
        """How all models do, or one of them. Raises `UnknownModel`."""
        return await overview(self._monitoring, self._findings, model_name)

    async def measures(self) -> list[Measure]:
        """Everything that is measured."""
        await self._monitoring.catch_up()
        found = await self._findings.of(self._monitoring.models)
        # One version is in memory twice while its contents are replaced.
        memory: Counter[ModelVersion] = Counter()
        for model in self._engine.loaded():
            if model.state == "loaded":
                memory[model.model_name, model.model_version] += model.memory_bytes
        pressures = {(one.model_name, one.model_version): one for one in self._engine.pressures()}
        return measures_of(
            NodeSnapshot(
                program_version=__version__,
                totals=self._monitoring.realtime.totals.by_version,
                models_served=len(self._engine.deployments),
                memory_bytes=memory,
                queued={version: one.queued for version, one in pressures.items()},
                shed={version: one.shed for version, one in pressures.items()},
                circuits_open={version: one.circuit_open for version, one in pressures.items()},
                database_bytes={database.path.name: database.path.stat().st_size for database in self._databases()},
                alerts_firing=Counter(
                    alert.severity for alert in self._monitoring.alerts.active() if alert.status == "firing"
                ),
                drift=found.drift,
                quality=found.quality,
            )
        )
