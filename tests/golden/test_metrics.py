"""Metrics are those of scikit-learn, on seeded data with ties, imbalance and few rows; made by make_metrics.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.stats import metrics

Case = dict[str, Any]
Numbers = NDArray[np.float64]

GOLDEN = Path(__file__).with_name("metrics.json")
AVERAGES = ("macro", "micro", "weighted")
WITHOUT_INTERVAL: dict[str, Any] = {"resamples": 0}


def binary(case: Case) -> tuple[Numbers, Numbers]:
    """Labels and probabilities: `share` of the labels are 1, probabilities are rounded to `digits`."""
    random = np.random.default_rng(case["seed"])
    labels = (random.random(case["n"]) < case["share"]).astype(np.float64)
    told = np.clip(0.5 + case["skill"] * (labels - 0.5) + 0.8 * (random.random(case["n"]) - 0.5), 0, 1)
    return labels, np.round(told, case["digits"])


def multiclass(case: Case) -> tuple[Numbers, Numbers, Numbers]:
    """Labels, predictions and probabilities of `classes` classes, of which the first are the most frequent."""
    random = np.random.default_rng(case["seed"])
    labels = np.floor(case["classes"] * random.random(case["n"]) ** case["skew"])
    raw = random.random((case["n"], case["classes"])) + 1e-3
    raw[np.arange(case["n"]), labels.astype(np.int64)] += case["skill"]
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return labels, np.argmax(probabilities, axis=1).astype(np.float64), probabilities


def regression(case: Case) -> tuple[Numbers, Numbers]:
    """Labels with an offset and predictions with errors, heavy-tailed for a low `tail`, rounded to `digits`."""
    random = np.random.default_rng(case["seed"])
    labels = case["offset"] + case["scale"] * random.random(case["n"])
    errors = (
        case["scale"] * (random.random(case["n"]) + 1e-9) ** (-1 / case["tail"]) * random.choice([-1, 1], case["n"])
    )
    return np.round(labels, case["digits"]), np.round(labels + 0.1 * errors, case["digits"])


def cases(kind: str) -> list[Any]:
    found = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {kind: []}
    return [pytest.param(case, id=f"{kind}-{case['seed']}") for case in found[kind]]


def assert_is(found: metrics.MetricResult, expected: float | None) -> None:
    if expected is None:
        assert found.value is None and found.warnings
    else:
        # An absolute floor for sums that cancel to zero in one order of adding and to rounding noise in another.
        assert found.value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_there_are_hundreds_of_cases() -> None:
    assert sum(map(len, (cases(kind) for kind in ("binary", "multiclass", "regression")))) >= 400


@pytest.mark.parametrize("case", cases("binary"))
def test_metrics_of_a_binary_classifier(case: Case) -> None:
    labels, probabilities = binary(case)
    expected = case["expected"]
    for name in ("brier_score", "log_loss", "roc_auc", "average_precision"):
        assert_is(getattr(metrics, name)(labels, probabilities, **WITHOUT_INTERVAL), expected[name])
    for binning in ("equal-width", "equal-mass"):
        options: dict[str, Any] = {"bins": case["bins"], "binning": binning, **WITHOUT_INTERVAL}
        found = metrics.expected_calibration_error(labels, probabilities, **options)
        assert_is(found, expected[f"expected_calibration_error, {binning}"])
        found = metrics.maximum_calibration_error(labels, probabilities, **options)
        assert_is(found, expected[f"maximum_calibration_error, {binning}"])
    matrix = metrics.confusion_matrix(labels, probabilities >= 0.5)
    assert_is(matrix.accuracy(), expected["accuracy"])
    for name in ("precision", "recall", "f1"):
        assert_is(getattr(matrix, name)(1), expected[name])


@pytest.mark.parametrize("case", cases("multiclass"))
def test_metrics_of_a_classifier_of_several_classes(case: Case) -> None:
    labels, predictions, probabilities = multiclass(case)
    expected = case["expected"]
    assert_is(metrics.log_loss(labels, probabilities, **WITHOUT_INTERVAL), expected["log_loss"])
    matrix = metrics.confusion_matrix(labels, predictions)
    assert matrix.counts.tolist() == expected["counts"]
    assert_is(matrix.accuracy(), expected["accuracy"])
    for name in ("precision", "recall", "f1"):
        for average in AVERAGES:
            found = getattr(matrix, name)(average, **WITHOUT_INTERVAL)
            assert_is(found, expected[f"{name}, {average}"])


@pytest.mark.parametrize("case", cases("regression"))
def test_metrics_of_a_regressor(case: Case) -> None:
    labels, predictions = regression(case)
    for name, expected in case["expected"].items():
        assert_is(getattr(metrics, name)(labels, predictions, **WITHOUT_INTERVAL), expected)
