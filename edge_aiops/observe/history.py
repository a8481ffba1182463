"""The performance of models over time, window by window, with what labels and features say of each."""

from __future__ import annotations

from msgspec import Struct, field

from edge_aiops.base.clock import Clock
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.labels import LabelCounts, LabelMetrics
from edge_aiops.observe.performance import Performance, PerformanceMetrics
from edge_aiops.observe.summaries import FeatureStatistics, describe
from edge_aiops.observe.windows import Wanted, Windows

MOST_WINDOWS = 2_000


class WindowMetrics(PerformanceMetrics, frozen=True, kw_only=True, rename="camel"):
    """A model version over one window. Without requests counts are 0, and what they would say is null."""

    model_name: str
    model_version: str
    granularity: Granularity
    start: int
    """Milliseconds since the epoch."""
    end: int
    labelled: int
    """Predictions of this window of which something became known, whenever that was."""
    accuracy: float | None
    """Share of the right ones among those that are right or wrong."""
    mean_absolute_error: float | None
    """Of predictions that are numbers."""


class SpanStatistics(Struct, frozen=True, kw_only=True, rename="camel"):
    """What features, outputs and outcomes of a model version were like over a span."""

    model_name: str
    model_version: str
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    baseline: int | None
    """The number of the baseline whose bins were counted on."""
    inputs: list[FeatureStatistics]
    outputs: list[FeatureStatistics]
    outcomes: list[FeatureStatistics]


class MetricHistory:
    """Reads series of windows."""

    def __init__(self, windows: Windows, baselines: Baselines, *, clock: Clock) -> None:
        self._windows = windows
        self._baselines = baselines
        self._clock = clock

    async def metrics(
        self, model_name: str, model_version: str | None, granularity: Granularity, from_ms: int, until_ms: int
    ) -> list[WindowMetrics]:
        """One entry for each version and window with requests or labels, the oldest first."""
        performance = await self._windows.series(
            Wanted("performance", model_name, model_version), granularity, from_ms, until_ms, Performance
        )
        labels = await self._windows.series(
            Wanted("labels", model_name, model_version), granularity, from_ms, until_ms, LabelCounts
        )
        keys = sorted(performance.keys() | labels.keys(), key=lambda key: (key[1], key[0]))
        return [
            _window(
                model_name,
                key,
                granularity,
                performance.get(key, Performance()),
                labels.get(key, LabelCounts()).metrics(),
                self._clock.now_ms(),
            )
            for key in keys
        ]

    async def statistics(self, model_name: str, model_version: str, from_ms: int, until_ms: int) -> SpanStatistics:
        """Every feature, output and outcome over a span."""
        baseline = self._baselines.current(model_name, model_version)
        found = {
            role: await self._described(role, model_name, model_version, from_ms, until_ms, baseline)
            for role in ("inputs", "outputs", "outcomes")
        }
        return SpanStatistics(
            model_name=model_name,
            model_version=model_version,
            from_ms=from_ms,
            until_ms=until_ms,
            baseline=baseline.number if baseline else None,
            **found,
        )

    async def _described(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        baseline: ModelBaseline | None,
    ) -> list[FeatureStatistics]:
        summary = await self._windows.role(role, model_name, model_version, from_ms, until_ms, baseline=baseline)
        sketches = None
        if role != "outcomes":
            sketches = await self._windows.sketches(model_name, model_version, from_ms, until_ms, role=role)
        return describe(summary, sketches)


def _window(
    model_name: str,
    key: tuple[str, int],
    granularity: Granularity,
    performance: Performance,
    labels: LabelMetrics,
    now_ms: int,
) -> WindowMetrics:
    version, start = key
    width_ms = WIDTH_MS[granularity]
    passed_ms = now_ms - start if start < now_ms < start + width_ms else width_ms
    shown = performance.metrics(span_s=passed_ms / 1000)
    return WindowMetrics(
        model_name=model_name,
        model_version=version,
        granularity=granularity,
        start=start,
        end=start + width_ms,
        labelled=labels.labelled,
        accuracy=labels.accuracy,
        mean_absolute_error=labels.mean_absolute_error,
        **{name: getattr(shown, name) for name in PerformanceMetrics.__struct_fields__},
    )
