"""Multivariate comparisons: joint changes seen, levels kept, broken rows named."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops import stats
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.multivariate import MmdReference, PcaReference, cosine_shift_test

Table = NDArray[np.float64]
PREPARED: list[Any] = [PcaReference, MmdReference]
every_reference = pytest.mark.parametrize("kind", PREPARED, ids=lambda kind: kind.__name__)


def cosine(reference: Any, current: Any) -> stats.TestResult:
    return cosine_shift_test(reference, current, permutations=199)


COMPARISONS: list[Any] = [
    lambda reference, current: PcaReference.fit(reference).test(current),
    lambda reference, current: MmdReference.fit(reference, frequencies=64).test(current),
    cosine,
]
every_comparison = pytest.mark.parametrize("compare", COMPARISONS, ids=["pca", "mmd", "cosine"])


def rows(seed: int, n: int, correlation: float = 0.7, features: int = 4) -> Table:
    """Normal rows, each feature standard, with the same correlation between any two."""
    covariance = np.full((features, features), correlation) + (1 - correlation) * np.eye(features)
    return np.random.default_rng(seed).multivariate_normal(np.zeros(features), covariance, n)


def codes(found: stats.TestResult) -> list[str]:
    return [warning.code for warning in found.warnings]


def p_value(found: stats.TestResult) -> float:
    assert found.p_value is not None and 0 <= found.p_value <= 1
    return found.p_value


@every_reference
def test_a_change_of_correlation_that_no_feature_shows_is_seen(kind: Any) -> None:
    prepared = kind.fit(rows(0, 2000))
    assert p_value(prepared.test(rows(1, 500, correlation=0.0))) < 1e-6
    assert p_value(prepared.test(rows(2, 500))) > 0.01


@every_comparison
@pytest.mark.parametrize(("n", "m"), [(60, 30), (200, 20)])
@pytest.mark.parametrize("shape", ["normal", "standard_cauchy", "rounded"])
def test_without_drift_false_alarms_keep_their_level(compare: Any, n: int, m: int, shape: str) -> None:
    def sample(random: np.random.Generator, length: int) -> Table:
        if shape == "rounded":
            return np.round(random.normal(size=(length, 5)))
        return np.asarray(getattr(random, shape)(size=(length, 5)))

    generators = [np.random.default_rng([seed, n]) for seed in range(250)]
    alarms = sum(p_value(compare(sample(random, n), sample(random, m))) <= 0.05 for random in generators)
    # Of 250 at 5 %: more than 25 happen once in two thousand times.
    assert alarms <= 25


@every_comparison
def test_a_shift_is_seen_and_how_the_tables_lie_in_memory_does_not_matter(compare: Any) -> None:
    reference = np.random.default_rng(0).normal(size=(300, 6)) + 1
    current = np.random.default_rng(1).normal(size=(150, 6)) * np.arange(1, 7)
    expected = compare(reference, current)
    assert p_value(expected) <= 0.005
    wide = np.zeros((300, 12))
    wide[:, ::2] = current[:1]
    wide[::2, ::2] = current
    for layout in (np.asfortranarray(current), wide[::2, ::2], current[::-1].copy()[::-1]):
        assert compare(np.asfortranarray(reference), layout) == expected
    single = current.astype(np.float32)
    assert compare(reference, single) == compare(reference, single.astype(np.float64))


@every_comparison
@pytest.mark.parametrize(
    ("current", "error", "message"),
    [
        (np.zeros(3), ValueError, r"current must have two dimensions, rows and features, not the shape \(3,\)"),
        (np.zeros((2, 2, 2)), ValueError, r"not the shape \(2, 2, 2\)"),
        (np.zeros((5, 3)), ValueError, "current must have 4 columns as the reference has, but has 3"),
        (np.zeros((5, 0)), ValueError, "current must have at least one column"),
        (np.zeros((5, 4), dtype=object), TypeError, "current must hold float64, float32, int64 or bool"),
        ([[1.0, 2.0]], TypeError, "current must be a NumPy array, not list"),
        (np.ma.masked_invalid(np.zeros((3, 4))), TypeError, "mask would be lost"),
        (np.zeros((3, 4), dtype=np.complex128), TypeError, "not complex128"),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_is_no_table_of_the_same_features_is_refused_by_name(
    compare: Any, current: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compare(rows(0, 50), current)


@every_comparison
@pytest.mark.parametrize("current", [np.zeros((0, 4)), np.full((7, 4), np.nan), np.full((7, 4), np.inf)])
def test_without_usable_rows_there_is_no_number(compare: Any, current: Table) -> None:
    found = compare(rows(0, 50), current)
    assert (found.statistic, found.p_value, found.effect_size) == (None, None, None)
    assert (found.n_current, codes(found)[0]) == (0, "too_few_values")
    assert ("left_out" in codes(found)) == (len(current) > 0)


@every_comparison
def test_extreme_and_missing_values_give_a_result_and_a_warning(compare: Any) -> None:
    reference, current = rows(0, 60), rows(1, 40)
    for value in (np.nan, np.inf, -np.inf, 1e308, 1e100, -1e100, 5e-324):
        for both in (False, True):
            broken = current.copy()
            broken[3, 1] = value
            found = compare(reference if not both else np.where(reference > 1, value, reference), broken)
            assert p_value(found) > 0
            if not abs(value) <= 1e100:
                assert {"imputed", "left_out"} & set(codes(found))


@every_reference
def test_a_reference_of_which_most_is_missing_still_compares(kind: Any) -> None:
    reference = rows(0, 400)
    reference[np.random.default_rng(1).random(reference.shape) < 0.8] = np.nan
    found = kind.fit(reference).test(rows(2, 100))
    assert p_value(found) > 0
    assert {"left_out", "imputed"} <= set(codes(found))


@every_reference
def test_values_that_become_missing_are_a_change(kind: Any) -> None:
    current = rows(1, 300)
    current[np.random.default_rng(2).random(current.shape) < 0.8] = np.nan
    assert p_value(kind.fit(rows(0, 1000)).test(current)) < 0.001


@every_reference
def test_a_feature_without_values_in_the_reference_counts_for_nothing(kind: Any) -> None:
    reference, current = rows(0, 100), rows(1, 50)
    reference[:, 2] = np.nan
    other = current.copy()
    other[:, 2] = 1e50
    prepared = kind.fit(reference)
    assert prepared.test(current).p_value == prepared.test(other).p_value
    assert "empty_features" in codes(prepared.test(current))


@every_reference
def test_units_of_the_features_do_not_matter(kind: Any) -> None:
    units, offsets = np.array([1e-9, 1.0, 1e6, 8.0]), np.array([0.0, 5.0, 1e9, -3.0])
    found = kind.fit(rows(0, 300)).test(rows(1, 100))
    scaled = kind.fit(rows(0, 300) * units + offsets).test(rows(1, 100) * units + offsets)
    assert scaled.statistic == pytest.approx(found.statistic, rel=1e-6)


@every_reference
def test_a_constant_stays_a_constant_and_a_changed_one_is_seen(kind: Any) -> None:
    prepared = kind.fit(np.full((50, 3), 0.1))
    same, changed = prepared.test(np.full((20, 3), 0.1)), prepared.test(np.full((20, 3), 0.3))
    assert (same.p_value, same.effect_size, "constant" in codes(same)) == (1.0, 0.0, True)
    assert p_value(changed) < 1e-4


@every_reference
def test_a_prepared_reference_travels_as_bytes(kind: Any) -> None:
    reference = rows(0, 200)
    reference[3, 1], reference[7] = np.nan, np.nan
    prepared = kind.fit(reference, seed=2**63)
    read = kind.from_bytes(prepared.to_bytes())
    assert read == prepared and read.to_bytes() == prepared.to_bytes()
    assert read.test(rows(1, 50)) == prepared.test(rows(1, 50))
    for refused, message in ((b"ES", "damaged"), (prepared.to_bytes()[:-1], "damaged"), (b"", "not a summary")):
        with pytest.raises(UnreadableSummary, match=message):
            kind.from_bytes(refused)
    with pytest.raises(UnreadableSummary, match="of kind"):
        PREPARED[PREPARED.index(kind) - 1].from_bytes(prepared.to_bytes())


@every_reference
def test_the_same_seed_gives_the_same_reference_and_another_one_another(kind: Any) -> None:
    assert kind.fit(rows(0, 100), seed=3) == kind.fit(rows(0, 100), seed=3)
    assert kind.fit(rows(0, 100), seed=3) != kind.fit(rows(0, 100), seed=4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PcaReference.fit(rows(0, 9), explained_variance=1.0), "explained_variance must lie between 0 and 1"),
        (lambda: PcaReference.fit(rows(0, 9), explained_variance=np.nan), "explained_variance must lie between"),
        (lambda: PcaReference.fit(rows(0, 3)), "reference must have at least 4 rows with a usable value, but has 3"),
        (lambda: PcaReference.fit(np.full((9, 2), np.nan)), "at least 4 rows with a usable value, but has 0"),
        (lambda: MmdReference.fit(rows(0, 1)), "reference must have at least 2 rows with a usable value, but has 1"),
        (lambda: MmdReference.fit(rows(0, 9), bandwidth=0.0), "bandwidth must be a positive number"),
        (lambda: MmdReference.fit(rows(0, 9), frequencies=0), "frequencies must be from 1 to 512, but is 0"),
        (lambda: cosine_shift_test(rows(0, 9), rows(0, 9), permutations=0), "permutations must be from 1 to 100000"),
    ],
)
def test_options_out_of_range_are_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("option", [{"bandwidth": 0.3}, {"frequencies": 16}, {"standardise": False}, {"seed": 1}])
def test_every_option_of_the_discrepancy_matters(option: Any) -> None:
    reference, current = rows(0, 100) * [1, 2, 3, 4], rows(1, 50)
    plain = MmdReference.fit(reference).test(current)
    assert MmdReference.fit(reference, **option).test(current).statistic != plain.statistic


def test_more_explained_variance_means_more_components_and_smaller_errors() -> None:
    few, many = (PcaReference.fit(rows(0, 200, 0.3, 8), explained_variance=share) for share in (0.4, 0.9))
    assert len(few.components) < len(many.components)
    assert few.errors(rows(1, 50, 0.3, 8)).mean() > many.errors(rows(1, 50, 0.3, 8)).mean()
    assert (few.explained_variance, few.n_fitted, len(few.reference_errors)) == (0.4, 100, 100)


def test_components_that_span_everything_leave_no_error_and_say_so() -> None:
    found = PcaReference.fit(rows(0, 50, features=1)).test(rows(1, 30, features=1) * 5)
    assert p_value(found) == 1.0
    assert {"complete_components", "constant"} <= set(codes(found))


def test_a_structure_that_became_simpler_is_a_change_too() -> None:
    found = PcaReference.fit(rows(0, 1000, 0.3)).test(rows(1, 300, 0.95))
    assert p_value(found) < 1e-6
    assert found.effect_size is not None and found.effect_size < -0.3


def test_a_row_without_values_has_no_error() -> None:
    current = rows(1, 5)
    current[2] = np.nan
    errors = PcaReference.fit(rows(0, 50)).errors(current)
    assert np.isnan(errors).tolist() == [False, False, True, False, False]


def test_at_most_ten_thousand_rows_are_held_out() -> None:
    prepared = PcaReference.fit(rows(0, 30_000))
    assert (len(prepared.reference_errors), prepared.n_fitted) == (10_000, 20_000)


def test_more_frequencies_come_closer_to_the_kernel() -> None:
    x, y, bandwidth = rows(0, 300), rows(1, 200, 0.0), 1.5

    def kernel(a: Table, b: Table) -> float:
        return float(np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / (2 * bandwidth**2)).mean())

    exact = kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)
    prepared = MmdReference.fit(x, bandwidth=bandwidth, frequencies=512, standardise=False)
    assert prepared.test(y).statistic == pytest.approx(exact, rel=0.2)
    assert prepared.frequencies.shape == (512, 4) and prepared.n_reference == 300


def test_mean_directions_and_their_distances() -> None:
    right, up = np.tile([3.0, 0.0], (30, 1)), np.tile([0.0, 1e-300], (20, 1))
    found = cosine_shift_test(right, up)
    assert found.statistic == found.effect_size == pytest.approx(1.0)
    assert p_value(found) == pytest.approx(0.001)
    assert cosine_shift_test(right, -right).statistic == pytest.approx(2.0)
    same = cosine_shift_test(right, right * 1e90)
    assert (same.statistic, same.p_value) == (0.0, 1.0)


def test_vectors_without_a_direction_are_left_out_and_named() -> None:
    reference, current = rows(0, 40), rows(1, 30)
    broken = np.vstack([current, np.zeros((2, 4)), np.full((3, 4), np.nan)])
    found = cosine_shift_test(reference, broken)
    assert (found.statistic, found.n_current) == (cosine_shift_test(reference, current).statistic, 30)
    assert codes(found) == ["left_out", "zero_vectors"]
    assert "2 rows of the current sample are zero" in str(found.warnings[1])


def test_opposite_vectors_have_no_mean_direction() -> None:
    found = cosine_shift_test(np.array([[1.0, 0.0], [-1.0, 0.0]] * 4), np.array([[0.0, 1.0]] * 8))
    assert found.statistic == 1.0


def test_the_seed_and_the_number_of_permutations_decide_the_p_value() -> None:
    def p(permutations: int, seed: int) -> float:
        return p_value(cosine_shift_test(rows(0, 30), rows(1, 30), permutations=permutations, seed=seed))

    assert p(999, 1) == p(999, 1)
    assert len({p(999, seed) for seed in range(8)}) > 1
    assert p(1, 0) in (0.5, 1.0)


@every_comparison
def test_small_samples_are_named(compare: Any) -> None:
    assert "small_sample" in codes(compare(rows(0, 20), rows(1, 3)))


def test_everything_public_is_documented() -> None:
    for kind in PREPARED:
        names = [name for name in dir(kind) if not name.startswith("_")]
        assert kind.__doc__ and all(getattr(kind, name).__doc__ for name in names)
    assert cosine_shift_test.__doc__
    assert repr(PcaReference.fit(rows(0, 40))).startswith("PcaReference(features=4, components=")
    assert repr(MmdReference.fit(rows(0, 40), bandwidth=2.0)) == (
        "MmdReference(features=4, bandwidth=2.0, frequencies=256, n_reference=40)"
    )
