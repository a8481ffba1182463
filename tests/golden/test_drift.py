"""Drift tests give what scipy gives: statistics to nine digits, p-values to as many as either states."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.stats.drift import (
    SortedReference,
    anderson_darling_test,
    cramer_von_mises_test,
    energy_distance,
    ks_test,
    mann_whitney_test,
    wasserstein_distance,
)

from .drift_cases import MANY, SHAPES, Case, Sample, cases, many_samples

GOLDEN = json.loads(Path(__file__).with_name("drift.json").read_text("utf-8"))
CASES = list(zip(cases(), GOLDEN["cases"], strict=True))


def tied(reference: Sample, current: Sample) -> bool:
    """Scipy's Cramér-von Mises test takes mean ranks for equal values, and then finds drift where there is none."""
    together = np.concatenate([reference, current])
    return len(np.unique(together)) < len(together)


def mean_squared_distance(reference: Sample, current: Sample) -> float:
    """T by its definition, the distribution functions taken after all equal values."""
    places = np.concatenate([reference, current])
    distances = [
        np.searchsorted(np.sort(sample), places, side="right") / len(sample) for sample in (reference, current)
    ]
    n, m = len(reference), len(current)
    return float(n * m / (n + m) ** 2 * np.sum((distances[0] - distances[1]) ** 2))


def test_there_are_hundreds_of_cases() -> None:
    assert len(CASES) + MANY >= 750


@pytest.mark.parametrize("shape", SHAPES)
def test_statistics_are_those_of_scipy(shape: str) -> None:
    for case, golden in of_shape(shape):
        reference, current = case.samples()
        # The offset of 10^9 costs scipy's energy distance digits, since it subtracts its squared sums.
        assert ks_test(reference, current).statistic == pytest.approx(golden[0], rel=1e-12), case
        assert wasserstein_distance(reference, current).statistic == pytest.approx(golden[2], rel=1e-9), case
        assert energy_distance(reference, current).statistic == pytest.approx(golden[3], rel=1e-9), case
        cramer = golden[4] if not tied(reference, current) else mean_squared_distance(reference, current)
        assert cramer_von_mises_test(reference, current).statistic == pytest.approx(cramer, rel=1e-9), case
        assert mann_whitney_test(reference, current).statistic == golden[8], case
        if golden[6] is not None:
            assert anderson_darling_test(reference, current).statistic == pytest.approx(golden[6], rel=1e-9), case


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_p_values_are_those_of_scipy(shape: str) -> None:
    for case, golden in of_shape(shape):
        reference, current = case.samples()
        found = ks_test(reference, current, method="exact")
        assert found.method == "kolmogorov-smirnov, exact"
        if golden[0] * case.sizes[0] == 1 and case.sizes[0] == case.sizes[1]:
            # Whatever comes first makes a difference of 1 / n, which scipy finds not quite certain.
            assert found.p_value == 1.0, case
        else:
            assert found.p_value == pytest.approx(golden[1], rel=1e-10), case
        found = cramer_von_mises_test(reference, current)
        ties = tied(reference, current)
        assert found.method.endswith("exact") == (max(case.sizes) <= 20 and not ties)
        if not ties:
            # One less the distribution function, as scipy has it, leaves no digits below 1e-9.
            assert found.p_value == pytest.approx(golden[5], rel=1e-6, abs=2e-8), case
        found = mann_whitney_test(reference, current)
        if found.warnings == [] or found.warnings[0].code != "constant":
            assert found.p_value == pytest.approx(golden[9], rel=1e-8), case


@pytest.mark.parametrize("shape", SHAPES)
def test_the_prepared_reference_changes_nothing(shape: str) -> None:
    for case, _ in of_shape(shape):
        reference, current = case.samples()
        prepared = SortedReference(reference)
        for compare in (ks_test, wasserstein_distance, energy_distance, cramer_von_mises_test, mann_whitney_test):
            assert compare(prepared, current) == compare(reference, current), (case, compare)


def test_anderson_darling_p_values_are_near_the_table_that_scipy_interpolates() -> None:
    compared = 0
    for case, golden in CASES:
        if golden[7] is not None:
            found = anderson_darling_test(*case.samples())
            assert found.p_value == pytest.approx(golden[7], rel=0.04), case
            compared += 1
    for seed, (statistic, p_value) in enumerate(GOLDEN["many"]):
        found = anderson_darling_test(*many_samples(seed))
        assert found.statistic == pytest.approx(statistic, rel=1e-9), seed
        if p_value is not None:
            assert found.p_value == pytest.approx(p_value, rel=0.04), seed
            compared += 1
    assert compared > 200


def of_shape(shape: str) -> list[tuple[Case, list[float]]]:
    return [(case, golden) for case, golden in CASES if case.shape == shape]
