"""Multivariate comparisons agree with scikit-learn, SciPy and NumPy, in tables made from seeds."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.stats.multivariate import MmdReference, PcaReference, cosine_shift_test
from tests.golden.make_multivariate import FREQUENCIES, tables

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("multivariate.json").read_text())


def cases(method: str) -> list[Any]:
    chosen = [case for case in CASES if case["method"] == method]
    return [pytest.param(case, id=f"{case['shape']}-{case['sizes']}-{case['drift']}") for case in chosen]


def test_there_are_more_than_a_hundred_cases() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("case", cases("pca"))
def test_reconstruction_errors_are_those_of_scikit_learn(case: dict[str, Any]) -> None:
    reference, current = tables(case["shape"], tuple(case["sizes"]), case["drift"])
    prepared = PcaReference.fit(reference, explained_variance=case["explained"], seed=case["seed"])
    errors = prepared.errors(current)
    assert len(prepared.components) == case["components"]
    assert errors[:5] == pytest.approx(case["errors"], rel=1e-9, abs=1e-12)
    assert errors.mean() == pytest.approx(case["mean"], rel=1e-9)
    assert prepared.reference_errors.mean() == pytest.approx(case["held_out"], rel=1e-9)
    found = prepared.test(current)
    assert found.statistic == case["u"]
    assert found.p_value == pytest.approx(case["p_value"], rel=1e-9)
    assert found.effect_size == pytest.approx(2 * case["u"] / (found.n_reference * found.n_current) - 1, abs=1e-12)


@pytest.mark.parametrize("case", cases("mmd"))
def test_discrepancies_are_those_of_numpy(case: dict[str, Any]) -> None:
    reference, current = tables(case["shape"], tuple(case["sizes"]), case["drift"])
    prepared = MmdReference.fit(reference, frequencies=FREQUENCIES, standardise=case["standardise"], seed=case["seed"])
    assert prepared.bandwidth == pytest.approx(case["bandwidth"], rel=1e-9)
    found = prepared.test(current)
    assert found.statistic == pytest.approx(case["statistic"], rel=1e-9)
    assert found.effect_size == pytest.approx(case["effect_size"], rel=1e-6, abs=1e-8)
    # Stated: the saddlepoint is off by some percent at most. Imhof's integral is exact to about 1e-7.
    assert found.p_value == pytest.approx(case["p_value"], rel=0.08, abs=1e-6)


@pytest.mark.parametrize("case", cases("cosine"))
def test_cosine_shifts_are_those_of_numpy(case: dict[str, Any]) -> None:
    reference, current = tables(case["shape"], tuple(case["sizes"]), case["drift"])
    found = cosine_shift_test(reference, current, permutations=2000, seed=case["seed"])
    assert [found.n_reference, found.n_current] == case["n"]
    assert found.statistic == pytest.approx(case["statistic"], rel=1e-9, abs=1e-13)
    # Both p-values are drawn: they differ by five deviations at most.
    assert found.p_value is not None
    spread = math.sqrt(case["p_value"] * (1 - case["p_value"]) * (1 / 2000 + 1 / 4000))
    assert found.p_value == pytest.approx(case["p_value"], abs=5 * spread + 1 / 500)
