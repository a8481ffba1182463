"""What is counted of requests, how it merges, and how it travels."""

from __future__ import annotations

import random

import pytest

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.performance import MAX_ERROR_CODES, Performance
from edge_aiops.stats import UnreadableSummary

IRIS = ServedBy("iris", "1", 1)


def event(
    at_ms: int = 1_000,
    *,
    latency_us: int = 2_000,
    queue_us: int = 500,
    rows: int = 1,
    batch_rows: int = 1,
    confidence: str | None = None,
    error: str | None = None,
) -> NewEvent:
    return NewEvent(
        at_ms, IRIS, None, None, None, rows, batch_rows, queue_us, latency_us, "[1]", "[0]", confidence, '"a"', error
    )


def performance(*events: NewEvent) -> Performance:
    counted = Performance()
    counted.update(events)
    return counted


def test_without_requests_what_cannot_be_said_is_none() -> None:
    metrics = Performance().metrics(span_s=300)

    assert (metrics.requests, metrics.errors, metrics.throughput, metrics.errors_by_code) == (0, 0, 0.0, {})
    assert metrics.error_rate is None and metrics.mean_latency_ms is None and metrics.p99_latency_ms is None
    assert metrics.max_latency_ms is None and metrics.mean_queue_ms is None and metrics.mean_batch_rows is None
    assert metrics.max_batch_rows is None and metrics.mean_confidence is None and metrics.last_event_at is None


def test_requests_are_counted_with_their_times_failures_and_batches() -> None:
    counted = performance(
        event(1_000, latency_us=10_000, queue_us=1_000, batch_rows=4),
        event(3_000, latency_us=30_000, queue_us=3_000, batch_rows=8, rows=5),
        event(2_000, latency_us=20_000, queue_us=2_000, batch_rows=0, error="model_failed"),
    )

    metrics = counted.metrics(span_s=6)

    assert (metrics.requests, metrics.errors, metrics.throughput) == (3, 1, 0.5)
    assert metrics.error_rate == pytest.approx(1 / 3)
    assert metrics.errors_by_code == {"model_failed": 1}
    assert metrics.mean_latency_ms == pytest.approx(20)
    assert metrics.p50_latency_ms == pytest.approx(20, rel=0.01)
    assert metrics.max_latency_ms == pytest.approx(30)
    assert metrics.mean_queue_ms == pytest.approx(2)
    assert (metrics.mean_batch_rows, metrics.max_batch_rows) == (4, 8)
    assert (counted.rows, counted.first_event_ms, metrics.last_event_at) == (7, 1_000, 3_000)


@pytest.mark.parametrize(
    ("confidences", "expected"),
    [
        (["0.5", "0.7"], (2, 0.6)),
        (["0.5", None, "0.7"], (2, 0.6)),
        (["[0.2,0.4]", "[0.3,0.3]"], (4, 0.3)),
        (["[0.2,null,0.4]", "0.6", "null"], (3, 0.4)),
        ([None], (0, None)),
    ],
)
def test_confidence_counts_every_row_that_has_one(
    confidences: list[str | None], expected: tuple[int, float | None]
) -> None:
    summary = performance(*(event(confidence=confidence) for confidence in confidences)).confidence

    assert (summary.count, summary.nan) == (expected[0], 0)
    assert summary.mean == (None if expected[1] is None else pytest.approx(expected[1]))


def test_parts_merge_to_what_all_events_together_give() -> None:
    events = [
        event(1_000 + i, latency_us=100 * i, confidence=f"0.{i % 10}", error="timeout" if i % 7 == 0 else None)
        for i in range(300)
    ]
    merged = performance(*events[:100])
    rest = performance(*events[100:])
    before = rest.to_bytes()

    merged.merge(rest)

    assert merged.metrics(span_s=1) == performance(*events).metrics(span_s=1)
    assert rest.to_bytes() == before, "what is merged stays as it is"


def test_nothing_changes_when_nothing_is_counted_or_merged() -> None:
    counted = performance(event(confidence="0.5"))
    before = counted.to_bytes()

    counted.update([])
    counted.merge(Performance())

    assert counted.to_bytes() == before


def test_what_is_merged_into_an_empty_one_is_not_shared_with_it() -> None:
    total, part = Performance(), performance(event())

    total.merge(part)
    part.update([event(), event()])

    assert (total.requests, total.latency.count) == (1, 1)


def test_error_codes_are_bounded_and_no_error_is_lost() -> None:
    counted = performance(*(event(error=f"code_{number}") for number in range(100)))
    counted.merge(performance(*(event(error=f"late_{number}") for number in range(100))))

    assert len(counted.errors_by_code) <= MAX_ERROR_CODES + 1
    assert counted.errors_by_code["other"] == 200 - MAX_ERROR_CODES
    assert sum(counted.errors_by_code.values()) == counted.errors == 200


def test_bytes_give_the_same_performance_back() -> None:
    counted = performance(event(confidence="0.5", error="timeout"), event(5_000))

    read = Performance.from_bytes(counted.to_bytes())

    assert read.to_bytes() == counted.to_bytes()
    assert read.metrics(span_s=1) == counted.metrics(span_s=1)
    assert (read.n, read.rows, read.first_event_ms) == (2, 2, 1_000)
    assert Performance.from_bytes(Performance().to_bytes()).requests == 0


def test_bytes_of_a_busy_window_are_small() -> None:
    draw = random.Random(7)
    busy = performance(
        *(
            event(latency_us=int(draw.lognormvariate(8, 1)), queue_us=int(draw.lognormvariate(6, 1)), confidence="0.9")
            for _ in range(5_000)
        )
    )

    assert len(busy.to_bytes()) < 1_600


def test_damaged_bytes_are_refused() -> None:
    whole = performance(event(confidence="0.5"), event()).to_bytes()

    damaged = [whole[:end] for end in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    for data in (*damaged, b"", b"nonsense", whole + b"\0"):
        with pytest.raises(UnreadableSummary):
            Performance.from_bytes(data)
