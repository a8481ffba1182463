"""The values of metrics, from what the node has observed.

A value is read anew after a moment: over a window of five minutes at most, at every evaluation; over a longer one,
after as many seconds as it has minutes, a minute at the most; a quality report, after ten seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from edge_aiops.base.clock import Clock
from edge_aiops.observe.alerts.catalogue import MAX_WINDOW_MINUTES
from edge_aiops.observe.alerts.checked import Reports, of_drift, of_quality
from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.evaluation import UNWATCHED, Found
from edge_aiops.observe.drift.subjects import part_of
from edge_aiops.observe.performance import PerformanceMetrics
from edge_aiops.observe.summaries import describe

if TYPE_CHECKING:
    # Only their types: each of these is a part of monitoring of its own.
    from edge_aiops.observe.baselines.store import Baselines
    from edge_aiops.observe.config import QualityConfig
    from edge_aiops.observe.configuration import Configuration
    from edge_aiops.observe.drift.checks import DriftChecks
    from edge_aiops.observe.drift.result import DriftType
    from edge_aiops.observe.labels import LabelMetrics
    from edge_aiops.observe.quality.quality import QualityChecks
    from edge_aiops.observe.quality.report import QualityReport
    from edge_aiops.observe.realtime import Realtime
    from edge_aiops.observe.windows import Windows
    from edge_aiops.plugin.extensions import Extensions
    from edge_aiops.plugin.specs import QualityCheckSpec

T = TypeVar("T")

REALTIME_MINUTES = 5
FRESH_S = 1.0
REPORT_S = 10.0
LONGEST_S = 60.0
MAX_REMEMBERED = 10_000
LOOKED_BACK = 100
"""Reports among which the newest one about the present, and the newest with rows enough, are looked for."""

_PERFORMANCE = {
    "errorRate": "error_rate",
    "errors": "errors",
    "requests": "requests",
    "throughput": "throughput",
    "meanLatency": "mean_latency_ms",
    "p50Latency": "p50_latency_ms",
    "p95Latency": "p95_latency_ms",
    "p99Latency": "p99_latency_ms",
    "maxLatency": "max_latency_ms",
    "meanQueueTime": "mean_queue_ms",
    "p95QueueTime": "p95_queue_ms",
    "meanConfidence": "mean_confidence",
    "minConfidence": "min_confidence",
}
_LABELS = {"accuracy": "accuracy", "meanAbsoluteError": "mean_absolute_error", "labelled": "labelled"}


class _Remembered(NamedTuple):
    value: Any
    until_ns: int


class _Seen(NamedTuple):
    """The last event of a version, as of a look."""

    event_ms: int | None
    age_s: float
    """At the time of that look."""
    looked_ns: int


class Observed(Protocol):
    """The parts of monitoring that metrics are read from."""

    @property
    def realtime(self) -> Realtime: ...

    @property
    def windows(self) -> Windows: ...

    @property
    def baselines(self) -> Baselines: ...

    @property
    def drift(self) -> DriftChecks: ...

    @property
    def configuration(self) -> Configuration: ...

    @property
    def quality_checks(self) -> Extensions[QualityCheckSpec]: ...

    @property
    def quality(self) -> QualityChecks: ...


class MonitoringMetrics:
    """The `MetricSource` of a node; one for its whole life, because it remembers what it read."""

    def __init__(self, observed: Observed, *, clock: Clock) -> None:
        self._observed = observed
        self._clock = clock
        self._remembered: dict[tuple[object, ...], _Remembered] = {}
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._judged: dict[tuple[str, str], QualityReport | None] = {}

    async def find(self, condition: Condition, model_name: str, model_version: str) -> Found:
        """What the condition's metric says now."""
        family = condition.about.family
        if family == "drift":
            return await self._drift(condition, model_name, model_version)
        if family == "quality":
            return await self._quality(condition, model_name, model_version)
        value = await self._value(condition, model_name, model_version)
        return Found(None if value is None else float(value))

    async def _value(self, condition: Condition, model_name: str, model_version: str) -> float | None:
        metric, minutes = condition.metric, condition.window_minutes or REALTIME_MINUTES
        found: float | None
        if condition.about.family == "traffic":
            found = await self._silence_s(model_name, model_version)
        elif metric in _LABELS:
            found = getattr(await self._labels(model_name, model_version, minutes), _LABELS[metric])
        else:
            found = getattr(await self._performance(model_name, model_version, minutes), _PERFORMANCE[metric])
        return found

    async def _drift(self, condition: Condition, name: str, version: str) -> Found:
        config, drift_type = self._observed.configuration.of(name), _drift_type(condition)
        baseline = self._observed.baselines.current(name, version)
        if baseline is None or not (config.enabled and part_of(config.drift, drift_type).enabled):
            return UNWATCHED
        result = await self._observed.drift.latest(name, version, drift_type)
        if result is not None and result.baseline.number != baseline.number:
            result = None
        confirmed = await self._once(("confirmed",), FRESH_S, self._observed.drift.confirmed)
        return of_drift(condition, result, confirmed=(name, version, drift_type, baseline.number) in confirmed)

    async def _quality(self, condition: Condition, name: str, version: str) -> Found:
        config = self._observed.configuration.of(name)
        if not config.enabled:
            return UNWATCHED
        if condition.metric == "nullRate":
            minutes = condition.window_minutes or REALTIME_MINUTES
            return Found((await self._null_rates(name, version, minutes)).get(condition.feature or ""))
        if not config.quality.enabled:
            return UNWATCHED
        reports = await self._reports(name, version, config.quality)
        specs = self._observed.quality_checks.specs
        checks = [check for check in config.quality.checks or specs if check in specs]
        rowless = [check for check in checks if not specs[check].needs_rows]
        return of_quality(condition, reports, checks=checks, rowless=rowless) if reports else Found(None)

    async def _performance(self, name: str, version: str, minutes: int) -> PerformanceMetrics:
        async def read() -> PerformanceMetrics:
            if minutes <= REALTIME_MINUTES:
                performance = self._observed.realtime.performance(name, version, minutes)
            else:
                performance = await self._observed.windows.performance(name, version, *self._span(minutes))
            return performance.metrics(span_s=minutes * 60)

        return await self._once(("performance", name, version, minutes), _for_s(minutes), read)

    async def _labels(self, name: str, version: str, minutes: int) -> LabelMetrics:
        async def read() -> LabelMetrics:
            return (await self._observed.windows.labels(name, version, *self._span(minutes))).metrics()

        return await self._once(("labels", name, version, minutes), _for_s(minutes), read)

    async def _null_rates(self, name: str, version: str, minutes: int) -> dict[str, float]:
        async def read() -> dict[str, float]:
            baseline = self._observed.baselines.current(name, version)
            summary = await self._observed.windows.role(
                "inputs", name, version, *self._span(minutes), baseline=baseline
            )
            # A feature that came as numbers and as labels is there twice, first as its baseline has it.
            described = reversed(describe(summary)) if summary.rows else ()
            return {found.name: found.missing / summary.rows for found in described}

        return await self._once(("null rates", name, version, minutes), _for_s(minutes), read)

    async def _reports(self, name: str, version: str, config: QualityConfig) -> Reports | None:
        async def read() -> Reports | None:
            key = (name, version)
            newest = await self._observed.quality.latest(*key)
            if newest is None:
                return None
            looked_at = [newest]
            if key not in self._judged or not _of_the_present(newest):
                looked_at = await self._observed.quality.history(*key, limit=LOOKED_BACK)
            of_the_present = list(filter(_of_the_present, looked_at))
            enough = (report for report in of_the_present if report.rows >= config.min_samples)
            judged = self._judged[key] = next(enough, self._judged.get(key))
            return Reports(of_the_present[0], judged) if of_the_present else None

        return await self._once(("quality", name, version), REPORT_S, read)

    async def _silence_s(self, name: str, version: str) -> float | None:
        """Seconds since the last event, counted on the monotonic clock from when it was first looked at."""
        key, now_ns = (name, version), self._clock.ticks_ns()
        newest = (await self._performance(name, version, REALTIME_MINUTES)).last_event_at
        seen = self._seen.get(key)
        if seen is None:
            if newest is None:
                newest = (
                    await self._observed.windows.performance(name, version, *self._span(MAX_WINDOW_MINUTES))
                ).last_event_ms
            seen = _Seen(newest, self._age_s(newest), now_ns)
        elif newest is not None and newest != seen.event_ms:
            # It came after the last look, whatever the wall clock says of its age.
            seen = _Seen(newest, min(self._age_s(newest), (now_ns - seen.looked_ns) / 1e9), now_ns)
        else:
            seen = _Seen(seen.event_ms, seen.age_s + (now_ns - seen.looked_ns) / 1e9, now_ns)
        self._seen[key] = seen
        return None if seen.event_ms is None else seen.age_s

    def _age_s(self, event_ms: int | None) -> float:
        return 0.0 if event_ms is None else max((self._clock.now_ms() - event_ms) / 1000, 0.0)

    def _span(self, minutes: int) -> tuple[int, int]:
        now_ms = self._clock.now_ms()
        return now_ms - minutes * 60_000, now_ms + 1

    async def _once(self, key: tuple[object, ...], for_s: float, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` gives, or gave not longer than `for_s` ago."""
        now_ns = self._clock.ticks_ns()
        known = self._remembered.get(key)
        if known is None or known.until_ns <= now_ns:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = _Remembered(await read(), now_ns + round(for_s * 1e9))
        return cast(T, known.value)


def _for_s(minutes: int) -> float:
    return FRESH_S if minutes <= REALTIME_MINUTES else min(float(minutes), LONGEST_S)


def _of_the_present(report: QualityReport) -> bool:
    """Whether a check looked at what was then the present; one that somebody ran over the past raises no alert."""
    return report.until_ms >= report.checked_at


def _drift_type(condition: Condition) -> DriftType:
    assert condition.drift_type is not None  # it is required of every metric of drift
    return cast("DriftType", condition.drift_type)
