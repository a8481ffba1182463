"""The laws of tests and distances of two arrays, for any values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_aiops.stats import TestResult as Result
from edge_aiops.stats.drift import (
    SortedReference,
    anderson_darling_test,
    cramer_von_mises_test,
    energy_distance,
    ks_test,
    mann_whitney_test,
    wasserstein_distance,
)

Column = NDArray[np.float64]
Compare = Callable[..., Result]

TESTS: list[Compare] = [ks_test, cramer_von_mises_test, mann_whitney_test, anderson_darling_test]
DISTANCES: list[Compare] = [wasserstein_distance, energy_distance]
OF_TWO = [*DISTANCES, *TESTS[:3]]

any_number = st.floats(allow_nan=True, allow_infinity=True)
few_numbers = st.sampled_from([-np.inf, -1.5, -0.0, 0.0, 5e-324, 1.0, 2.0, 1e300, np.inf, np.nan])
whole_numbers = st.integers(-50, 50).map(float)


def columns(elements: st.SearchStrategy[float], least: int = 0) -> st.SearchStrategy[Column]:
    return arrays(np.float64, st.integers(least, 60), elements=elements)


anything = st.one_of(columns(any_number), columns(few_numbers), columns(whole_numbers))
samples = columns(whole_numbers, least=2)


@st.composite
def large_samples(draw: st.DrawFn) -> Column:
    """More values than are copied, or than a block of the reference has, in clusters, with ties, far out."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = random.standard_cauchy(size=draw(st.sampled_from([500, 3000, 20_000])))
    rounded = np.round(values, draw(st.sampled_from([0, 1, 12])))
    return rounded * 10.0 ** draw(st.integers(-3, 3)) + draw(st.sampled_from([0.0, 0.5, 1e9]))


@pytest.mark.parametrize("compare", OF_TWO + TESTS[3:])
@settings(max_examples=60)
@given(reference=anything, current=anything)
def test_whatever_comes_is_answered_or_said_to_be_too_little(
    compare: Compare, reference: Column, current: Column
) -> None:
    found = compare(reference, current)
    n, m = (int(np.count_nonzero(~np.isnan(sample))) for sample in (reference, current))
    assert (found.n_reference, found.n_current) == (n, m)
    if found.statistic is None:
        assert (found.p_value, found.effect_size) == (None, None)
        assert any(warning.code == "too_few_values" for warning in found.warnings)
        assert min(n, m) < 2 or n + m < 4
    else:
        assert not np.isnan(found.statistic)
        assert found.p_value is None or 0 <= found.p_value <= 1
        assert found.effect_size is None or np.isfinite(found.effect_size)


@settings(max_examples=60)
@given(reference=large_samples(), current=large_samples())
def test_d_of_large_samples_is_that_of_sorting(reference: Column, current: Column) -> None:
    places = np.unique(np.concatenate([reference, current]))
    shares = [np.searchsorted(np.sort(it), places, side="right") / len(it) for it in (reference, current)]
    expected = np.abs(shares[0] - shares[1]).max()
    assert ks_test(SortedReference(reference), current).statistic == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("compare", OF_TWO)
@settings(max_examples=40)
@given(reference=anything, current=anything)
def test_preparing_and_order_change_nothing(compare: Compare, reference: Column, current: Column) -> None:
    found = compare(reference, current)
    assert compare(SortedReference(reference), current) == found
    shuffled = compare(reference[::-1], np.sort(current))
    assert (shuffled.statistic, shuffled.p_value) == (found.statistic, found.p_value)


@pytest.mark.parametrize("compare", TESTS)
@settings(max_examples=40)
@given(reference=samples, current=samples)
def test_tests_see_only_the_order_of_values(compare: Compare, reference: Column, current: Column) -> None:
    found = compare(reference, current)
    assert compare(reference**3 / 7, current**3 / 7) == found


@pytest.mark.parametrize("compare", [*TESTS, *DISTANCES])
@settings(max_examples=40)
@given(reference=samples, current=samples)
def test_who_is_the_reference_does_not_matter(compare: Compare, reference: Column, current: Column) -> None:
    found, swapped = compare(reference, current), compare(current, reference)
    assert approximately(found.p_value, swapped.p_value)
    if compare is not mann_whitney_test:
        assert approximately(found.statistic, swapped.statistic)
    else:
        assert found.statistic is not None and swapped.statistic is not None
        assert found.statistic + swapped.statistic == len(reference) * len(current)


@settings(max_examples=60)
@given(reference=samples, current=samples, other=samples)
def test_distances_are_metrics(reference: Column, current: Column, other: Column) -> None:
    for compare in (*DISTANCES, ks_test):
        assert compare(reference, np.repeat(reference, 3)).statistic == pytest.approx(0, abs=1e-12)
        direct, around = (
            value(compare(reference, current)),
            (value(compare(reference, other)) + value(compare(other, current))),
        )
        assert direct <= around * (1 + 1e-12) + 1e-12


@settings(max_examples=60)
@given(reference=samples, current=samples, factor=st.floats(1e-3, 1e3), offset=st.floats(-10, 10))
def test_distances_have_the_unit_that_they_say(
    reference: Column, current: Column, factor: float, offset: float
) -> None:
    moved = reference * factor + offset, current * factor + offset
    wide, root = value(wasserstein_distance(*moved)), value(energy_distance(*moved))
    assert wide == pytest.approx(value(wasserstein_distance(reference, current)) * factor, rel=1e-9, abs=1e-12)
    assert root**2 == pytest.approx(value(energy_distance(reference, current)) ** 2 * factor, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(sizes=st.tuples(st.integers(1, 60), st.integers(1, 60)), far=st.integers(0, 60))
def test_the_farther_the_less_probable(sizes: tuple[int, int], far: int) -> None:
    reference, current = np.arange(float(sizes[0])), np.arange(float(sizes[1]))
    near, farther = ks_test(reference, current + far), ks_test(reference, current + far + 1)
    if value(farther) >= value(near):
        assert farther.p_value is not None and near.p_value is not None
        assert farther.p_value <= near.p_value


def value(found: Result) -> float:
    assert found.statistic is not None
    return found.statistic


def approximately(left: Any, right: Any) -> bool:
    return bool(left is right or left == pytest.approx(right, rel=1e-10, abs=1e-13))
