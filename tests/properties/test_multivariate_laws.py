"""Laws of multivariate comparisons: what must not matter does not."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edge_aiops.stats.multivariate import MmdReference, PcaReference, cosine_shift_test

Table = NDArray[np.float64]
few = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32)


def rows(seed: int, n: int, features: int = 3) -> Table:
    return np.random.default_rng(seed).normal(size=(n, features)) @ np.diag(np.arange(1.0, features + 1))


def rotation(seed: int, features: int = 3) -> Table:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(features, features)))[0]


@few
@given(seeds, seeds)
def test_a_rotation_changes_the_discrepancy_within_the_error_of_its_frequencies(one: int, other: int) -> None:
    reference, current, turned = rows(one, 100), rows(other, 50) + 1, rotation(one)
    plain, rotated = (
        MmdReference.fit(x, bandwidth=3.0, standardise=False, frequencies=128).test(y)
        for x, y in ((reference, current), (reference @ turned, current @ turned))
    )
    assert rotated.statistic == pytest.approx(plain.statistic, abs=4 / np.sqrt(128))


@few
@given(seeds, seeds)
def test_a_rotation_changes_no_mean_direction_distance(one: int, other: int) -> None:
    reference, current, turned = rows(one, 20), rows(other, 10), rotation(other)
    plain = cosine_shift_test(reference, current, permutations=49)
    rotated = cosine_shift_test(reference @ turned, current @ turned, permutations=49)
    assert rotated.statistic == pytest.approx(plain.statistic, rel=1e-6, abs=1e-12)


@few
@given(seeds, seeds)
def test_the_order_of_current_rows_does_not_matter(one: int, other: int) -> None:
    reference, current = rows(one, 60), rows(other, 30)
    shuffled = current[np.random.default_rng(one).permutation(30)]
    for prepared in (PcaReference.fit(reference), MmdReference.fit(reference, frequencies=16)):
        plain, mixed = prepared.test(current), prepared.test(shuffled)
        assert mixed.statistic == pytest.approx(plain.statistic, rel=1e-9)
        assert mixed.p_value == pytest.approx(plain.p_value, rel=1e-6)


@few
@given(seeds, st.integers(1, 40))
def test_a_row_has_the_same_error_in_any_company(seed: int, cut: int) -> None:
    prepared, current = PcaReference.fit(rows(seed, 50)), rows(seed + 1, 41)
    parts = np.concatenate([prepared.errors(current[:cut]), prepared.errors(current[cut:])])
    assert parts == pytest.approx(prepared.errors(current), rel=1e-9, abs=1e-12)


@few
@given(seeds)
def test_lengths_of_vectors_do_not_matter_to_their_directions(seed: int) -> None:
    reference, current = rows(seed, 20), rows(seed + 1, 10)
    lengths = np.exp(np.random.default_rng(seed).uniform(-200, 200, size=(10, 1)))
    plain = cosine_shift_test(reference, current, permutations=49)
    stretched = cosine_shift_test(reference, current * lengths, permutations=49)
    assert stretched.statistic == pytest.approx(plain.statistic, rel=1e-9, abs=1e-12)
    assert stretched.p_value == plain.p_value


anything: Any = arrays.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.floats(width=64))


@settings(max_examples=200, deadline=None)
@given(anything, anything)
def test_any_tables_give_a_probability_or_none_and_never_a_silent_number(reference: Table, current: Table) -> None:
    found = [cosine_shift_test(reference, current, permutations=9)]
    for fit in (PcaReference.fit, lambda table: MmdReference.fit(table, frequencies=4)):
        try:
            prepared = fit(reference)
        except ValueError as refusal:
            assert "rows with a usable value" in str(refusal)
            continue
        assert type(prepared).from_bytes(prepared.to_bytes()) == prepared
        found.append(prepared.test(current))
    for result in found:
        if result.p_value is None:
            assert result.warnings and result.statistic is None and result.effect_size is None
        else:
            assert 0 <= result.p_value <= 1
            assert np.isfinite([result.statistic, result.effect_size]).all()
