"""Which runs may hold the event loop."""

from __future__ import annotations

from edge_aiops.plugin import RunTimes

FAST_NS, SLOW_NS = 20_000, 2_000_000


def known(*durations_ns: int, elements: int = 100) -> RunTimes:
    times = RunTimes()
    for duration_ns in durations_ns:
        times.note(elements, duration_ns)
    return times


def test_a_size_that_was_never_run_is_not_short() -> None:
    assert not RunTimes().is_short(100)
    assert not known(FAST_NS).is_short(1000)


def test_sizes_between_two_powers_of_two_share_what_is_known() -> None:
    assert known(FAST_NS, elements=64).is_short(127)
    assert not known(FAST_NS, elements=64).is_short(128)


def test_one_slow_run_ends_being_short_at_once() -> None:
    assert not known(*[FAST_NS] * 1000, SLOW_NS).is_short(100)


def test_a_slow_first_run_is_forgotten_after_some_hundred_fast_ones() -> None:
    assert not known(SLOW_NS, *[FAST_NS] * 50).is_short(100)
    assert known(SLOW_NS, *[FAST_NS] * 200).is_short(100)


def test_a_run_that_is_slow_now_and_then_stays_in_a_thread() -> None:
    assert not known(*[SLOW_NS, *[FAST_NS] * 30] * 10, *[FAST_NS] * 60).is_short(100)


def test_the_empty_batch_is_a_size_too() -> None:
    assert known(FAST_NS, elements=0).is_short(0)
