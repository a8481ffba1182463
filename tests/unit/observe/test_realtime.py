"""The sliding window: what shows, what leaves it, and what a clock that jumps does to it."""

from __future__ import annotations

import pytest

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.realtime import WINDOW_MS, Realtime, RealtimeMetrics
from edge_aiops.observe.totals import MAX_VERSIONS, OTHER_VERSIONS
from edge_aiops.testing.clock import FakeClock

IRIS = ServedBy("iris", "1", 1)
YEAR_S = 365 * 86_400.0


def event(at_ms: int, *, latency_us: int = 2_000, error: str | None = None) -> NewEvent:
    return NewEvent(at_ms, IRIS, None, None, None, 1, 1, 100, latency_us, None, None, None, None, error)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def realtime(clock: FakeClock) -> Realtime:
    return Realtime(clock)


def only(realtime: Realtime, name: str = "iris") -> RealtimeMetrics:
    (shown,) = realtime.snapshot(name, known=["1"])
    return shown


def test_events_show_at_once(realtime: Realtime, clock: FakeClock) -> None:
    realtime.update(IRIS, [event(clock.now_ms(), latency_us=5_000), event(clock.now_ms(), error="timeout")])

    shown = only(realtime)

    assert (shown.model_name, shown.model_version) == ("iris", "1")
    assert (shown.requests, shown.errors, shown.error_rate) == (2, 1, 0.5)
    assert shown.max_latency_ms == pytest.approx(5)
    assert shown.until_ms == clock.now_ms() and shown.window_ms == shown.until_ms - shown.from_ms
    assert WINDOW_MS - 10_000 <= shown.window_ms <= WINDOW_MS
    assert shown.throughput == pytest.approx(2 / (shown.window_ms / 1000))


def test_events_leave_the_window_slice_by_slice(realtime: Realtime, clock: FakeClock) -> None:
    for _ in range(60):
        realtime.update(IRIS, [event(clock.now_ms())])
        clock.advance(10)

    shown = only(realtime)

    assert shown.requests == 29, "29 whole slices, and the present one is still empty"
    assert [one.requests for one in shown.slices] == [1] * 29
    assert shown.slices[0].start >= shown.from_ms
    clock.advance(250)
    assert only(realtime).requests == 4
    clock.advance(50)
    assert (only(realtime).requests, only(realtime).error_rate, only(realtime).slices) == (0, None, [])


def test_a_slice_that_comes_round_again_starts_from_nothing(realtime: Realtime, clock: FakeClock) -> None:
    for _ in range(5):
        realtime.update(IRIS, [event(clock.now_ms())])
        clock.advance(31 * 10)

    realtime.update(IRIS, [event(clock.now_ms())])

    assert only(realtime).requests == 1


