"""How a model version performed over some span: requests, failures, times, batch sizes, confidence; it merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.envelope import Count, opened, sealed
from edge_aiops.stats.summaries import Latency, Moments, moments

MAX_ERROR_CODES = 32
OTHER_CODE = "other"
"""Where errors are counted whose codes came after `MAX_ERROR_CODES` others."""

MARK = b"EAP\x01"
_QUANTILES = (0.5, 0.95, 0.99)


class PerformanceMetrics(Struct, frozen=True, kw_only=True, rename="camel"):
    """Performance as people read it. What cannot be said without requests is None."""

    requests: int
    errors: int
    error_rate: float | None
    throughput: float
    """Requests a second."""
    mean_latency_ms: float | None
    """Of all requests, those that failed too; so are the percentiles, which are within 1 % of themselves."""
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    max_latency_ms: float | None
    mean_queue_ms: float | None
    p95_queue_ms: float | None
    mean_batch_rows: float | None
    """Rows of the run that a request shared with others."""
    max_batch_rows: int | None
    mean_confidence: float | None
    min_confidence: float | None
    errors_by_code: dict[str, int]
    last_event_at: int | None
    """Milliseconds since the epoch."""


class EventColumns(NamedTuple):
    """What performance needs of a batch of events, column by column. One entry an event, but for `confidence`."""

    at_ms: tuple[int, ...]
    rows: int
    errors: list[str]
    """The codes of those that failed."""
    latency_s: NDArray[np.float64]
    queue_s: NDArray[np.float64]
    batch_rows: NDArray[np.int64]
    confidence: NDArray[np.float64]
    """One entry for each row that has one."""


class Performance:
    """Counters and summaries of the requests to a model version, in constant memory."""

    __slots__ = (
        "batch_rows",
        "confidence",
        "errors",
        "errors_by_code",
        "first_event_ms",
        "last_event_ms",
        "latency",
        "queue",
        "requests",
        "rows",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.errors_by_code: dict[str, int] = {}
        self.rows = 0
        self.latency = Latency()
        """Seconds from arrival to answer."""
        self.queue = Latency()
        """Seconds of them spent waiting."""
        self.batch_rows = Moments()
        self.confidence = Moments()
        self.first_event_ms: int | None = None
        self.last_event_ms: int | None = None

    @property
    def n(self) -> int:
        """How many requests there were."""
        return self.requests

    @property
    def largest_count(self) -> int:
        """The largest of all its counts."""
        counted = (self.latency, self.queue, self.batch_rows, self.confidence)
        codes = self.errors_by_code.values()
        return max(self.requests, self.errors, self.rows, *(of.total for of in counted), *codes)

    def update(self, events: Sequence[NewEvent]) -> None:
        """Count a batch of events; the larger the batch, the less each of them costs."""
        if events:
            self.add(columns_of(events))

    def add(self, columns: EventColumns) -> None:
        """Count events that are columns already."""
        self.requests += len(columns.at_ms)
        self.rows += columns.rows
        if columns.errors:
            self.errors += len(columns.errors)
            add_codes(self.errors_by_code, Counter(columns.errors), limit=MAX_ERROR_CODES)
        self.latency.update(columns.latency_s)
        self.queue.update(columns.queue_s)
        self.batch_rows += moments(columns.batch_rows)
        if len(columns.confidence):
            self.confidence += moments(columns.confidence)
        self._note_span(min(columns.at_ms), max(columns.at_ms))

    def merge(self, other: Performance) -> None:
        """Take in what `other` counted; it stays as it is."""
        self.requests += other.requests
        self.errors += other.errors
        self.rows += other.rows
        add_codes(self.errors_by_code, other.errors_by_code, limit=MAX_ERROR_CODES)
        self.latency += other.latency
        self.queue += other.queue
        self.batch_rows += other.batch_rows
        self.confidence += other.confidence
        if other.first_event_ms is not None and other.last_event_ms is not None:
            self._note_span(other.first_event_ms, other.last_event_ms)

    def metrics(self, *, span_s: float) -> PerformanceMetrics:
        """What to show of a span of `span_s` seconds."""
        p50, p95, p99 = self.latency.quantiles(_QUANTILES) or (None, None, None)
        largest = self.batch_rows.maximum
        return PerformanceMetrics(
            requests=self.requests,
            errors=self.errors,
            error_rate=self.errors / self.requests if self.requests else None,
            throughput=self.requests / span_s if span_s > 0 else 0.0,
            mean_latency_ms=_milliseconds(self.latency.mean),
            p50_latency_ms=_milliseconds(p50),
            p95_latency_ms=_milliseconds(p95),
            p99_latency_ms=_milliseconds(p99),
            max_latency_ms=_milliseconds(self.latency.maximum),
            mean_queue_ms=_milliseconds(self.queue.mean),
            p95_queue_ms=_milliseconds(self.queue.quantile(0.95)),
            mean_batch_rows=self.batch_rows.mean,
            max_batch_rows=None if largest is None else int(largest),
            mean_confidence=self.confidence.mean,
            min_confidence=self.confidence.minimum,
            errors_by_code=dict(self.errors_by_code),
            last_event_at=self.last_event_ms,
        )

    def to_bytes(self) -> bytes:
        """As bytes with a version and a checksum."""
        stored = PerformanceState(
            requests=self.requests,
            errors=self.errors,
            errors_by_code=self.errors_by_code,
            rows=self.rows,
            first_event_ms=self.first_event_ms,
            last_event_ms=self.last_event_ms,
            latency=self.latency.to_bytes(),
            queue=self.queue.to_bytes(),
            batch_rows=self.batch_rows.to_bytes(),
            confidence=self.confidence.to_bytes(),
        )
        return sealed(MARK, stored)

    @classmethod
    def from_bytes(cls, data: bytes) -> Performance:
        """The performance that `to_bytes` wrote. Raises `UnreadableSummary` for anything else."""
        stored = opened(MARK, data, PerformanceState)
        read = cls()
        read.requests, read.errors, read.rows = stored.requests, stored.errors, stored.rows
        read.errors_by_code = stored.errors_by_code
        read.first_event_ms, read.last_event_ms = stored.first_event_ms, stored.last_event_ms
        read.latency, read.queue = Latency.from_bytes(stored.latency), Latency.from_bytes(stored.queue)
        read.batch_rows = Moments.from_bytes(stored.batch_rows)
        read.confidence = Moments.from_bytes(stored.confidence)
        return read

    def _note_span(self, first_ms: int, last_ms: int) -> None:
        self.first_event_ms = first_ms if self.first_event_ms is None else min(self.first_event_ms, first_ms)
        self.last_event_ms = last_ms if self.last_event_ms is None else max(self.last_event_ms, last_ms)


class Served(NamedTuple):
    """How many requests there were, and how they went."""

    requests: int
    errors: int
    latency: Latency


def served(performances: Iterable[bytes]) -> Served:
    """The requests in all that `Performance.to_bytes` wrote, at a small part of what merging costs. Raises
    `UnreadableSummary`."""
    states = [opened(MARK, data, PerformanceState) for data in performances]
    return Served(
        sum(state.requests for state in states),
        sum(state.errors for state in states),
        Latency.merge_bytes([state.latency for state in states]),
    )


def columns_of(events: Sequence[NewEvent]) -> EventColumns:
    """The columns of at least one event."""
    columns = zip(*events, strict=True)
    (at_ms, _, _, _, _, rows, batch_rows, queue_us, latency_us, _, _, confidence, _, errors, *_) = columns
    numbers = np.array(latency_us + queue_us + batch_rows, dtype=np.int64).reshape(3, len(events))
    latency_s, queue_s = numbers[:2] / 1e6
    return EventColumns(
        at_ms=at_ms,
        rows=sum(rows),
        errors=[code for code in errors if code is not None],
        latency_s=latency_s,
        queue_s=queue_s,
        batch_rows=numbers[2],
        confidence=_confidences(confidence),
    )


def add_codes(counts: dict[str, int], more: Mapping[str, int], *, limit: int) -> None:
    """Add `more` to `counts`; codes that are new when there are `limit` already count as `OTHER_CODE`."""
    for code, count in more.items():
        known = code if code in counts or len(counts) < limit else OTHER_CODE
        counts[known] = counts.get(known, 0) + count


class PerformanceState(Struct, frozen=True, kw_only=True, array_like=True):
    """What `Performance` keeps, as it is stored."""

    requests: Count
    errors: Count
    errors_by_code: dict[str, Count]
    rows: Count
    first_event_ms: int | None
    last_event_ms: int | None
    latency: bytes
    queue: bytes
    batch_rows: bytes
    confidence: bytes


_NUMBERS = msgspec.json.Decoder(list[float])


def _confidences(texts: Iterable[str | None]) -> NDArray[np.float64]:
    """The numbers in `texts`, each of which is a number, a list of numbers and nulls, or nothing; damaged ones are
    passed over."""
    given = [text for text in texts if text is not None]
    try:
        return np.array(_NUMBERS.decode(f"[{','.join(given)}]"), dtype=np.float64)
    except msgspec.DecodeError:
        return np.array([number for text in given for number in _numbers(text)], dtype=np.float64)


def _numbers(text: str) -> list[float]:
    try:
        decoded: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return []
    rows = decoded if isinstance(decoded, list) else [decoded]
    return [row for row in rows if isinstance(row, int | float)]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
