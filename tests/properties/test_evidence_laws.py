"""The laws of evidence, for any counts and values: order, splitting, merging, encoding, and what an e-value is."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.evidence import BoundedMeanSequence, DriftEvidence, MeanSequence, RateSequence

modest = settings(max_examples=50, deadline=None)

counts_of_bins = st.integers(2, 6).flatmap(
    lambda bins: st.lists(st.lists(st.integers(0, 10**6), min_size=bins, max_size=bins), min_size=2, max_size=10)
)
some_horizons = st.lists(st.none() | st.integers(1, 5), min_size=1, max_size=3, unique=True)
outcomes = st.lists(st.booleans(), max_size=30)
kinds: list[Any] = [DriftEvidence, MeanSequence, RateSequence, BoundedMeanSequence]
between = st.lists(st.floats(0, 1), max_size=30)


def updated(evidence: DriftEvidence, windows: list[list[int]]) -> DriftEvidence:
    for window in windows:
        evidence = evidence.update(np.array(window))
    return evidence


@modest
@given(rows=counts_of_bins, horizons=some_horizons, cut=st.integers(0, 9))
def test_evidence_continues_from_its_bytes_bit_for_bit(rows: Any, horizons: Any, cut: int) -> None:
    reference, *windows = rows
    start = DriftEvidence(np.array(reference), horizons=horizons)
    stopped = updated(start, windows[:cut])
    resumed = DriftEvidence.from_bytes(stopped.to_bytes())
    assert resumed == stopped
    assert updated(resumed, windows[cut:]).to_bytes() == updated(start, windows).to_bytes()


@modest
@given(rows=counts_of_bins, horizons=some_horizons, random=st.randoms())
def test_the_order_of_windows_within_an_epoch_does_not_matter(rows: Any, horizons: Any, random: Any) -> None:
    reference, *windows = rows
    starts = {0, len(windows), *(at for of in horizons if of for at in range(0, len(windows), of))}
    epochs = [windows[first:last] for first, last in itertools.pairwise(sorted(starts))]
    shuffled = [window for epoch in epochs for window in random.sample(epoch, len(epoch))]
    start = DriftEvidence(np.array(reference), horizons=horizons)
    assert updated(start, shuffled).log_e == pytest.approx(updated(start, windows).log_e, rel=1e-9, abs=1e-8)


@modest
@given(rows=counts_of_bins)
def test_bins_in_another_order_carry_the_same_evidence(rows: Any) -> None:
    reference, *windows = rows
    found = updated(DriftEvidence(np.array(reference)), windows).log_e
    mirrored = updated(DriftEvidence(np.array(reference[::-1])), [window[::-1] for window in windows]).log_e
    assert found == pytest.approx(mirrored, rel=1e-9, abs=1e-8)


@modest
@given(rows=counts_of_bins.filter(lambda rows: len(rows) > 3))
def test_merging_is_associative_and_commutative_and_has_an_identity(rows: Any) -> None:
    reference, *windows = rows
    empty = DriftEvidence(np.array(reference), horizons=[None])
    a, b, c = (updated(empty, windows[part::3]) for part in range(3))
    assert (a + b) + c == a + (b + c) == (c + b) + a
    assert (a + b + c).log_e == updated(empty, windows).log_e
    assert (empty + a).log_e == a.log_e
    assert sum([a, b, c], empty) == a + b + c


@modest
@given(
    reference=st.lists(st.integers(0, 5), min_size=2, max_size=4),
    length=st.integers(1, 2),
    concentration=st.floats(0.01, 100),
)
def test_its_mean_over_the_predictive_null_is_one(reference: list[int], length: int, concentration: float) -> None:
    """Every sequence of four events, one a window, weighted with its predictive probability given the reference."""
    start = DriftEvidence(np.array(reference), concentrations=[concentration], horizons=[None, length])
    mean = 0.0
    for events in itertools.product(range(len(reference)), repeat=4):
        weights, probability, evidence = np.array(reference) + 0.5, 1.0, start
        for event in events:
            probability *= weights[event] / weights.sum()
            weights[event] += 1
            evidence = evidence.update(np.eye(len(reference), dtype=np.int64)[event])
        mean += probability * evidence.e_value
    assert mean == pytest.approx(1, rel=1e-9)


@modest
@given(rows=counts_of_bins, horizons=some_horizons)
def test_the_peak_is_the_largest_evidence_of_all_windows(rows: Any, horizons: Any) -> None:
    reference, *windows = rows
    evidence = DriftEvidence(np.array(reference), horizons=horizons)
    path = [evidence := evidence.update(np.array(window)) for window in windows]
    assert path[-1].peak_log_e == max(0.0, *(it.log_e for it in path))
    assert path[-1].anytime_p_value == pytest.approx(min(1.0, *(math.exp(-it.log_e) for it in path)))


@modest
@given(a=outcomes, b=outcomes, null=st.floats(0.001, 0.999))
def test_a_rate_is_the_same_in_parts_and_its_interval_is_what_is_not_refuted(
    a: list[bool], b: list[bool], null: float
) -> None:
    first, second = (RateSequence(tightest_at=20).update(np.array(part, dtype=np.bool_)) for part in (a, b))
    whole = RateSequence(tightest_at=20).update(np.array(a + b, dtype=np.bool_))
    assert first + second == second + first == whole
    lower, upper = whole.interval(alpha=0.1)
    assert 0 <= lower <= (whole.rate or lower) <= upper <= 1
    refuted = whole.e_value(null) >= 10
    assert refuted == (not lower < null < upper)


@modest
@given(a=between, b=between, null=st.floats(0, 1))
def test_betting_is_the_same_in_parts_and_its_interval_excludes_only_what_is_refuted(
    a: list[float], b: list[float], null: float
) -> None:
    empty = BoundedMeanSequence(steps=16)
    in_parts = empty.update(np.array(a)).update(np.array(b))
    assert in_parts.to_bytes() == empty.update(np.array(a + b)).to_bytes()
    lower, upper = in_parts.interval(alpha=0.2)
    if not lower <= null <= upper:
        assert in_parts.e_value(null) >= 5 * (1 - 1e-9)
    first, second = empty.update(np.array(a)), empty.update(np.array(b))
    both = first + second
    assert (both.n, both.to_bytes()) == (len(a) + len(b), (second + first).to_bytes())
    assert (empty + first).to_bytes() == first.to_bytes()


@modest
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), alpha=st.floats(1e-6, 0.99))
def test_a_smaller_alpha_gives_a_wider_interval(values: list[float], alpha: float) -> None:
    array = np.array(values)
    sequences: list[Any] = [
        MeanSequence(deviation=10.0).update(array),
        RateSequence().update(array > 0),
        BoundedMeanSequence(lower=-1e6, upper=1e6, steps=8).update(array),
    ]
    for sequence in sequences:
        (low, high), (lower, higher) = sequence.interval(alpha=alpha), sequence.interval(alpha=alpha / 2)
        assert lower <= low and high <= higher


@modest
@given(
    data=st.binary(max_size=60), kind=st.sampled_from([DriftEvidence, MeanSequence, RateSequence, BoundedMeanSequence])
)
def test_no_bytes_do_harm(data: bytes, kind: Any) -> None:
    for attempt in (data, kind.__name__.encode() + data, b"ES" + data):
        with pytest.raises(UnreadableSummary):
            kind.from_bytes(attempt)
