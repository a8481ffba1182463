"""Checks the quality of the data that models get: on demand, and by itself as often as is configured."""

from __future__ import annotations

import asyncio
import logging

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, UnknownModel
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.config import QualityConfig
from edge_aiops.observe.configuration import Configuration
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.quality.data import quality_data
from edge_aiops.observe.quality.judge import Judge, score
from edge_aiops.observe.quality.report import QualityReport, Trigger
from edge_aiops.observe.quality.schema import ModelSchema, schema_of
from edge_aiops.observe.quality.store import QualityReports
from edge_aiops.observe.spans import end_of_span
from edge_aiops.observe.windows import Windows
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import QualityData
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.store.local import LocalDatabase

MOST_FINDINGS = 500
"""Findings that a report keeps, violations before others."""

logger = logging.getLogger(__name__)


class QualityChecks:
    """The data quality of all models of a node."""

    def __init__(
        self,
        database: LocalDatabase,
        windows: Windows,
        baselines: Baselines,
        *,
        configuration: Configuration,
        models: ObservedModels,
        checks: Extensions[QualityCheckSpec],
        clock: Clock,
    ) -> None:
        self._reports = QualityReports(database)
        self._windows = windows
        self._baselines = baselines
        self._configuration = configuration
        self._models = models
        self._checks = checks
        self._judge = Judge(checks)
        self._clock = clock
        self._last_ms: dict[tuple[str, str], int] | None = None

    async def check(
        self,
        model_name: str,
        model_version: str,
        *,
        trigger: Trigger = "demand",
        from_ms: int | None = None,
        until_ms: int | None = None,
    ) -> QualityReport:
        """Judge a span, by default what `quality.windowHours` says up to now, and keep the report.

        Raises `UnknownModel`, and `InvalidInput` for a span without an extent.
        """
        model = self._model(model_name, model_version)
        config = self._configuration.of(model_name).quality
        now_ms = self._clock.now_ms()
        until_ms = end_of_span(from_ms, until_ms, now_ms=now_ms)
        from_ms = until_ms - int(config.window_hours * 3_600_000) if from_ms is None else from_ms
        baseline = self._baselines.current(model_name, model_version)
        schema = await asyncio.to_thread(schema_of, model, baseline)
        data = await self._data(model, schema, baseline, from_ms, until_ms, config)
        judgement = await self._judge.judge(data, config)
        report = QualityReport(
            id=0,
            model_name=model_name,
            model_version=model_version,
            from_ms=from_ms,
            until_ms=until_ms,
            checked_at=now_ms,
            trigger=trigger,
            rows=data.rows,
            score=score(data, config),
            note=_note(data, schema, config),
            violations=tuple(finding.message for finding in judgement.findings[:MOST_FINDINGS] if finding.violated),
            findings=judgement.findings[:MOST_FINDINGS],
            omitted=max(0, len(judgement.findings) - MOST_FINDINGS),
            schema_source={feature.name: feature.source for feature in schema.features},
            schema_problems=schema.problems,
            baseline=schema.baseline,
            failed=judgement.failed,
        )
        return await self._reports.add(report)

    async def run_due(self) -> list[QualityReport]:
        """Check the versions whose time has come; after a time without checks each is checked once."""
        if self._last_ms is None:
            self._last_ms = await self._reports.scheduled()
        now_ms = self._clock.now_ms()
        reports = []
        for name, version in list(self._models):
            config = self._configuration.of(name)
            if not (config.enabled and config.quality.enabled):
                continue
            last_ms = self._last_ms.get((name, version))
            # The absolute distance, so that a clock that was set back does not end all checks.
            if last_ms is not None and abs(now_ms - last_ms) < config.quality.quality_check * 1000:
                continue
            self._last_ms[name, version] = now_ms
            try:
                reports.append(await self.check(name, version, trigger="schedule", until_ms=now_ms))
            except EdgeAiopsError as error:
                logger.warning("the data quality of %s %s was not checked: %s", name, version, error.message)
        return reports

    async def latest(self, model_name: str, model_version: str | None = None) -> QualityReport | None:
        """The newest report of a version, or of a model; None before the first."""
        return next(iter(await self._reports.latest(model_name, model_version)), None)

    async def latest_by_version(self, model_name: str, model_version: str | None = None) -> list[QualityReport]:
        """The newest report of each version, the newest first."""
        return await self._reports.latest(model_name, model_version)

    async def history(
        self,
        model_name: str,
        model_version: str | None = None,
        *,
        from_ms: int | None = None,
        until_ms: int | None = None,
        limit: int = 100,
    ) -> list[QualityReport]:
        """Reports by when they were made, the newest first."""
        return await self._reports.history(
            model_name,
            model_version,
            from_ms=0 if from_ms is None else from_ms,
            until_ms=2**62 if until_ms is None else until_ms,
            limit=limit,
        )

    async def schema(self, model_name: str, model_version: str) -> ModelSchema:
        """What is expected of each feature, and where that comes from. Raises `UnknownModel`."""
        model = self._model(model_name, model_version)
        return await asyncio.to_thread(schema_of, model, self._baselines.current(model_name, model_version))

    def versions(self, model_name: str, model_version: str | None = None) -> list[str]:
        """The versions of a model on this node, or the one asked for. Raises `UnknownModel`."""
        if model_version is not None:
            return [self._model(model_name, model_version).served_by.model_version]
        return self._models.versions(model_name)

    async def prune(self, before_ms: int) -> int:
        """Delete reports made before a moment; gives how many."""
        return await self._reports.prune(before_ms)

    async def _data(
        self,
        model: ObservedModel,
        schema: ModelSchema,
        baseline: ModelBaseline | None,
        from_ms: int,
        until_ms: int,
        config: QualityConfig,
    ) -> QualityData:
        name, version = model.served_by.model_name, model.served_by.model_version
        stale_after_ms = int(config.stale_after * 1000)
        recent_ms = min(from_ms, until_ms - stale_after_ms)
        last_event_ms = (await self._windows.performance(name, version, recent_ms, until_ms)).last_event_ms
        if last_event_ms is None:
            last_event_ms = (await self._windows.performance(name, version, 0, recent_ms)).last_event_ms
        return await asyncio.to_thread(
            quality_data,
            schema,
            await self._windows.role("inputs", name, version, from_ms, until_ms, baseline=baseline),
            from_ms=from_ms,
            until_ms=until_ms,
            last_event_ms=last_event_ms,
            stale_after_ms=stale_after_ms if model.stage == "production" else None,
        )

    def _model(self, model_name: str, model_version: str) -> ObservedModel:
        if model := self._models.get((model_name, model_version)):
            return model
        known = ", ".join(self._models.versions(model_name))
        raise UnknownModel(
            f"model {model_name!r} has no version {model_version[:80]!r} on this node; there are: {known}"
        )


def check_names(config: QualityConfig, checks: Extensions[QualityCheckSpec]) -> None:
    """Raises `InvalidInput` that names a check that is not registered."""
    for place, name in enumerate(config.checks):
        checks.spec(name, field=f"quality.checks[{place}]")
    for name in config.thresholds:
        checks.spec(name, field=f"quality.thresholds.{name[:80]}")


def _note(data: QualityData, schema: ModelSchema, config: QualityConfig) -> str | None:
    if data.rows >= config.min_samples:
        if data.features or not schema.features:
            return None
        return "the rows came as lists, and the model has no names for their places: register it with featureNames"
    return (
        f"{data.rows} rows came with features, quality.minSamples is {config.min_samples}: "
        "the values of so few are not judged"
    )
