"""Laws of streaming detectors: where a stream is cut, stored and sent does not matter."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.streaming import Adwin, Ddm, Kswin, PageHinkley

numbers = st.one_of(st.floats(-3, 3), st.floats(), st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e100, 5e-324]))
makers = st.sampled_from(
    [
        lambda: Adwin(0.5, clock=1, min_window_length=1, grace_period=0),
        lambda: Adwin(0.5, clock=3, max_buckets=1, min_window_length=1),
        lambda: PageHinkley(threshold=1.0, min_instances=3),
        lambda: Kswin(0.3, window_size=12, stat_size=4),
    ]
)


def in_parts(make: Any, stream: np.ndarray[Any, Any], cuts: list[int], travels: bool) -> tuple[Any, list[int]]:
    watched, found, start = make(), [], 0
    for end in [*sorted(cuts), len(stream)]:
        found += (watched.update_many(stream[start:end]) + start).tolist()
        start = end
        if travels:
            watched = type(watched).from_bytes(watched.to_bytes())
    return watched, found


@settings(max_examples=150, deadline=None)
@given(makers, st.lists(numbers, max_size=120), st.lists(st.integers(0, 120), max_size=4), st.booleans())
def test_a_stream_in_parts_is_the_stream(make: Any, values: list[float], cuts: list[int], travels: bool) -> None:
    stream = np.array(values, dtype=np.float64)
    cuts = [min(cut, len(stream)) for cut in cuts]
    whole = make()
    expected = whole.update_many(stream).tolist()
    watched, found = in_parts(make, stream, cuts, travels)
    assert found == expected and watched == whole
    assert whole.seen + whole.left_out == len(stream)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_errors_in_parts_are_the_errors(values: list[bool], cuts: list[int]) -> None:
    stream = np.array(values, dtype=np.bool_)
    whole = Ddm(warm_start=5)
    expected = whole.update_many(stream).tolist()
    watched, found = in_parts(lambda: Ddm(warm_start=5), stream, [min(cut, len(stream)) for cut in cuts], True)
    assert found == expected and watched == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=20, max_size=200), st.sampled_from([0.25, 8.0]))
def test_the_order_alone_matters_to_kswin(values: list[float], factor: float) -> None:
    stream = np.array(values)
    here, there = (Kswin(0.3, window_size=12, stat_size=4) for _ in range(2))
    assert here.update_many(stream).tolist() == there.update_many(np.sign(stream) * np.abs(stream)).tolist()
    assert here.p_value == there.p_value
    assert Kswin(0.3, window_size=12, stat_size=4).update_many(stream * factor).size == here.detections


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([Adwin, PageHinkley, Kswin, Ddm]), st.binary(max_size=80), st.integers(0, 200))
def test_bytes_that_were_changed_are_refused(detector: Any, junk: bytes, at: int) -> None:
    watched = detector()
    watched.update_many(np.tile([0.0, 1.0, 1.0], 40))
    data = watched.to_bytes()
    changed = data[: at % len(data)] + junk
    if changed == data:
        return
    try:
        detector.from_bytes(changed)
    except UnreadableSummary:
        return
    raise AssertionError("changed bytes were read")
