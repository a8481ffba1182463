"""What a node tells other systems of itself, gathered from its services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from edge_aiops import __version__
from edge_aiops.observe.findings import LatestFindings
from edge_aiops.observe.measures import Measure, NodeSnapshot, measures_of
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.totals import ModelVersion
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import LocalDatabase


class Measuring:
    """Measures of a node, at the moment of asking."""

    def __init__(
        self,
        *,
        engine: Engine,
        monitoring: Monitoring,
        findings: LatestFindings,
        databases: Callable[[], Sequence[LocalDatabase]],
    ) -> None:
        self._engine = engine
        self._monitoring = monitoring
        self._findings = findings
        self._databases = databases

    async def measures(self) -> list[Measure]:
        """Everything that is measured."""
        found = await self._findings.of(self._monitoring.models)
        # One version is in memory twice while its contents are replaced.
        memory: Counter[ModelVersion] = Counter()
        for model in self._engine.loaded():
            memory[model.model_name, model.model_version] += model.memory_bytes
        return measures_of(
            NodeSnapshot(
                program_version=__version__,
                totals=self._monitoring.realtime.totals.by_version,
                models_served=len(self._engine.deployments),
                memory_bytes=memory,
                database_bytes={database.path.name: database.path.stat().st_size for database in self._databases()},
                alerts_firing=Counter(
                    alert.severity for alert in self._monitoring.alerts.active() if alert.status == "firing"
                ),
                drift=found.drift,
                quality=found.quality,
            )
        )