def test_late_events_count_where_they_belong_and_those_before_the_window_do_not(
    realtime: Realtime, clock: FakeClock
) -> None:
    now_ms = clock.now_ms()
    realtime.update(IRIS, [event(now_ms), event(now_ms - 100_000), event(now_ms - WINDOW_MS), event(now_ms - 10**9)])

    shown = only(realtime)

    assert shown.requests == 2
    assert [one.start for one in shown.slices] == [(now_ms - 100_000) // 10_000 * 10_000, now_ms // 10_000 * 10_000]
    assert realtime.totals.by_version["iris", "1"].requests == 4


@pytest.mark.parametrize("jump_s", [-YEAR_S, -3_600.0, -600.0, 600.0, 3_600.0, YEAR_S])
def test_after_a_jump_of_the_clock_the_window_shows_what_came_since_and_nothing_else(
    realtime: Realtime, clock: FakeClock, jump_s: float
) -> None:
    for _ in range(30):
        realtime.update(IRIS, [event(clock.now_ms())])
        clock.advance(10)

    clock.jump(jump_s)

    assert (only(realtime).requests, realtime.models()) == (0, [])
    for passed in range(1, 100):
        realtime.update(IRIS, [event(clock.now_ms())])
        clock.advance(10)
        assert only(realtime).requests == min(passed, 29)


def test_events_from_the_future_do_not_outlive_a_clock_that_is_set_right(realtime: Realtime, clock: FakeClock) -> None:
    clock.jump(YEAR_S)
    realtime.update(IRIS, [event(clock.now_ms())])
    clock.jump(-YEAR_S)

    realtime.update(IRIS, [event(clock.now_ms() + 4_000_000), event(clock.now_ms())])

    assert only(realtime).requests == 1


def test_a_clock_that_is_corrected_by_seconds_loses_nothing(realtime: Realtime, clock: FakeClock) -> None:
    realtime.update(IRIS, [event(clock.now_ms())])
    clock.jump(-9)
    realtime.update(IRIS, [event(clock.now_ms())])

    assert only(realtime).requests == 2


def test_a_shorter_span_takes_the_last_slices_only(realtime: Realtime, clock: FakeClock) -> None:
    for _ in range(30):
        realtime.update(IRIS, [event(clock.now_ms())])
        clock.advance(10)
    realtime.update(IRIS, [event(clock.now_ms())])

    assert realtime.performance("iris", "1", minutes=1).requests == 6
    assert realtime.performance("iris", None, minutes=0.5).requests == 3
    assert realtime.performance("iris", "1", minutes=5).requests == 30
    assert realtime.performance("iris", "1", minutes=60).requests == 30


def test_one_models_metrics_never_include_anothers(realtime: Realtime, clock: FakeClock) -> None:
    for name, version, count in (("iris", "1", 3), ("iris", "2", 5), ("iris2", "1", 7), ("iri", "1", 11)):
        realtime.update(ServedBy(name, version, 1), [event(clock.now_ms())] * count)

    assert [(one.model_version, one.requests) for one in realtime.snapshot("iris")] == [("1", 3), ("2", 5)]
    assert realtime.performance("iris", None, 5).requests == 8
    assert realtime.performance("iris", "2", 5).requests == 5
    assert realtime.performance("iris", "3", 5).requests == 0
    assert realtime.models() == [("iri", "1"), ("iris", "1"), ("iris", "2"), ("iris2", "1")]
    assert {key: totals.requests for key, totals in realtime.totals.by_version.items()} == {
        ("iris", "1"): 3,
        ("iris", "2"): 5,
        ("iris2", "1"): 7,
        ("iri", "1"): 11,
    }


def test_contents_registered_again_under_one_version_show_as_that_version(realtime: Realtime, clock: FakeClock) -> None:
    realtime.update(ServedBy("iris", "1", 1), [event(clock.now_ms())])
    realtime.update(ServedBy("iris", "1", 2), [event(clock.now_ms())])

    assert (only(realtime).requests, len(only(realtime).slices)) == (2, 1)


def test_a_version_without_events_shows_zero_and_none(realtime: Realtime) -> None:
    (shown,) = realtime.snapshot("iris", known=["7"])

    assert (shown.model_version, shown.requests, shown.throughput) == ("7", 0, 0.0)
    assert shown.error_rate is None and shown.p95_latency_ms is None and shown.slices == []


def test_idle_versions_leave_the_window_and_stay_in_the_totals(realtime: Realtime, clock: FakeClock) -> None:
    realtime.update(IRIS, [event(clock.now_ms())])

    clock.advance(301)
    realtime.update(ServedBy("other", "1", 1), [event(clock.now_ms())])

    assert realtime.models() == [("other", "1")]
    assert realtime.totals.by_version["iris", "1"].requests == 1


def test_what_is_restored_shows_and_is_not_counted_as_served_since_the_start(
    realtime: Realtime, clock: FakeClock
) -> None:
    realtime.restore(IRIS, [event(clock.now_ms() - 60_000)])

    assert only(realtime).requests == 1
    assert not realtime.totals.by_version


def test_totals_name_a_bounded_number_of_versions_and_lose_no_request(realtime: Realtime, clock: FakeClock) -> None:
    for number in range(MAX_VERSIONS + 50):
        realtime.update(ServedBy("iris", str(number), 1), [event(clock.now_ms(), error="timeout")])

    totals = realtime.totals.by_version

    assert len(totals) == MAX_VERSIONS + 1
    assert totals[OTHER_VERSIONS].errors_by_code == {"timeout": 50}
    assert sum(one.requests for one in totals.values()) == MAX_VERSIONS + 50


@pytest.mark.parametrize("times", [1, 100], ids=["in a small batch", "in a large batch"])
def test_totals_put_each_value_into_the_bucket_whose_upper_bound_holds_it(
    realtime: Realtime, clock: FakeClock, times: int
) -> None:
    latencies_us = (0, 500, 501, 1_000, 30_000_000, 30_000_001) * times
    realtime.update(IRIS, [event(clock.now_ms(), latency_us=latency_us) for latency_us in latencies_us])

    latency = realtime.totals.by_version["iris", "1"].latency

    assert latency.counts.tolist() == [2 * times, 2 * times, *[0] * 12, times, times]
    assert latency.sum == pytest.approx(sum(latencies_us) / 1e6)
