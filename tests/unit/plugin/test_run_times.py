"""Which runs may hold the event loop."""

from __future__ import annotations

from edge_aiops.plugin import RunTimes

FAST_NS, SLOW_NS = 20_000, 2_000_000


WARM_UP_NS = 50_000_000


def known(*durations_ns: int, elements: int = 100) -> RunTimes:
    """What is known after runs that took so long, and one before them that warmed the model up."""
    times = RunTimes()
    for duration_ns in (WARM_UP_NS, *durations_ns):
        times.note(elements, duration_ns)
    return times


def test_a_size_that_was_never_run_is_not_short() -> None:
    assert not RunTimes().is_short(100)
    assert not known(FAST_NS).is_short(1000)


def test_the_first_run_says_nothing() -> None:
    times = RunTimes()
    times.note(100, FAST_NS)
    assert not times.is_short(100)
    assert known(FAST_NS).is_short(100)


def test_sizes_between_two_powers_of_two_share_what_is_known() -> None:
    assert known(FAST_NS, elements=64).is_short(127)
    assert not known(FAST_NS, elements=64).is_short(128)


def test_one_run_of_many_that_is_slow_changes_nothing() -> None:
    assert known(*[FAST_NS] * 50, SLOW_NS, FAST_NS).is_short(100)


def test_a_slow_second_run_is_outweighed_by_twenty_fast_ones() -> None:
    assert not known(SLOW_NS, *[FAST_NS] * 5).is_short(100)
    assert known(SLOW_NS, *[FAST_NS] * 20).is_short(100)


def test_a_run_that_would_hold_the_loop_for_long_ends_being_short_at_once() -> None:
    assert not known(*[FAST_NS] * 1000, 10 * SLOW_NS).is_short(100)


def test_a_model_that_becomes_slow_ends_being_short_soon() -> None:
    assert not known(*[FAST_NS] * 1000, *[SLOW_NS] * 6).is_short(100)


def test_a_model_that_becomes_fast_is_short_after_some_hundred_runs() -> None:
    assert not known(*[SLOW_NS] * 10, *[FAST_NS] * 50).is_short(100)
    assert known(*[SLOW_NS] * 10, *[FAST_NS] * 200).is_short(100)


def test_a_model_that_is_slow_every_fifth_time_stays_in_a_thread() -> None:
    assert not known(*[SLOW_NS, *[FAST_NS] * 4] * 40).is_short(100)


def test_the_empty_batch_is_a_size_too() -> None:
    assert known(FAST_NS, elements=0).is_short(0)
