"""Tests at a fixed level keep it and find drift, and so do comparisons: a short version, and the full tables.

A rate keeps the level of 5 % if its binomial interval at 95 % is not wholly above it. Seeds are fixed.
"""

import numpy as np
import pytest

from edge_aiops.stats.drift import SortedReference, ks_test

from . import comparisons, decisions
from .comparisons import TWO_DRIFTS, found, threshold_alarms
from .decisions import (
    CATEGORY_TESTS,
    MISSING,
    MISSING_TESTS,
    NEVER,
    ROWS,
    SAMPLES,
    SHARES,
    VALUE_DRIFTS,
    VALUE_TESTS,
    Rate,
    pooled,
    rejections_of_counts,
    rejections_of_rows,
    rejections_of_values,
)
from .evidence import ALPHA, DISTRIBUTIONS


def above(rates: dict[str, Rate]) -> dict[str, str]:
    return {name: str(rate) for name, rate in rates.items() if rate.interval[0] > ALPHA}


@pytest.mark.parametrize("n", [20, 50, 300])
@pytest.mark.parametrize("drawn", SAMPLES)
def test_tests_of_values_keep_their_level(drawn: str, n: int) -> None:
    sample = SAMPLES[drawn]
    assert above(rejections_of_values(VALUE_TESTS, sample, sample, reference=1_000, n=n, windows=200, seed=1)) == {}


@pytest.mark.parametrize("n", [48, 50, 52])
@pytest.mark.parametrize("reference", [1_000, 100_000])
def test_a_test_on_quantile_bins_keeps_its_level_where_five_are_expected_in_each(reference: int, n: int) -> None:
    """Pooling once followed the current counts there, and 13 % of windows were rejected."""
    sample = SAMPLES["normal"]
    tests = {name: test for name, test in VALUE_TESTS.items() if "10 bins" in name}
    assert above(rejections_of_values(tests, sample, sample, reference=reference, n=n, windows=600, seed=2)) == {}


@pytest.mark.parametrize("n", [20, 300, 10_000])
@pytest.mark.parametrize("reference", [1_000, 1_000_000])
def test_tests_of_counts_keep_their_level(reference: int, n: int) -> None:
    for tests, drawn_from in ((CATEGORY_TESTS, SHARES), (MISSING_TESTS, MISSING)):
        for shares in drawn_from.values():
            rates = rejections_of_counts(tests, shares, shares, reference=reference, n=n, windows=400, seed=3)
            assert above(rates) == {}, shares


@pytest.mark.parametrize("drawn", ROWS)
def test_tests_of_rows_keep_their_level(drawn: str) -> None:
    assert above(rejections_of_rows(ROWS[drawn], ROWS[drawn], reference=2_000, n=100, windows=60, seed=4)) == {}


@pytest.mark.parametrize("drawn", SAMPLES)
def test_an_array_gives_the_p_value_of_the_reference_prepared_of_it(drawn: str) -> None:
    random = np.random.default_rng(5)
    for n in (20, 300, 10_000):
        values, window = (DISTRIBUTIONS[drawn].sample(random, size) for size in (3_000, n))
        assert ks_test(values, window) == ks_test(SortedReference(values), window)


@pytest.mark.parametrize(
    ("drift", "test", "at_least"),
    [
        ("mean by 0.2 deviations", "mann_whitney_test", 0.85),
        ("mean by 0.2 deviations", "ks_test", 0.75),
        ("mean by 0.2 deviations", "cramer_von_mises_test", 0.8),
        ("deviation by a fifth", "anderson_darling_test", 0.75),
        ("deviation by a fifth", "chi_square_test, 10 bins", 0.6),
        ("deviation by a fifth", "g_test, 10 bins", 0.6),
        ("shape: t with 3 degrees, same variance", "chi_square_test, 10 bins", 0.8),
    ],
)
def test_a_drift_is_found_in_300_values(drift: str, test: str, at_least: float) -> None:
    rates = rejections_of_values(
        {test: VALUE_TESTS[test]},
        SAMPLES["normal"],
        VALUE_DRIFTS[drift],
        reference=10_000,
        n=300,
        windows=100,
        seed=6,
    )
    assert rates[test].share >= at_least, str(rates[test])


@pytest.mark.parametrize("n", [20, 50, 100, 300])
def test_a_comparison_of_features_without_drift_keeps_its_level(n: int) -> None:
    results = found(reference=1_000, n=n, windows=100, seed=7)
    assert above({name: result.any for name, result in results.items() if name != "PSI > 0.1"}) == {}


@pytest.mark.parametrize("n", [100, 300])
def test_few_of_the_features_said_to_have_drifted_have_not(n: int) -> None:
    results = found(later=TWO_DRIFTS, reference=10_000, n=n, windows=100, seed=8)
    for name in ("`compare(profile)`", "`compare(profile, min_effect=0)`"):
        rate, half = results[name].false_discovery_rate
        assert rate - half <= ALPHA
        assert results[name].drifted.share >= 0.85


@pytest.mark.parametrize(("n", "at_least"), [(20, 0.99), (100, 0.4)])
def test_thresholds_on_distances_alarm_without_drift_where_a_comparison_does_not(n: int, at_least: float) -> None:
    rates = threshold_alarms(n, windows=1_000, seed=9)
    for distance in ("psi", "jensen_shannon", "hellinger", "total_variation", "wasserstein"):
        assert rates.pop(f"{distance} > 0.1").share >= at_least, distance
    assert above({name: rate for name, rate in rates.items() if name != "kullback_leibler > 0.1"}) == {}


@pytest.mark.soak
def test_the_full_tables_of_levels() -> None:
    """Over all sizes, no test rejects more than 6 %, beyond what chance explains; with equal values one does."""
    for title, cells in decisions.full_levels():
        print("\n".join(decisions.report_levels(title, cells)))
        for (test, drawn), row in pooled(cells, lambda cell: (cell.test, cell.drawn)).items():
            most = 0.07 if (test, drawn) == ("anderson_darling_test", "discrete (Poisson, 3)") else 0.06
            assert sum(row.values(), NEVER).interval[0] <= most, (test, drawn)
    print("\n".join(decisions.report_power(list(decisions.power_cells(windows=200)))))


@pytest.mark.soak
def test_the_full_tables_of_comparisons() -> None:
    levels = comparisons.level_rows(comparisons.FULL_WINDOWS)
    print(
        "\n".join(
            comparisons.report(
                levels,
                comparisons.discovery_rows(600),
                comparisons.power_rows(200),
                comparisons.threshold_rows(2_000),
            )
        )
    )
    for (decision, reference), row in levels.items():
        if decision != "PSI > 0.1":
            assert above({f"{decision}, {reference}, {n}": rate for n, rate in row.items()}) == {}
