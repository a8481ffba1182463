"""What readers ask of windows: one summary of any span, or a series of them, with what is not yet written included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Unavailable
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import FINEST, Kind, Series, Summary, Window, read_summary
from edge_aiops.observe.store import readable
from edge_aiops.observe.summaries import RoleSummary, Sketches
from edge_aiops.store.local import LocalDatabase

S = TypeVar("S", bound=Summary)
K = TypeVar("K")

READ_TIMEOUT_S = 30.0
_ATTEMPTS = 1_000
_PAUSE_S = 0.01

_WANTED = """
    kind = :kind AND model_name = :name AND (:version IS NULL OR model_version = :version)
        AND (:baseline IS NULL OR baseline = :baseline) AND start_ms >= :from_ms AND start_ms < :until_ms
"""
_SELECT = f"""
    SELECT kind, model_name, model_version, deployment_version, baseline, start_ms, summary FROM window
    JOIN series ON series.number = window.series
    WHERE width_ms = :width_ms AND {_WANTED}
"""
_SELECT_WITH_FRESH = f"""
    {_SELECT} UNION ALL
    SELECT kind, model_name, model_version, deployment_version, baseline, start_ms,
           coalesce(fresh.summary, window.summary)
    FROM fresh JOIN window USING (series, width_ms, start_ms)
    JOIN series ON series.number = fresh.series
    WHERE width_ms < :width_ms AND {_WANTED}
