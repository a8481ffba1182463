"""Tests and distances on counts: right levels at every size, no number without data, nothing hidden by smoothing."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import NDArray

from edge_aiops.stats import TestResult as Result
from edge_aiops.stats import distances
from edge_aiops.stats.distances import (
    binned_ks_test,
    binned_wasserstein_distance,
    chi_square_test,
    each_against_others,
    fisher_exact_test,
    g_test,
    jensen_shannon_distance,
    kullback_leibler_divergence,
    psi,
    psi_without_drift,
    total_variation_distance,
)

Counts = NDArray[np.int64]
Compare = Callable[[Any, Any], Result]


def on_positions(reference: Any, current: Any) -> Result:
    return binned_wasserstein_distance(reference, current, np.arange(float(len(reference))))


ANY_CELLS: list[Compare] = [
    getattr(distances, name)
    for name in distances.__all__
    if name not in ("fisher_exact_test", "psi_without_drift", "binned_wasserstein_distance", "each_against_others")
] + [on_positions]
COMPARISONS = [*ANY_CELLS, fisher_exact_test]


def counts(*values: int) -> Counts:
    return np.array(values, dtype=np.int64)


def codes(found: Result) -> list[str]:
    return [warning.code for warning in found.warnings]


def number(value: float | None) -> float:
    assert value is not None
    return value


# --- nothing without data ---


@pytest.mark.parametrize("compare", COMPARISONS)
def test_counts_that_are_all_zero_give_no_number_and_say_why(compare: Compare) -> None:
    nothing, something = counts(0, 0), counts(3, 4)
    for reference, current, warnings in [(nothing, something, 1), (something, nothing, 1), (nothing, nothing, 2)]:
        found = compare(reference, current)
        assert (found.statistic, found.p_value, found.effect_size) == (None, None, None)
        assert (found.n_reference, found.n_current) == (reference.sum(), current.sum())
        assert codes(found) == ["too_few_values"] * warnings


@pytest.mark.parametrize("compare", ANY_CELLS)
def test_no_cells_at_all_give_no_number(compare: Compare) -> None:
    found = compare(counts(), counts())
    assert (found.statistic, codes(found)) == (None, ["too_few_values"] * 2)


@pytest.mark.parametrize("compare", ANY_CELLS)
def test_one_cell_has_nothing_to_differ_in(compare: Compare) -> None:
    found = compare(counts(30), counts(7))
    assert found.statistic == 0.0
    assert found.p_value in (None, 1.0)


def test_all_values_in_one_of_several_cells_are_constant() -> None:
    for test in (chi_square_test, g_test):
        found = test(counts(0, 30, 0), counts(0, 7, 0))
        assert (found.statistic, found.p_value, codes(found)) == (0.0, 1.0, ["constant"])
    found = fisher_exact_test(counts(0, 30), counts(0, 7))
    assert (found.statistic, found.p_value, codes(found)) == (None, 1.0, ["constant"])


# --- what is no pair of counts is refused ---


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize(
    ("reference", "current", "error", "message"),
    [
        (counts(1, 2), counts(1, 2, 3), ValueError, r"current_counts must have|positions must have"),
        (counts(1, -2), counts(1, 2), ValueError, "reference_counts must not be negative, but one is -2"),
        (np.array([1.0, 2.0]), counts(1, 2), TypeError, "reference_counts must hold int64 or uint64, not float64"),
        ([1, 2], counts(1, 2), TypeError, "reference_counts must be a NumPy array, not list"),
        (counts(1, 2), np.ones((1, 2), dtype=np.int64), ValueError, "current_counts must have one dimension"),
    ],
    ids=["ragged", "negative", "float", "list", "matrix"],
)
def test_what_is_no_pair_of_counts_is_refused_by_name(
    compare: Compare, reference: Any, current: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compare(reference, current)


def test_fisher_takes_two_cells_only() -> None:
    with pytest.raises(ValueError, match="reference_counts must have two cells, but has 3; for more use chi_square"):
        fisher_exact_test(counts(1, 2, 3), counts(1, 2, 3))


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([0.0, 1.0, 2.0], "one entry for each of the 2 bins, but has 3"),
        ([0.0, math.nan], "must be finite, but one is NaN"),
        ([-math.inf, 0.0], "must be finite, but one is -inf"),
        ([1.0, 0.5], "must ascend, but 1 comes before 0.5"),
    ],
)
def test_positions_that_are_no_places_of_bins_are_refused(positions: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        binned_wasserstein_distance(counts(1, 2), counts(2, 1), np.array(positions))


# --- any counts ---


@pytest.mark.parametrize("compare", COMPARISONS)
def test_the_largest_counts_there_are_neither_overflow_nor_panic(compare: Compare) -> None:
    largest = np.array([2**64 - 1, 2**64 - 1], dtype=np.uint64)
    few = np.array([1, 0], dtype=np.uint64)
    for reference, current in [(largest, largest), (largest, few), (few, largest)]:
        found = compare(reference, current)
        assert {found.n_reference, found.n_current} <= {2**64 - 1, 1}
        assert found.statistic is None or found.statistic >= 0
        assert found.p_value is None or 0 <= found.p_value <= 1


@pytest.mark.parametrize("size", [10**9, 10**18])
def test_fisher_answers_soon_for_counts_of_any_size(size: int) -> None:
    half = round(size**0.5)
    found = fisher_exact_test(counts(size, size), counts(size - half, size + half))
    expected = st.chi2_contingency([[size, size], [size - half, size + half]], correction=False).pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-3)
    assert found.method == ("fisher, exact" if size == 10**9 else "fisher, by chi-square")


def test_nearly_equal_shares_lose_no_digits() -> None:
    """Two samples of 10^12 whose shares differ by 10^-9: sums of large terms would leave noise."""
    half, shift = 5 * 10**11, 1000
    reference, current = counts(half, half), counts(half + shift, half - shift)
    difference = shift / (2 * half)
    assert chi_square_test(reference, current).statistic == pytest.approx(4 * half * difference**2, rel=1e-6)
    assert g_test(reference, current).statistic == pytest.approx(4 * half * difference**2, rel=1e-6)
    assert psi(reference, current).statistic == pytest.approx(4 * difference**2, rel=1e-6)
    assert jensen_shannon_distance(reference, current).statistic == pytest.approx(
        difference / math.sqrt(2 * math.log(2)), rel=1e-6
    )


def test_an_infinite_odds_ratio_is_one_with_an_exact_p_value() -> None:
    found = fisher_exact_test(counts(0, 5), counts(5, 0))
    assert (found.statistic, fisher_exact_test(counts(5, 0), counts(0, 5)).statistic) == (0.0, math.inf)
    assert found.p_value == pytest.approx(2 / math.comb(10, 5))


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 30), (50, 100), (20, 2000)])
def test_with_a_bin_for_each_value_binned_ks_is_hardly_bolder_than_the_exact_test(n: int, m: int) -> None:
    random = np.random.default_rng(n + m)
    for shift in np.linspace(0.2, 1.2, 15).tolist():
        reference, current = random.normal(size=m), random.normal(loc=shift, size=n)
        places = np.argsort(np.concatenate([reference, current]))
        found = binned_ks_test((places < m).astype(np.int64), (places >= m).astype(np.int64))
        exact = st.ks_2samp(reference, current, method="exact")
        assert found.statistic == pytest.approx(exact.statistic)
        assert number(found.p_value) >= 0.9 * exact.pvalue
        assert number(found.p_value) <= 3 * exact.pvalue or exact.pvalue < 1e-6


# --- where the field goes wrong ---


def windows(shares: NDArray[np.float64], n: int, repeats: int) -> tuple[Counts, Counts]:
    random = np.random.default_rng([n, len(shares)])
    return random.multinomial(100_000, shares, size=repeats), random.multinomial(n, shares, size=repeats)


def rejections(test: Compare, shares: NDArray[np.float64], n: int, repeats: int = 2000) -> int:
    pairs = zip(*windows(shares, n, repeats), strict=True)
    p_values = [test(reference, current).p_value for reference, current in pairs]
    return sum(p is not None and p <= 0.05 for p in p_values)


SHARES = {
    "even": np.full(10, 0.1),
    "many": np.full(64, 1 / 64),
    "skewed": (1 / np.arange(1, 21)) / (1 / np.arange(1, 21)).sum(),
    "rare": np.array([0.7, 0.26] + [0.005] * 8),
    "very rare": np.array([0.7, 0.2998] + [1e-5] * 20),
}


@pytest.mark.parametrize("n", [20, 30, 100, 300, 1000, 10_000])
@pytest.mark.parametrize("shape", SHARES)
def test_without_drift_a_test_at_five_percent_rejects_in_no_more_than_six(shape: str, n: int) -> None:
    """The count of rejections may be above 6 % of 2000 by as much as chance puts it there once in 10,000 times."""
    most = st.binom.ppf(1 - 1e-4, 2000, 0.06)
    for test in (chi_square_test, g_test, binned_ks_test):
        assert rejections(test, SHARES[shape], n) <= most, test


@pytest.mark.parametrize("n", [30, 100, 1000, 10_000])
def test_chi_square_uses_up_its_level(n: int) -> None:
    """Nor is the count below 3.5 % of 2000 by more than chance allows, where the cells are even."""
    for shape in ("even", "many"):
        assert rejections(chi_square_test, SHARES[shape], n) >= st.binom.ppf(1e-4, 2000, 0.035)
    assert rejections(binned_ks_test, SHARES["many"], n) >= st.binom.ppf(1e-4, 2000, 0.02)


@pytest.mark.parametrize("n", [20, 50, 100])
def test_a_threshold_on_a_distance_alarms_without_drift_where_the_p_value_does_not(n: int) -> None:
    pairs = list(zip(*windows(SHARES["even"], n, 500), strict=True))
    assert sum(number(psi(*pair).statistic) > 0.1 for pair in pairs) > 150
    alarms = sum(number(chi_square_test(*pair).p_value) <= 0.05 for pair in pairs)
    assert alarms <= st.binom.ppf(1 - 1e-4, 500, 0.06)


@pytest.mark.parametrize(("cells", "n"), [(10, 300), (10, 3000), (30, 3000)])
def test_psi_without_drift_is_what_it_is_expected_to_be(cells: int, n: int) -> None:
    found = [number(psi(*pair).statistic) for pair in zip(*windows(np.full(cells, 1 / cells), n, 1000), strict=True)]
    assert np.mean(found) == pytest.approx(psi_without_drift(cells, 100_000, n), rel=0.05)
    assert psi_without_drift(1, 10, 10) == 0.0
    assert psi_without_drift(5, 0, 10) == math.inf


def test_no_constant_in_place_of_a_zero_decides_psi() -> None:
    """One empty cell of ten: with zero-fill constants from 1e-2 to 1e-10 the index of the same data differs tenfold."""
    reference, current = np.full(10, 1000), np.array([12, 11, 10, 9, 11, 10, 12, 13, 12, 0])

    def filled(constant: float) -> float:
        p, q = reference / reference.sum(), np.maximum(current / current.sum(), constant)
        return float(((p - q) * np.log(p / q)).sum())

    assert filled(1e-10) > 9 * filled(1e-2)
    p, q = (reference + 0.5) / 10_005, (current + 0.5) / 105
    assert psi(reference, current).statistic == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-12)


def test_a_cell_that_both_sides_lack_changes_next_to_nothing() -> None:
    reference, current = np.full(10, 1000), np.arange(5, 15)
    with_empty = [np.append(side, 0) for side in (reference, current)]
    assert psi(*with_empty).statistic == pytest.approx(number(psi(reference, current).statistic), abs=0.025)
    for compare in (chi_square_test, g_test, total_variation_distance, binned_ks_test):
        assert compare(*with_empty) == compare(reference, current)


def test_one_outlier_of_a_million_leaves_psi_unmoved() -> None:
    random = np.random.default_rng(1)
    before, now = random.normal(size=10_000), random.normal(loc=1, size=1000)
    edges = np.quantile(before, np.linspace(0.1, 0.9, 9))

    def binned(values: NDArray[np.float64]) -> Counts:
        return np.bincount(np.searchsorted(edges, values), minlength=10)

    without = number(psi(binned(before), binned(now)).statistic)
    with_outlier = number(psi(binned(before), binned(np.append(now, 1e6))).statistic)
    assert without > 0.8
    assert with_outlier == pytest.approx(without, rel=0.01)


@pytest.mark.parametrize("n_reference", [1000, 100_000, 10**9])
def test_a_category_that_the_reference_does_not_have_is_found(n_reference: int) -> None:
    unseen = counts(n_reference * 6 // 10, n_reference * 4 // 10, 0), counts(55, 35, 10)
    for test in (chi_square_test, g_test):
        assert number(test(*unseen).p_value) < 1e-6
    assert codes(chi_square_test(*unseen)) == ["rare_cell"]
    assert math.isfinite(number(kullback_leibler_divergence(*unseen).statistic))
    assert total_variation_distance(*unseen).statistic == pytest.approx(0.1)
    assert number(psi(*unseen).statistic) > 0.5


# --- pooling, in the open ---


def test_cells_in_which_too_few_are_expected_are_pooled_in_order_and_reported() -> None:
    reference, current = counts(40, 3, 30, 2, 1, 2, 4), counts(38, 2, 35, 4, 2, 1, 1)
    found = chi_square_test(reference, current)
    [warning] = found.warnings
    assert (warning.code, warning.message[:7]) == ("pooled_cells", "5 cells")
    by_hand = st.chi2_contingency([[40, 30, 5, 7], [38, 35, 6, 4]], correction=False)
    assert found.statistic == pytest.approx(by_hand.statistic)
    assert found.p_value == pytest.approx(by_hand.pvalue)


def test_a_rest_is_tested_exactly_beside_the_others() -> None:
    reference, current = counts(500, 300, 0), counts(40, 60, 3)
    others = st.chi2_contingency([[500, 300], [40, 60]], correction=False).pvalue
    rest = st.fisher_exact([[0, 800], [3, 100]]).pvalue
    assert chi_square_test(reference, current).p_value == pytest.approx(2 * min(others, rest), rel=1e-9)


def test_samples_too_small_for_two_cells_give_no_number() -> None:
    for test in (chi_square_test, g_test):
        found = test(counts(3, 2, 1), counts(0, 2, 3))
        assert (found.statistic, found.p_value, found.effect_size) == (None, None, None)
        assert codes(found) == ["pooled_cells", "one_cell_left"]


# --- Wasserstein ---


def test_a_shift_by_one_position_is_as_far_as_the_positions_are_apart() -> None:
    found = binned_wasserstein_distance(counts(10, 10, 0), counts(0, 10, 10), np.array([0.0, 2.5, 5.0]))
    assert found.statistic == pytest.approx(2.5)
    assert found.effect_size == pytest.approx(2.5 / 1.25)


def test_a_reference_without_deviation_leaves_the_distance_but_no_effect() -> None:
    found = binned_wasserstein_distance(counts(10, 0), counts(0, 10), np.array([1.0, 4.0]))
    assert (found.statistic, found.effect_size, codes(found)) == (3.0, None, ["constant_reference"])


@pytest.mark.parametrize("unit", [1e-310, 1e-200, 1.0, 1e200, 1e307])
def test_the_unit_of_the_positions_scales_the_distance_and_not_the_effect(unit: float) -> None:
    found = binned_wasserstein_distance(counts(10, 10, 0), counts(0, 10, 10), np.array([-1.0, 0.0, 1.0]) * unit)
    assert found.statistic == pytest.approx(unit, rel=1e-9)
    assert found.effect_size == pytest.approx(2.0, rel=1e-9)


def test_every_function_is_documented() -> None:
    assert [name for name in distances.__all__ if not getattr(distances, name).__doc__] == []


def test_psi_is_finite_and_exact_where_a_share_is_next_to_nothing() -> None:
    rare = distances.psi(counts(10**15, 0), counts(1, 1)).statistic
    p, q = [(10**15 + 0.5) / (10**15 + 1), 0.5 / (10**15 + 1)], [0.5, 0.5]
    assert rare == pytest.approx(sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True)), rel=1e-12)
    assert math.isfinite(distances.psi(counts(2**62, 0), counts(1, 1)).statistic or math.inf)


NAMED = {
    "chi_square": chi_square_test,
    "g": g_test,
    "psi": psi,
    "jensen_shannon": jensen_shannon_distance,
    "kullback_leibler": kullback_leibler_divergence,
    "hellinger": distances.hellinger_distance,
    "total_variation": total_variation_distance,
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_each_sample_is_compared_with_the_sum_of_the_others(name: Any, kind: Any) -> None:
    counts = np.random.default_rng(1).poisson([[3, 50, 8, 0]] * 6).astype(kind)
    counts[2] = 0
    p_values, effects = each_against_others(counts, name)
    by_hand = [NAMED[name](counts.sum(axis=0) - own, own) for own in counts]
    assert [None if np.isnan(p) else p for p in p_values] == [result.p_value for result in by_hand]
    assert [None if np.isnan(size) else size for size in effects] == [result.effect_size for result in by_hand]


def test_each_of_many_rates_is_tested_exactly_against_that_of_the_others() -> None:
    counts = np.array([[90, 10], [95, 5], [180, 20]])
    p_values, ratios = each_against_others(counts[:, ::-1].copy()[:, ::-1], "fisher")
    by_hand = [fisher_exact_test(counts.sum(axis=0) - own, own) for own in counts]
    assert p_values.tolist() == [result.p_value for result in by_hand]
    assert ratios.tolist() == [result.effect_size for result in by_hand]


def test_a_sample_alone_has_no_others() -> None:
    p_values, effects = each_against_others(np.array([[3, 4]]))
    assert np.isnan(p_values).all() and np.isnan(effects).all()
    assert [len(found) for found in each_against_others(np.empty((0, 3), np.int64))] == [0, 0]


@pytest.mark.parametrize(
    ("counts", "comparison", "refusal"),
    [
        (np.array([3, 4]), "chi_square", "two dimensions"),
        (np.array([[3, -4]]), "chi_square", "must not be negative"),
        (np.empty((2, 0), np.int64), "chi_square", "whole samples of 0 cells"),
        (np.array([[3, 4, 5]]), "fisher", "must have two cells"),
        (np.array([[3, 4]]), "wasserstein", "must be one of chi_square, g, fisher, psi"),
    ],
)
def test_samples_that_cannot_be_compared_are_refused(counts: Any, comparison: Any, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        each_against_others(counts, comparison)
