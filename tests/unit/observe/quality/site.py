"""Data quality on a real database: a model, what is expected of it, and events that come in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np

import edge_aiops.observe.plugin
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.baselines.store import Baselines, Draft
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.configuration import GLOBAL, Configuration
from edge_aiops.observe.live import LiveWindows, VersionReader
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.performance import columns_of
from edge_aiops.observe.quality.quality import QualityChecks
from edge_aiops.observe.quality.report import Finding, QualityReport
from edge_aiops.observe.windows import Live, Windows
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock
from edge_aiops.testing.plugins import entry_point, plugins_of

NAME = "credit"


class Site:
    """A node's data quality, as it is after a start."""

    def __init__(self, database: LocalDatabase, clock: FakeClock, *plugins: EntryPoint) -> None:
        self.clock = clock
        self.models = ObservedModels()
        self.baselines = Baselines(database, clock)
        self.configuration = Configuration(database, clock)
        self._live = LiveWindows()
        builtin = entry_point(edge_aiops.observe.plugin, "builtin")
        self.quality = QualityChecks(
            database,
            Windows(
                database, clock=clock, live=lambda: Live(0, self._live.deltas.items()), config=self.configuration.of
            ),
            self.baselines,
            configuration=self.configuration,
            models=self.models,
            checks=Extensions(plugins_of(builtin, *plugins), hook="register_quality_checks", spec=QualityCheckSpec),
            clock=clock,
        )

    def serve(self, version: str = "1", *, stage: str = "production", **more: Any) -> None:
        """Serve a version, beside those that are served already."""
        model = ObservedModel(served_by=ServedBy(NAME, version, 1), stage=stage, **more)
        self.models.replace([*self.models.values(), model])

    async def expect(self, version: str | None = None, **columns: Any) -> None:
        """Make a baseline of the features."""
        ranges = columns.pop("ranges", None)
        inputs = Baseline(columns, ranges=ranges)
        await self.baselines.add(
            Draft(source="dataset", rows=len(inputs), inputs=inputs), model_name=NAME, model_version=version
        )

    def send(self, rows: Sequence[Any], *, version: str = "1") -> None:
        """Let rows come in, one an event; each is what is sent as `features`."""
        model = self.models[NAME, version]
        reader = VersionReader(model, self.baselines.current(NAME, version), MonitoringConfig().aggregation)
        events = [_event(row, model.served_by, self.clock.now_ms()) for row in rows]
        self._live.performed(model.served_by, self.clock.now_ms(), columns_of(events))
        self._live.observed(reader, self.clock.now_ms(), reader.read(events), self.configuration.of().aggregation)

    async def configure(self, **quality: Any) -> None:
        """Configure the quality of all models' data."""
        await self.configuration.replace(GLOBAL, {"quality": quality})

    async def check(self, version: str = "1", **span: Any) -> QualityReport:
        """Check a version now."""
        return await self.quality.check(NAME, version, **span)


def _event(features: Any, served_by: ServedBy, at_ms: int) -> NewEvent:
    return NewEvent(
        at_ms=at_ms, served_by=served_by, request_id=None, user_id=None, session_id=None,
        rows=1, batch_rows=1, queue_us=1, latency_us=1_000,
        features=features if isinstance(features, str) else json.dumps(features),
        prediction="1", confidence=None, label=None, error=None,
    )  # fmt: skip


def violated(report: QualityReport) -> set[tuple[str, str | None]]:
    """The checks and features of the violations."""
    return {(finding.check, finding.feature) for finding in report.findings if finding.violated}


def found(report: QualityReport, check: str, feature: str | None = None) -> Finding | None:
    """What a check found of a feature."""
    return next((one for one in report.findings if (one.check, one.feature) == (check, feature)), None)


def ages(n: int, seed: int = 1) -> list[float]:
    """Numbers around 45, between 18 and 80."""
    return np.random.default_rng(seed).triangular(18, 45, 80, size=n).round(2).tolist()


def lands(n: int) -> list[str]:
    """Three labels in turn."""
    return list(itertools.islice(itertools.cycle(["de", "fr", "it"]), n))


def people(n: int, seed: int = 2, **same: Any) -> list[dict[str, Any]]:
    """Rows as the baseline has them, but for what is the `same` in all."""
    return [{"age": age, "land": land, **same} for age, land in zip(ages(n, seed), lands(n), strict=True)]
