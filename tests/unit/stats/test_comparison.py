"""A profile against its baseline: what drifted is found, what did not is left alone, nothing is said without data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]

from edge_aiops.stats.comparison import compare
from edge_aiops.stats.distances import binned_ks_test, psi
from edge_aiops.stats.summaries import Baseline, Profile

RANDOM = np.random.default_rng(0)
REFERENCE: dict[str, Any] = {
    "quiet": RANDOM.normal(size=20_000),
    "moved": RANDOM.normal(size=20_000),
    "wider": RANDOM.normal(size=20_000),
    "grade": RANDOM.integers(1, 7, size=20_000),
    "state": RANDOM.choice(["a", "b", "c"], size=20_000, p=[0.6, 0.3, 0.1]),
}


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline(REFERENCE)


def quiet(n: int, seed: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "quiet": random.normal(size=n),
        "moved": random.normal(size=n),
        "wider": random.normal(size=n),
        "grade": random.integers(1, 7, size=n),
        "state": random.choice(["a", "b", "c"], size=n, p=[0.6, 0.3, 0.1]),
    }


def profile(baseline: Baseline, **changed: Any) -> Profile:
    made = Profile(baseline)
    given = quiet(max([2000, *(len(values) for values in changed.values())]))
    made.update({name: values[:2000] for name, values in given.items()} | changed)
    return made


def test_each_sort_of_change_is_found_and_the_rest_left_alone(baseline: Baseline) -> None:
    random = np.random.default_rng(2)
    found = compare(
        profile(
            baseline,
            moved=random.normal(0.5, size=2000),
            wider=random.normal(scale=2.0, size=2000),
            grade=random.choice([1, 2, 3, 4, 5, 6], p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1], size=2000),
            state=random.choice(["a", "b", "new"], p=[0.5, 0.3, 0.2], size=2000),
        )
    )
    assert found.drifted == ["moved", "wider", "grade", "state"]
    assert [feature.name for feature in found.features] == baseline.names
    assert [feature.kind for feature in found.features] == ["numeric"] * 4 + ["category"]


def test_without_drift_nothing_is_found(baseline: Baseline) -> None:
    assert [compare(profile(baseline, **quiet(2000, seed))).drifted for seed in range(2, 30)] == [[]] * 28


def test_missing_values_are_drift_even_if_all_are_missing(baseline: Baseline) -> None:
    some = compare(profile(baseline, quiet=np.where(np.arange(2000) % 5 < 4, np.nan, REFERENCE["quiet"][:2000])))
    every = compare(profile(baseline, quiet=np.full(2000, np.nan), state=[None] * 2000))
    assert some.drifted == ["quiet"]
    assert every.drifted == ["quiet", "state"]
    feature = every.features[0]
    assert feature.tests["ks"].p_value is None
    assert feature.tests["missingness"].p_value < 1e-300
    assert "too_few_values" in [warning.code for warning in feature.warnings]


def test_nothing_missing_on_either_side_warns_of_nothing(baseline: Baseline) -> None:
    features = compare(profile(baseline)).features
    assert [feature.tests["missingness"].warnings for feature in features] == [[]] * 5


def test_a_profile_without_rows_says_nothing(baseline: Baseline) -> None:
    found = compare(Profile(baseline))
    assert found.drifted == []
    for feature in found.features:
        assert (feature.p_value, feature.adjusted_p_value, feature.effect_size, feature.drifted) == (*[None] * 3, False)
        assert "too_few_values" in [warning.code for warning in feature.warnings]


def test_the_p_value_is_that_of_the_smallest_test_times_their_number(baseline: Baseline) -> None:
    found = compare(profile(baseline, **quiet(2000, 77)))
    # Nothing is missing on either side, so nothing was tested by looking for it.
    names = [["ks", "chi_square", "beyond"]] * 4 + [["chi_square"]]
    tested = [[feature.tests[name].p_value for name in of] for feature, of in zip(found.features, names, strict=True)]
    expected = [min(1.0, min(p_values) * len(p_values)) for p_values in tested]
    gap = compare(profile(baseline, quiet=np.append(np.nan, REFERENCE["quiet"][:1999]))).features[0]
    assert gap.p_value == min(
        1.0, 4 * min(gap.tests[name].p_value for name in ("ks", "chi_square", "beyond", "missingness"))
    )
    assert [feature.p_value for feature in found.features] == expected
    adjusted = scipy.stats.false_discovery_control(expected)
    np.testing.assert_allclose([feature.adjusted_p_value for feature in found.features], adjusted, rtol=1e-12)


def test_tests_are_those_on_the_counts_of_the_histograms(baseline: Baseline) -> None:
    made = profile(baseline, moved=np.random.default_rng(9).normal(0.1, size=2000))
    reference, current = baseline["moved"].histogram.counts, made["moved"].histogram.counts
    feature = compare(made).features[1]
    assert feature.tests["ks"] == binned_ks_test(reference[:-1], current[:-1])
    grade = compare(made).features[3]
    # Six grades, what is under and over them, and what is missing.
    cells = [counted["grade"].histogram.counts for counted in (baseline, made)]
    assert grade.effect_size == pytest.approx(psi(*cells).effect_size, rel=1e-12)


@pytest.mark.parametrize(
    "values", [np.full(2000, 7.0), np.where(np.arange(2000) % 11 == 0, -999.0, REFERENCE["grade"][:2000])]
)
def test_what_lies_beyond_all_edges_is_drift(baseline: Baseline, values: Any) -> None:
    assert compare(profile(baseline, grade=values)).drifted == ["grade"]
    constant = Baseline({"flag": np.ones(5000)})
    current = Profile(constant)
    current.update({"flag": np.where(np.arange(2000) % 11 == 0, np.inf, 1.0)})
    assert compare(current).drifted == ["flag"]


@pytest.mark.parametrize(
    ("n", "labels", "exponent"), [(500, 500, 1.0), (1000, 2000, 1.5), (1000, 200, 0.0), (20, 50, 0.0)]
)
def test_labels_with_a_long_tail_do_not_drift_by_themselves(n: int, labels: int, exponent: float) -> None:
    random = np.random.default_rng(n + labels)
    shares = 1.0 / np.arange(1, labels + 1) ** exponent
    names = np.array([f"label {place}" for place in range(labels)])
    drifted = 0
    for _ in range(60):
        drawn = random.choice(names, size=2 * n, p=shares / shares.sum())
        current = Profile(Baseline({"x": drawn[:n]}))
        current.update({"x": drawn[n:]})
        drifted += bool(compare(current, min_effect=0.0).drifted)
    assert drifted <= scipy.stats.binom.isf(1e-4, 60, 0.05)


def test_new_labels_are_drift_among_many_known_ones() -> None:
    random = np.random.default_rng(3)
    cities = np.array([f"city {place}" for place in range(300)])
    baseline = Baseline({"city": random.choice(cities, size=5000)})
    current = Profile(baseline)
    current.update({"city": np.append(random.choice(cities, size=700), np.full(300, "nowhere"))})
    assert compare(current).drifted == ["city"]


def test_the_wasserstein_distance_is_close_to_that_of_the_values(baseline: Baseline) -> None:
    values = np.random.default_rng(9).normal(0.4, size=2000)
    distance = compare(profile(baseline, moved=values)).features[1].tests["wasserstein"].statistic
    assert distance == pytest.approx(scipy.stats.wasserstein_distance(REFERENCE["moved"], values), rel=0.03)


def test_values_far_outside_are_far_away(baseline: Baseline) -> None:
    values = np.append(np.zeros(1000), np.full(1000, 1000.0))
    assert compare(profile(baseline, moved=values)).features[1].tests["wasserstein"].statistic > 490


def test_certainty_alone_is_no_drift_and_size_alone_neither(baseline: Baseline) -> None:
    slight = Profile(baseline)
    slight.update(quiet(400_000) | {"moved": np.random.default_rng(5).normal(0.05, size=400_000)})
    assert compare(slight).drifted == []
    assert "moved" in compare(slight, min_effect=0.0).drifted
    few = Profile(baseline)
    few.update({name: values[:12] for name, values in quiet(12).items()})
    assert max(feature.effect_size for feature in compare(few).features) > 0.1
    assert compare(few).drifted == []


def test_one_value_of_a_million_moves_nothing(baseline: Baseline) -> None:
    values = np.random.default_rng(5).normal(1.0, size=2000)
    plain = compare(profile(baseline, moved=values)).features[1]
    values[0] = 1e6
    spoilt = compare(profile(baseline, moved=values)).features[1]
    assert spoilt.effect_size == pytest.approx(plain.effect_size, rel=0.02)
    assert plain.drifted and spoilt.drifted
    exact = scipy.stats.wasserstein_distance(REFERENCE["moved"], values)
    assert spoilt.tests["wasserstein"].statistic == pytest.approx(exact, rel=0.02)
    values[:3] = np.inf
    infinite = compare(profile(baseline, moved=values)).features[1].tests["wasserstein"]
    assert [warning.code for warning in infinite.warnings] == ["infinite"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"min_effect": -0.1}, "min_effect must be a number from 0 on, not -0.1"),
        ({"min_effect": float("inf")}, "min_effect must be a number from 0 on, not inf"),
    ],
)
def test_options_out_of_range_are_refused(baseline: Baseline, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(Profile(baseline), **options)


def test_options_matter_and_are_told(baseline: Baseline) -> None:
    made = profile(baseline, moved=np.random.default_rng(9).normal(0.2, size=2000))
    assert compare(made).drifted == []
    found = compare(made, alpha=1e-4, min_effect=0.02)
    assert (found.drifted, found.alpha, found.min_effect) == (["moved"], 1e-4, 0.02)
    assert compare(made, alpha=1e-30, min_effect=0.02).drifted == []
