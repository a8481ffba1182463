"""Tests and distances of two arrays: right beside NumPy, silent where nothing can be said, clear in refusing."""

import math
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops._stats import kolmogorov_upper
from edge_aiops.stats import TestResult as Result
from edge_aiops.stats import drift
from edge_aiops.stats.drift import (
    SortedReference,
    anderson_darling_test,
    cramer_von_mises_test,
    energy_distance,
    ks_test,
    mann_whitney_test,
    wasserstein_distance,
)

LARGEST = sys.float_info.max
DENORMAL = 5e-324
INF = math.inf

Compare = Callable[..., Result]
OF_TWO: list[Compare] = [ks_test, wasserstein_distance, energy_distance, cramer_von_mises_test, mann_whitney_test]
ALL: list[Compare] = [*OF_TWO, anderson_darling_test]
WITH_P: list[Compare] = [ks_test, cramer_von_mises_test, mann_whitney_test, anderson_darling_test]


def array(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def codes(found: Result) -> list[str]:
    return [warning.code for warning in found.warnings]


def greatest_distance(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """D by NumPy, after all equal values of both samples."""
    reference, current = np.sort(reference), np.sort(current)
    places = np.unique(np.concatenate([reference, current]))
    shares = [np.searchsorted(sample, places, side="right") / len(sample) for sample in (reference, current)]
    return float(np.abs(shares[0] - shares[1]).max())


SHAPES: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda random, n: random.normal(size=n),
    "heavy": lambda random, n: random.standard_cauchy(size=n),
    "discrete": lambda random, n: random.poisson(3.0, size=n).astype(np.float64),
    "two values": lambda random, n: random.integers(0, 2, size=n).astype(np.float64),
    "clusters": lambda random, n: random.choice([0.0, 1e-300, 1e9], size=n) + random.normal(size=n),
    "infinite": lambda random, n: 1.0 / np.round(random.normal(size=n), 1).clip(0.0),
    "scales": lambda random, n: np.exp(random.normal(0.0, 50.0, size=n)) * random.choice([-1.0, 1.0], size=n),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "sizes", [(1, 1), (3, 50), (50, 3), (1000, 999), (40_000, 300), (300, 40_000), (70_000, 90_000)]
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_d_is_that_of_sorting_whatever_the_shape(shape: str, sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(sizes)
    reference, same = (SHAPES[shape](random, n) for n in sizes)
    for current in (same, same * 1.1, same + 0.5, np.full(sizes[1], 0.25), np.full(sizes[1], reference[0])):
        expected = greatest_distance(reference, current)
        assert ks_test(reference, current).statistic == pytest.approx(expected, rel=1e-12, abs=1e-15)
        assert ks_test(SortedReference(reference), current) == ks_test(reference, current)


def test_d_is_taken_after_all_equal_values_of_both_samples() -> None:
    found = ks_test(array(1, 1, 2, 2), array(1, 1, 2, 2))
    assert (found.statistic, found.p_value, codes(found)) == (0.0, 1.0, ["ties"])
    assert ks_test(array(1, 2, 2, 3), array(2, 2, 2, 4)).statistic == 0.25


def test_complete_separation_never_has_probability_zero() -> None:
    reference, current = np.arange(55.0), np.arange(55.0) + 100
    found = ks_test(reference, current)
    assert found.p_value == pytest.approx(2 / math.comb(110, 55), rel=1e-12)
    approximate = ks_test(reference, current, method="asymptotic").p_value
    assert approximate is not None and approximate > 0
    assert ks_test(np.arange(40.0), np.arange(64.0) + 50).p_value == pytest.approx(2 / math.comb(104, 40), rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "method"),
    [
        ((300, 300), "exact"),
        ((100_000, 100_000), "exact"),
        ((400, 2000), "exact"),
        ((20_000, 30_000), "asymptotic"),
        ((30, 100_000), "exact"),
    ],
)
def test_the_p_value_is_exact_where_that_is_quick(sizes: tuple[int, int], method: str) -> None:
    random = np.random.default_rng(1)
    found = ks_test(random.normal(size=sizes[0]), random.normal(size=sizes[1]))
    assert found.method == f"kolmogorov-smirnov, {method}"


@pytest.mark.parametrize(
    "sizes", [(18_000, 18_001), (18_000, 18_002), (20_000, 17_000), (10_000, 100_000), (30_000, 14_000), (9900, 99_001)]
)
def test_the_approximation_is_within_a_thousandth_from_an_effective_size_of_9000(sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(sizes)
    reference, base = random.normal(size=sizes[0]), random.normal(size=sizes[1])
    for shift in (0.0, 0.012, 0.02, 0.03, 0.04):
        exact = ks_test(reference, base + shift, method="exact").p_value
        approximate = ks_test(reference, base + shift, method="asymptotic").p_value
        assert exact is not None and approximate is not None
        assert approximate == pytest.approx(exact, rel=1e-3) or exact < 1e-6


def test_the_method_is_obeyed_and_named() -> None:
    random = np.random.default_rng(5)
    reference, current = random.normal(size=90), random.normal(size=70)
    exact, asymptotic = (ks_test(reference, current, method=method) for method in ("exact", "asymptotic"))
    assert (exact.method, codes(exact)) == ("kolmogorov-smirnov, exact", [])
    assert (asymptotic.method, codes(asymptotic)) == ("kolmogorov-smirnov, asymptotic", ["small_sample"])
    assert exact.p_value != asymptotic.p_value
    assert exact.p_value == pytest.approx(asymptotic.p_value, rel=0.01)


def test_what_would_take_for_ever_is_refused() -> None:
    reference, current = np.arange(300_000.0), np.arange(299_999.0) + 1e6
    with pytest.raises(ValueError, match=r'method "exact" would take 2e\+?11 operations .* use "auto"'):
        ks_test(reference, current, method="exact")
    with pytest.raises(ValueError, match='method must be "auto", "exact" or "asymptotic", not "fast"'):
        ks_test(reference, current, method="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("compare", ALL)
@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_without_values_there_is_no_number(compare: Compare, n: int, m: int) -> None:
    found = compare(np.ones(n), np.full(m, np.nan) if m else np.ones(0))
    assert (found.statistic, found.p_value, found.effect_size) == (None, None, None)
    assert found.n_current == 0
    assert "too_few_values" in codes(found)
    assert ("left_out" in codes(found)) == (m > 0)


@pytest.mark.parametrize("compare", ALL)
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (2, 1), (2, 2), (1, 1000), (2, 1000)])
def test_one_or_two_values_are_answered(compare: Compare, n: int, m: int) -> None:
    found = compare(np.arange(float(n)), np.arange(float(m)) + 0.5)
    assert (found.n_reference, found.n_current) == (n, m)
    if found.statistic is None:
        assert codes(found) != []
    else:
        assert math.isfinite(found.statistic)
        assert found.p_value is None or 0 < found.p_value <= 1


@pytest.mark.parametrize("compare", ALL)
def test_constants_that_are_equal_do_not_differ(compare: Compare) -> None:
    found = compare(np.full(40, 3.0), np.full(70, 3.0))
    assert found.p_value in (None, 1.0)
    assert found.effect_size in (None, 0.0)
    assert codes(found) != [] or compare is energy_distance


@pytest.mark.parametrize("compare", WITH_P)
def test_constants_that_differ_differ(compare: Compare) -> None:
    found = compare(np.full(40, 3.0), np.full(70, 4.0))
    assert found.p_value is not None and found.p_value < 1e-12


@pytest.mark.parametrize("compare", ALL)
def test_negative_zero_is_zero(compare: Compare) -> None:
    zeros = np.zeros(30)
    assert compare(np.append(zeros, 1.0), np.append(-zeros, 1.0)) == compare(
        np.append(zeros, 1.0), np.append(zeros, 1.0)
    )


@pytest.mark.parametrize("compare", ALL)
def test_single_precision_compares_as_double(compare: Compare) -> None:
    random = np.random.default_rng(2)
    single, double = random.normal(size=200).astype(np.float32), random.normal(size=300)
    assert compare(single, double) == compare(single.astype(np.float64), double)
    tenths = np.arange(30) / 10
    assert ks_test(tenths, tenths.astype(np.float32)).statistic != 0


@pytest.mark.parametrize("compare", ALL)
def test_integers_and_booleans_are_numbers(compare: Compare) -> None:
    random = np.random.default_rng(3)
    counts, flags = random.integers(0, 3, size=60), random.random(80) < 0.4
    assert compare(counts, flags) == compare(counts.astype(np.float64), flags.astype(np.float64))


@pytest.mark.parametrize("compare", WITH_P)
def test_infinities_are_values_like_others(compare: Compare) -> None:
    random = np.random.default_rng(4)
    reference, current = random.normal(size=60), random.normal(size=50)
    reference[:5], current[:9] = INF, INF
    reference[5:8] = -INF
    finite = [np.clip(sample, -1e300, 1e300) for sample in (reference, current)]
    assert compare(reference, current) == compare(*finite)


@pytest.mark.parametrize("compare", [wasserstein_distance, energy_distance])
def test_infinities_of_one_side_are_infinitely_far_and_said_to_be(compare: Compare) -> None:
    random = np.random.default_rng(5)
    reference, current = random.normal(size=60), random.normal(size=60)
    finite = compare(reference[1:], current[1:])
    one_sided = compare(reference, np.append(current[1:], INF))
    assert (one_sided.statistic, one_sided.effect_size) == (INF, None)
    assert "infinite_distance" in codes(one_sided)
    both = compare(np.append(reference[1:], -INF), np.append(current[1:], -INF))
    assert both.statistic is not None and math.isfinite(both.statistic)
    scaled = (59 / 60) ** (1 if compare is wasserstein_distance else 1.0)
    assert finite.statistic is not None
    assert both.statistic == pytest.approx(finite.statistic * scaled, rel=1e-12)


def test_the_largest_numbers_are_not_too_far_apart() -> None:
    found = wasserstein_distance(array(-LARGEST, LARGEST), array(-LARGEST, 0.0))
    assert found.statistic == pytest.approx(LARGEST / 2)
    assert wasserstein_distance(array(-LARGEST), array(LARGEST)).statistic == INF
    assert energy_distance(array(-LARGEST), array(LARGEST)).effect_size == 1.0


@pytest.mark.parametrize("compare", ALL)
def test_denormals_are_told_apart(compare: Compare) -> None:
    reference, current = np.arange(40) * DENORMAL, (np.arange(40) + 30) * DENORMAL
    found, scaled = compare(reference, current), compare(np.arange(40.0), np.arange(40.0) + 30)
    assert found.p_value == scaled.p_value
    assert found.statistic != 0


def test_one_outlier_moves_no_test() -> None:
    random = np.random.default_rng(6)
    reference, current = random.normal(size=500), random.normal(1.0, size=500)
    spoilt = current.copy()
    spoilt[current.argmax()] = 1e6
    for compare in WITH_P:
        assert compare(reference, spoilt) == compare(reference, current)


@pytest.mark.parametrize("compare", OF_TWO)
@pytest.mark.parametrize("n", [40, 30_000])
def test_what_is_missing_has_no_influence_and_is_counted(compare: Compare, n: int) -> None:
    random = np.random.default_rng(7)
    samples, masks = random.normal(size=(2, n)), random.random((2, n)) < 0.3
    garbage = np.where(masks, random.choice([np.nan, INF, -999.0], size=(2, n)), samples)
    found = compare(garbage[0], garbage[1], missing_reference=masks[0], missing_current=masks[1])
    plain = compare(samples[0][~masks[0]], samples[1][~masks[1]])
    assert (found.statistic, found.p_value, found.effect_size) == (plain.statistic, plain.p_value, plain.effect_size)
    assert codes(found) == [*codes(plain), "left_out", "left_out"]
    assert str(masks[0].sum()) in found.warnings[-2].message and str(masks[1].sum()) in found.warnings[-1].message
    prepared = SortedReference(garbage[0], missing=masks[0])
    assert (prepared.count, prepared.left_out) == (n - masks[0].sum(), masks[0].sum())
    assert compare(prepared, garbage[1], missing_current=masks[1]) == found


@pytest.mark.parametrize("compare", OF_TWO)
def test_the_mask_of_a_prepared_reference_belongs_to_it(compare: Compare) -> None:
    with pytest.raises(TypeError, match="missing_reference goes with an array, not with a SortedReference"):
        compare(SortedReference(np.ones(3)), np.ones(3), missing_reference=np.zeros(3, dtype=np.bool_))


@pytest.mark.parametrize("compare", ALL)
def test_what_is_no_sample_is_refused_by_name(compare: Compare) -> None:
    with pytest.raises(TypeError, match="must be a NumPy array, not list"):
        compare([1.0, 2.0], np.ones(2))
    with pytest.raises(TypeError, match="not <U1"):
        compare(np.ones(2), np.array(["a"]))
    with pytest.raises(ValueError, match="one dimension"):
        compare(np.ones(2), np.ones((2, 2)))


def test_a_distance_is_in_deviations_of_the_reference_too() -> None:
    random = np.random.default_rng(8)
    reference = random.normal(5.0, 3.0, size=400)
    found = wasserstein_distance(reference, reference + 1.5)
    assert found.statistic == pytest.approx(1.5, rel=1e-12)
    assert found.effect_size == pytest.approx(1.5 / reference.std(ddof=1), rel=1e-12)
    assert found.p_value is None
    constant = wasserstein_distance(np.full(9, 2.0), reference)
    assert (constant.effect_size, codes(constant)) == (None, ["no_spread"])


def test_the_rank_biserial_correlation_has_the_sign_of_the_change() -> None:
    random = np.random.default_rng(9)
    reference, current = random.normal(size=80), random.normal(0.5, size=90)
    pairs = np.sign(current[None, :] - reference[:, None]).mean()
    assert mann_whitney_test(reference, current).effect_size == pytest.approx(pairs, rel=1e-12)
    assert mann_whitney_test(current, reference).effect_size == pytest.approx(-pairs, rel=1e-12)


def test_effect_sizes_hold_still_as_samples_grow() -> None:
    for compare in (cramer_von_mises_test, energy_distance, anderson_darling_test):
        small, large = (compare(np.linspace(0, 1, n), np.linspace(0, 1, n) ** 2).effect_size for n in (500, 50_000))
        assert small == pytest.approx(large, rel=0.02)


@pytest.mark.parametrize("sizes", [(9, 14), (60, 200), (1000, 20)])
@pytest.mark.parametrize("categories", [2, 3, 8, 40])
def test_cramer_von_mises_p_values_with_equal_values_are_near_those_of_permutations(
    categories: int, sizes: tuple[int, int]
) -> None:
    """Mean ranks for equal values would give p near zero where a small sample is compared with a large one."""
    random = np.random.default_rng(11)
    reference, current = (random.integers(0, categories, size=size).astype(np.float64) for size in sizes)
    _, together = np.unique(np.concatenate([reference, current]), return_counts=True)
    of_reference = random.multivariate_hypergeometric(together, sizes[0], size=20_000)
    cumulated = of_reference.cumsum(axis=1) / sizes[0] - (together - of_reference).cumsum(axis=1) / sizes[1]
    drawn = (together * cumulated**2).sum(axis=1) * np.prod(sizes) / sum(sizes) ** 2
    found = cramer_von_mises_test(reference, current)
    assert codes(found) == ["ties"] and found.statistic is not None
    assert found.p_value == pytest.approx((drawn >= found.statistic * (1 - 1e-9)).mean(), abs=0.12, rel=0.1)
    twentieth = np.quantile(drawn, 0.95)
    assert found.statistic < twentieth or found.p_value < 0.1


def test_anderson_darling_tails_are_not_cut_off() -> None:
    random = np.random.default_rng(10)
    reference = random.normal(size=300)
    near = anderson_darling_test(reference, reference + 1e-3).p_value
    far = anderson_darling_test(reference, reference + 3).p_value
    assert near is not None and near > 0.9
    assert far is not None and 0 < far < 1e-30


def test_anderson_darling_needs_two_samples() -> None:
    with pytest.raises(ValueError, match="samples must be two or more, not 1"):
        anderson_darling_test(np.ones(3))
    found = anderson_darling_test(np.arange(9.0), np.arange(8.0), np.arange(7.0))
    assert (found.n_reference, found.n_current) == (9, 15)
    empty = anderson_darling_test(np.arange(9.0), np.arange(8.0), np.ones(0))
    assert (empty.statistic, codes(empty)) == (None, ["too_few_values"])
    singles = anderson_darling_test(*np.arange(6.0).reshape(6, 1))
    assert singles.statistic is None and set(codes(singles)) == {"too_few_values"}


def test_kolmogorov_is_that_of_scipy() -> None:
    scipy_special = pytest.importorskip("scipy.special")
    for x in np.linspace(-1, 8, 181):
        assert kolmogorov_upper(x) == pytest.approx(scipy_special.kolmogorov(x), rel=1e-12)


# The level is between 3.5 % and 6 %; of 1,500 rounds three binomial deviations are 1.7 %.
@pytest.mark.parametrize("compare", WITH_P)
@pytest.mark.parametrize(("n", "rounds"), [(30, 1500), (300, 1500), (3000, 400), (10_000, 200)])
def test_false_alarms_are_as_many_as_stated(compare: Compare, n: int, rounds: int) -> None:
    random = np.random.default_rng(n)
    p_values = [compare(random.normal(size=1000), random.normal(size=n)).p_value for _ in range(rounds)]
    rate = np.mean([p is not None and p <= 0.05 for p in p_values])
    margin = 3 * math.sqrt(0.05 * 0.95 / rounds)
    assert 0.035 - margin < rate < 0.06 + margin


def test_everything_public_is_documented() -> None:
    public = [getattr(drift, name) for name in drift.__all__] + [kolmogorov_upper]
    public += [SortedReference.count, SortedReference.left_out]
    assert [item for item in public if not item.__doc__] == []


def test_a_prepared_reference_shows_itself_and_does_not_travel() -> None:
    prepared = SortedReference(array(1, 2, math.nan))
    assert repr(prepared) == "SortedReference(count=2, left_out=1)"
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(prepared)


def test_each_argument_is_refused_by_its_own_name() -> None:
    values, short = array(1, 2, 3), np.array([True])
    wrong: Any = [1.0]
    with pytest.raises(TypeError, match=r"^reference must be a NumPy array"):
        ks_test(wrong, values)
    with pytest.raises(TypeError, match=r"^current must be a NumPy array"):
        ks_test(values, wrong)
    with pytest.raises(TypeError, match=r"^samples must be a NumPy array"):
        anderson_darling_test(values, wrong)
    with pytest.raises(ValueError, match=r"^missing_reference must have one entry for each of the 3 values, but has 1"):
        energy_distance(values, values, missing_reference=short)
    with pytest.raises(ValueError, match=r"^missing_current must have one entry for each of the 3 values, but has 1"):
        energy_distance(values, values, missing_current=short)
