"""What a condition can be about: every metric with its unit, its parameters and the thresholds that make sense."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Family = Literal["performance", "labels", "drift", "quality", "traffic"]
Unit = Literal["ms", "s", "share", "count", "perSecond", "score"]
Parameter = Literal["windowMinutes", "minRequests", "minLabels", "driftType", "feature", "check"]

OPERATORS = (">", ">=", "<", "<=", "==", "!=")
MAX_WINDOW_MINUTES = 43_200
"""Thirty days."""


class Metric(Struct, frozen=True, kw_only=True, rename="camel"):
    """A metric that conditions can be about."""

    name: str
    family: Family
    unit: Unit
    """`share` is from 0 to 1; `perSecond` counts a second; `score` has no unit."""
    description: str
    parameters: tuple[Parameter, ...] = ()
    """What a condition may say beside `operator` and `threshold`."""
    required: tuple[Parameter, ...] = ()
    """What of that it must say."""
    window_minutes: int | None = None
    """The window where the condition names none; null for metrics without one."""
    least: float | None = 0.0
    """The least threshold that makes sense."""
    greatest: float | None = None


_WINDOW: tuple[Parameter, ...] = ("windowMinutes", "minRequests")
_LABELS: tuple[Parameter, ...] = ("windowMinutes", "minLabels")
_DAY = 1_440


def _performance(name: str, unit: Unit, description: str) -> Metric:
    greatest = 1.0 if unit == "share" else None
    return Metric(
        name=name,
        family="performance",
        unit=unit,
        description=description,
        parameters=_WINDOW,
        window_minutes=5,
        greatest=greatest,
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _performance("errorRate", "share", "share of requests that failed"),
        _performance("errors", "count", "requests that failed"),
        _performance("requests", "count", "requests; with < or <= only judged for versions in production that had any"),
        _performance("throughput", "perSecond", "requests a second; with < or <= judged as requests is"),
        _performance("meanLatency", "ms", "mean latency of all requests"),
        _performance("p50Latency", "ms", "median latency of all requests"),
        _performance("p95Latency", "ms", "latency that 95 % of all requests keep"),
        _performance("p99Latency", "ms", "latency that 99 % of all requests keep"),
        _performance("maxLatency", "ms", "longest latency of all requests"),
        _performance("meanQueueTime", "ms", "mean time that requests waited for their turn"),
        _performance("p95QueueTime", "ms", "waiting time that 95 % of all requests keep"),
        _performance("meanConfidence", "share", "mean confidence of predictions"),
        _performance("minConfidence", "share", "lowest confidence of a prediction"),
        Metric(
            name="accuracy",
            family="labels",
            unit="share",
            description="share of right predictions, among those made in the window that have feedback",
            parameters=_LABELS,
            window_minutes=_DAY,
            greatest=1.0,
        ),
        Metric(
            name="meanAbsoluteError",
            family="labels",
            unit="score",
            description="mean absolute error of predictions made in the window that have feedback, in their unit",
            parameters=_LABELS,
            window_minutes=_DAY,
        ),
        Metric(
            name="labelled",
            family="labels",
            unit="count",
            description="predictions made in the window that have feedback",
            parameters=("windowMinutes",),
            window_minutes=_DAY,
        ),
        Metric(
            name="driftScore",
            family="drift",
            unit="score",
            description="score of the latest drift check; of one feature where one is named, else the largest",
            parameters=("driftType", "feature"),
            required=("driftType",),
            least=None,
        ),
        Metric(
            name="driftedFeatures",
            family="drift",
            unit="count",
            description="features that the latest drift check found drifted",
            parameters=("driftType",),
            required=("driftType",),
        ),
        Metric(
            name="driftConfirmed",
            family="drift",
            unit="count",
            description="1 while drift is confirmed by several checks in a row, else 0",
            parameters=("driftType",),
            required=("driftType",),
            greatest=1.0,
        ),
        Metric(
            name="qualityScore",
            family="quality",
            unit="share",
            description="share of values that are as they should be, in the latest quality report",
            greatest=1.0,
        ),
        Metric(
            name="qualityViolations",
            family="quality",
            unit="count",
            description="violations in the latest quality report; of one check where one is named",
            parameters=("check",),
        ),
        Metric(
            name="nullRate",
            family="quality",
            unit="share",
            description="share of rows in the window without a value of a feature",
            parameters=("feature", *_WINDOW),
            required=("feature",),
            window_minutes=60,
            greatest=1.0,
        ),
        Metric(
            name="timeSinceLastEvent",
            family="traffic",
            unit="s",
            description="time since the last request; only judged for versions in production that had any",
        ),
    )
}
"""Every metric by its name."""
