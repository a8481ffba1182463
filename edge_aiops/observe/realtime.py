"""The last five minutes of every model version, visible at once: a ring of ten-second slices in memory.

A slice belongs to the time of its events. What shows is decided by the clock alone: the slices from 290 seconds before
the present one up to it, and one after it, for a clock that is corrected by seconds. Events that come late are counted
where they belong; those older than the window, or further in the future, are in no slice. A clock that is set forward
leaves what was in the window behind; one that is set back makes it the future, and that is forgotten, so that no time
that passes twice counts double.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from edge_aiops.base.clock import Clock
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.performance import EventColumns, Performance, PerformanceMetrics, columns_of
from edge_aiops.observe.totals import ModelVersion, Totals

SLICE_MS = 10_000
WINDOW_SLICES = 30
WINDOW_MS = WINDOW_SLICES * SLICE_MS

_AHEAD = 1
_SLOTS = WINDOW_SLICES + _AHEAD
"""As many as there are slices that may show, so that no two of those share a slot."""


class SliceMetrics(Struct, frozen=True, kw_only=True, rename="camel"):
    """Ten seconds of the window."""

    start: int
    """Milliseconds since the epoch."""
    requests: int
    errors: int
    p95_latency_ms: float | None


class RealtimeMetrics(PerformanceMetrics, frozen=True, kw_only=True, rename="camel"):
    """A model version over the sliding window."""

    model_name: str
    model_version: str
    window_ms: int
    """From `from` to `to`: at most five minutes, and up to one slice less."""
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    slices: list[SliceMetrics]
    """Oldest first, without those that have no request."""

    @property
    def version(self) -> ModelVersion:
        """Name and version of the model."""
        return self.model_name, self.model_version


class Realtime:
    """The sliding window of every version with events in it, and totals of all since the start."""

    def __init__(self, clock: Clock) -> None:
        self.totals = Totals()
        self._clock = clock
        self._rings: dict[ServedBy, _Ring] = {}
        self._swept = 0

    def update(self, served_by: ServedBy, events: Sequence[NewEvent], columns: EventColumns | None = None) -> None:
        """Count events of one model version that were just made; `columns` are theirs, where they are made already."""
        if events:
            columns = columns or columns_of(events)
            self.totals.add(served_by[:2], columns)
            self._count(served_by, events, columns)

    def restore(self, served_by: ServedBy, events: Sequence[NewEvent], columns: EventColumns | None = None) -> None:
        """Count events from before this process: they enter the window and not the totals since the start."""
        if events:
            self._count(served_by, events, columns or columns_of(events))

    def models(self) -> list[ModelVersion]:
        """Name and version of all that have events in the window."""
        self._sweep(self._current())
        return sorted({served_by[:2] for served_by in self._rings})

    def snapshot(self, model_name: str, known: Iterable[str] = ()) -> list[RealtimeMetrics]:
        """The window of each version of a model: of those with events in it, and of `known` ones without."""
        versions = {version for name, version in self.models() if name == model_name} | set(known)
        return [self._metrics(model_name, version) for version in sorted(versions)]

    def performance(self, model_name: str, model_version: str | None, minutes: float) -> Performance:
        """A version, or all versions of a model, over the last `minutes`, at most 5; in whole slices, rounded up."""
        merged = Performance()
        for _, part in self._slices(model_name, model_version, slices=math.ceil(minutes * 60_000 / SLICE_MS)):
            merged.merge(part)
        return merged

    def _metrics(self, model_name: str, model_version: str) -> RealtimeMetrics:
        now_ms = self._clock.now_ms()
        from_ms = (now_ms // SLICE_MS - WINDOW_SLICES + 1) * SLICE_MS
        whole, parts = Performance(), dict[int, Performance]()
        for number, part in self._slices(model_name, model_version):
            whole.merge(part)
            parts.setdefault(number, Performance()).merge(part)
        metrics = whole.metrics(span_s=(now_ms - from_ms) / 1000)
        return RealtimeMetrics(
            model_name=model_name,
            model_version=model_version,
            window_ms=now_ms - from_ms,
            from_ms=from_ms,
            until_ms=now_ms,
            slices=[_slice_metrics(number, parts[number]) for number in sorted(parts)],
            **{name: getattr(metrics, name) for name in PerformanceMetrics.__struct_fields__},
        )

    def _slices(
        self, model_name: str, model_version: str | None, slices: int = WINDOW_SLICES
    ) -> Iterator[tuple[int, Performance]]:
        current = self._current()
        for served_by, ring in self._rings.items():
            if served_by.model_name == model_name and model_version in (None, served_by.model_version):
                yield from ring.shown(current, slices)

    def _count(self, served_by: ServedBy, events: Sequence[NewEvent], columns: EventColumns) -> None:
        current = self._current()
        self._sweep(current)
        first, last = min(columns.at_ms) // SLICE_MS, max(columns.at_ms) // SLICE_MS
        if first == last:
            self._add(served_by, first, columns, current)
            return
        by_slice: dict[int, list[NewEvent]] = {}
        for event in events:
            by_slice.setdefault(event.at_ms // SLICE_MS, []).append(event)
        for number, part in by_slice.items():
            self._add(served_by, number, columns_of(part), current)

    def _add(self, served_by: ServedBy, number: int, columns: EventColumns, current: int) -> None:
        if _shows(number, current):
            self._rings.setdefault(served_by, _Ring()).slice(number).add(columns)

    def _sweep(self, current: int) -> None:
        """Forget, once a slice, what cannot show any more, and versions of which nothing is left."""
        if current != self._swept:
            self._swept = current
            self._rings = {key: ring for key, ring in self._rings.items() if ring.kept(current)}

    def _current(self) -> int:
        return self._clock.now_ms() // SLICE_MS


class _Ring:
    """Slices of one deployment by their number since the epoch; each has one slot where it can stand."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: list[tuple[int, Performance] | None] = [None] * _SLOTS

    def slice(self, number: int) -> Performance:
        """The slice of this number, new if another one stood in its slot."""
        slot = self._slots[number % _SLOTS]
        if slot is None or slot[0] != number:
            slot = self._slots[number % _SLOTS] = (number, Performance())
        return slot[1]

    def kept(self, current: int) -> bool:
        """Forget the slices that do not show while `current` is the present one; whether any is left."""
        self._slots = [slot if slot is not None and _shows(slot[0], current) else None for slot in self._slots]
        return any(self._slots)

    def shown(self, current: int, slices: int = WINDOW_SLICES) -> Iterator[tuple[int, Performance]]:
        """The last `slices` of those that show while `current` is the present one."""
        return (slot for slot in self._slots if slot is not None and _shows(slot[0], current, slices))


def _shows(number: int, current: int, slices: int = WINDOW_SLICES) -> bool:
    return current - min(slices, WINDOW_SLICES) < number <= current + _AHEAD


def _slice_metrics(number: int, part: Performance) -> SliceMetrics:
    shown = part.metrics(span_s=SLICE_MS / 1000)
    return SliceMetrics(
        start=number * SLICE_MS, requests=shown.requests, errors=shown.errors, p95_latency_ms=shown.p95_latency_ms
    )