"""
"""In one statement, so that no merging upwards can come between its two halves."""


class Wanted(NamedTuple):
    """Windows of which series; None does not matter."""

    kind: Kind
    model_name: str
    model_version: str | None
    baseline: int | None = None


class Part(NamedTuple):
    """A piece of a span."""

    series: Series
    start_ms: int
    summary: Summary


class Span(NamedTuple):
    """From a moment, up to but not including another, in windows of one width."""

    width_ms: int
    from_ms: int
    until_ms: int


class Live(NamedTuple):
    """What is not written yet."""

    generation: int
    """Grows when a write begins, to an odd number, and when it ends."""
    deltas: Iterable[tuple[Window, Summary]]
    """Iterated over as often as it is asked for."""


class Windows:
    """Reads windows. Spans are rounded outwards to the windows that are kept."""

    def __init__(
        self,
        database: LocalDatabase,
        *,
        clock: Clock,
        live: Callable[[], Live],
        config: Callable[[], MonitoringConfig],
    ) -> None:
        self._database = database
        self._clock = clock
        self._live = live
        self._config = config

    async def performance(self, model_name: str, model_version: str | None, from_ms: int, until_ms: int) -> Performance:
        """How a version, or all versions of a model, performed over a span."""
        return await self._merged(Wanted("performance", model_name, model_version), from_ms, until_ms, Performance)

    async def labels(self, model_name: str, model_version: str | None, from_ms: int, until_ms: int) -> LabelCounts:
        """What is known of the predictions that were made in a span."""
        return await self._merged(Wanted("labels", model_name, model_version), from_ms, until_ms, LabelCounts)

    async def role(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        *,
        baseline: ModelBaseline | None,
    ) -> RoleSummary:
        """Inputs, outputs or outcomes of a span, as far as they were summarised on `baseline`."""
        wanted = Wanted(role, model_name, model_version, baseline.number if baseline else 0)
        references = baseline.of(role) if baseline else None
        most = self._config().aggregation.max_features
        return await self._merged(
            wanted, from_ms, until_ms, lambda: RoleSummary(references, max_features=most), baseline
        )

    async def sketches(
        self, model_name: str, model_version: str | None, from_ms: int, until_ms: int, *, role: Role = "inputs"
    ) -> Sketches:
        """Quantile sketches of the numbers of a span, rounded outwards to whole hours."""
        kind: Kind = "inputSketches" if role == "inputs" else "outputSketches"
        most = self._config().aggregation.max_features
        wanted = Wanted(kind, model_name, model_version)
        return await self._merged(wanted, from_ms, until_ms, lambda: Sketches(max_features=most))

    async def series(
        self, wanted: Wanted, granularity: Granularity, from_ms: int, until_ms: int, empty: Callable[[], S]
    ) -> dict[tuple[str, int], S]:
        """One summary for each version and window that has any, by version and beginning; whole windows."""
        width_ms = WIDTH_MS[granularity]
        span = Span(width_ms, from_ms - from_ms % width_ms, -(-until_ms // width_ms) * width_ms)
        return await self._collected(
            wanted,
            [span],
            None,
            lambda part: (part.series.model_version, part.start_ms - part.start_ms % width_ms),
            empty,
        )

    async def _merged(
        self,
        wanted: Wanted,
        from_ms: int,
        until_ms: int,
        empty: Callable[[], S],
        baseline: ModelBaseline | None = None,
    ) -> S:
        spans = list(self._cover(FINEST[wanted.kind], from_ms, until_ms))
        merged = await self._collected(wanted, spans, baseline, lambda _: None, empty)
        return merged.get(None, empty())

    async def _collected(
        self,
        wanted: Wanted,
        spans: Sequence[Span],
        baseline: ModelBaseline | None,
        key: Callable[[Part], K],
        empty: Callable[[], S],
    ) -> dict[K, S]:
        """What is on disk and what is not written yet, merged by `key`."""
        for _ in range(_ATTEMPTS):
            generation = self._live().generation
            if generation % 2 == 0:
                rows = [row for span in spans for row in await self._rows(wanted, span)]
                merged = await asyncio.to_thread(_merge, _read(rows, baseline), key, empty)
                if self._live().generation == generation:
                    return _merge(_unwritten(self._live().deltas, wanted, spans), key, empty, merged)
            await asyncio.sleep(_PAUSE_S)
        raise Unavailable("windows are being written faster than they can be read; ask again")

    async def _rows(self, wanted: Wanted, span: Span) -> list[tuple[Any, ...]]:
        said = {
            "kind": wanted.kind,
            "name": wanted.model_name,
            "version": wanted.model_version,
            "baseline": wanted.baseline,
            **span._asdict(),
        }
        narrowest = span.width_ms == WIDTH_MS[FINEST[wanted.kind]]
        return await self._database.read(_SELECT if narrowest else _SELECT_WITH_FRESH, said, timeout_s=READ_TIMEOUT_S)

    def _cover(self, finest: Granularity, from_ms: int, until_ms: int) -> Iterator[Span]:
        """The widest windows that fit into a span, and narrower ones at its ends, as far back as they are kept."""
        retention = self._config().retention
        kept_s = {"5min": retention.five_minute, "hourly": retention.hourly, "daily": retention.daily}
        now_ms = self._clock.now_ms()
        for granularity in ("5min", "hourly"):
            if WIDTH_MS[granularity] < WIDTH_MS[finest] or from_ms < now_ms - kept_s[granularity] * 1000:
                finest = "hourly" if granularity == "5min" else "daily"
        width_ms = WIDTH_MS[finest]
        return _covering(from_ms - from_ms % width_ms, -(-until_ms // width_ms) * width_ms, width_ms)


def _covering(from_ms: int, until_ms: int, width_ms: int) -> Iterator[Span]:
    wider = min((wide for wide in WIDTH_MS.values() if wide > width_ms), default=None)
    if wider is not None:
        inner_from, inner_until = -(-from_ms // wider) * wider, until_ms - until_ms % wider
        if inner_from < inner_until:
            if from_ms < inner_from:
                yield Span(width_ms, from_ms, inner_from)
            yield from _covering(inner_from, inner_until, wider)
            if inner_until < until_ms:
                yield Span(width_ms, inner_until, until_ms)
            return
    if from_ms < until_ms:
        yield Span(width_ms, from_ms, until_ms)


def _read(rows: Iterable[tuple[Any, ...]], baseline: ModelBaseline | None) -> Iterator[Part]:
    for *key, start_ms, data in rows:
        series = Series(*key)
        summary = readable(series, data, lambda series, data: read_summary(series.kind, data, baseline))
        if summary is not None:
            yield Part(series, start_ms, summary)


def _merge(
    parts: Iterable[Part], key: Callable[[Part], K], empty: Callable[[], S], into: dict[K, S] | None = None
) -> dict[K, S]:
    merged: dict[K, S] = {} if into is None else into
    for part in parts:
        place = key(part)
        if place not in merged:
            merged[place] = empty()
        merged[place].merge(part.summary)  # type: ignore[arg-type]  # of the wanted kind
    return merged


def _unwritten(deltas: Iterable[tuple[Window, Summary]], wanted: Wanted, spans: Sequence[Span]) -> Iterator[Part]:
    for window, delta in deltas:
        series = window.series
        if (
            series.kind == wanted.kind
            and series.model_name == wanted.model_name
            and wanted.model_version in (None, series.model_version)
            and wanted.baseline in (None, series.baseline)
            and any(span.from_ms <= window.start_ms < span.until_ms for span in spans)
        ):
            yield Part(series, window.start_ms, delta)
