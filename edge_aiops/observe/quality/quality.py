"""Checks the quality of the data that models get: on demand, and by itself as often as is configured."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, UnknownModel
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig, QualityConfig
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.quality.data import quality_data
from edge_aiops.observe.quality.judge import Judge, score
from edge_aiops.observe.quality.report import QualityReport, Trigger
from edge_aiops.observe.quality.schema import ModelSchema, schema_of
from edge_aiops.observe.quality.store import QualityReports
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import QualityData
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.store.local import LocalDatabase

MOST_FINDINGS = 500
"""Findings that a report keeps, violations before others."""
FORGET_EVERY_MS = 3_600_000

logger = logging.getLogger(__name__)


class Windows(Protocol):
    """What was observed of a model version over a span."""

    async def performance(
        self, model_name: str, model_version: str | None, from_ms: int, until_ms: int
    ) -> Performance: ...

    async def role(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        *,
        baseline: ModelBaseline | None,
    ) -> RoleSummary: ...


class Baselines(Protocol):
    """The baselines in force."""

    async def current(self, model_name: str, model_version: str | None) -> ModelBaseline | None: ...


class Configuration(Protocol):
    """How each model is monitored."""

    def of(self, model_name: str) -> MonitoringConfig: ...


class QualityChecks:
    """The data quality of all models of a node."""

    def __init__(
        self,
        database: LocalDatabase,
        windows: Windows,
        baselines: Baselines,
        *,
        configuration: Configuration,
        models: Mapping[tuple[str, str], ObservedModel],
        checks: Extensions[QualityCheckSpec],
        clock: Clock,
    ) -> None:
        self._reports = QualityReports(database)
        self._windows = windows
        self._baselines = baselines
        self._configuration = configuration
        self._models = models
        self._judge = Judge(checks)
        self._clock = clock
        self._last_ms: dict[tuple[str, str], int] | None = None
        self._forgot_ms: int | None = None

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
        until_ms = now_ms if until_ms is None else until_ms
        from_ms = until_ms - int(config.window_hours * 3_600_000) if from_ms is None else from_ms
        if from_ms >= until_ms:
            raise InvalidInput.of("from", f"{from_ms} is not before `to`, {until_ms}; send a span with an extent")
        baseline = await self._baselines.current(model_name, model_version)
        schema = schema_of(model, baseline)
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
            note=_note(data, config),
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
        if self._forgot_ms is None or abs(now_ms - self._forgot_ms) >= FORGET_EVERY_MS:
            self._forgot_ms = now_ms
            await self._forget(now_ms)
        return reports

    async def latest(self, model_name: str, model_version: str | None = None) -> QualityReport | None:
        """The newest report of a version, or of a model; None before the first."""
        return next(iter(await self._reports.latest(model_name, model_version)), None)

    async def latest_by_version(self, model_name: str, model_version: str | None = None) -> list[QualityReport]:
        """The newest report of each version. Raises `UnknownModel` for a model that there is nothing of."""
        reports = await self._reports.latest(model_name, model_version)
        if not reports:
            self.versions(model_name, model_version)
        return reports

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
        return schema_of(model, await self._baselines.current(model_name, model_version))

    def versions(self, model_name: str, model_version: str | None = None) -> list[str]:
        """The versions of a model on this node, or the one asked for. Raises `UnknownModel`."""
        if model_version is not None:
            return [self._model(model_name, model_version).served_by.model_version]
        found = [version for name, version in self._models if name == model_name]
        if not found:
            raise UnknownModel(f"there is no model {model_name!r} on this node{_known(self._models)}")
        return found

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
        return quality_data(
            schema,
            await self._windows.role("inputs", name, version, from_ms, until_ms, baseline=baseline),
            from_ms=from_ms,
            until_ms=until_ms,
            last_event_ms=last_event_ms,
            stale_after_ms=stale_after_ms if model.stage == "production" else None,
        )

    async def _forget(self, now_ms: int) -> None:
        for name in await self._reports.model_names():
            kept_ms = int(self._configuration.of(name).retention.results * 1000)
            await self._reports.forget(name, now_ms - kept_ms)

    def _model(self, model_name: str, model_version: str) -> ObservedModel:
        if model := self._models.get((model_name, model_version)):
            return model
        versions = ", ".join(version for name, version in self._models if name == model_name)
        known = f"; there are versions {versions}" if versions else _known(self._models)
        raise UnknownModel(f"there is no model {model_name!r} version {model_version!r} on this node{known}")


def _known(models: Iterable[tuple[str, str]]) -> str:
    names = sorted({name for name, _ in models})
    return f"; there are: {', '.join(names[:20])}" if names else ""


def _note(data: QualityData, config: QualityConfig) -> str | None:
    if data.rows >= config.min_samples:
        return None
    return (
        f"{data.rows} rows came with features, quality.minSamples is {config.min_samples}: "
        "the values of so few are not judged"
    )
