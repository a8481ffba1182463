"""Performance without labels is what NannyML estimates on its own data sets; made by make_estimation.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.stats.estimation import Estimate, LossEstimator, PerformanceEstimate, PerformanceEstimator
from edge_aiops.stats.metrics import confusion_matrix, mean_absolute_error, roc_auc, root_mean_squared_error

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "estimation.json").read_text())
CLASSIFIED = ("accuracy", "precision", "recall", "f1", "roc_auc")
FEATURES = ("car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission")
LOSSES = {"mae": "mean_absolute_error", "mse": "mean_squared_error", "rmse": "root_mean_squared_error"}


def data(name: str) -> dict[str, NDArray[np.float64]]:
    found = {key: values.astype(np.float64) for key, values in np.load(HERE / "nannyml" / f"{name}.npz").items()}
    return {key: values / 100 if key.endswith("probabilities") else values for key, values in found.items()}


def period(name: str, of: str) -> list[NDArray[np.float64]]:
    found = data(name)
    return [found[f"{of}_{column}"] for column in ("probabilities", "predictions", "labels")]


def chunks(rows: list[NDArray[np.float64]], size: int) -> list[list[NDArray[np.float64]]]:
    return [[column[first : first + size] for column in rows] for first in range(0, len(rows[0]), size)]


@pytest.fixture(scope="module", params=["car_loan", "work_from_home", "california_housing", "credit_cards"])
def estimated(request: pytest.FixtureRequest) -> tuple[str, PerformanceEstimator, list[PerformanceEstimate]]:
    estimator = PerformanceEstimator.fit(*period(request.param, "reference"))
    parts = chunks(period(request.param, "analysis"), GOLDEN[request.param]["chunk"])
    return request.param, estimator, [estimator.estimate(*part[:2]) for part in parts]


Estimated = tuple[str, PerformanceEstimator, list[PerformanceEstimate]]


def test_the_same_classes_are_calibrated(estimated: Estimated) -> None:
    name, estimator, _ = estimated
    assert estimator.calibrated == GOLDEN[name]["calibrated"]


@pytest.mark.parametrize("metric", CLASSIFIED)
def test_classification_is_estimated_as_by_nannyml(estimated: Estimated, metric: str) -> None:
    # NannyML rounds the curve's counts to five digits, and takes equal scores in any order where we count half.
    area = metric == "roc_auc"
    name, _, found = estimated
    expected = GOLDEN[name][metric]
    for chunk, estimate in enumerate(found):
        of_chunk: Estimate = getattr(estimate, metric)
        if expected["value"][chunk] == 0 and of_chunk.value is None:
            # What is not defined is 0 there, and nothing here.
            assert [warning.code for warning in of_chunk.warnings] == ["undefined"]
            continue
        assert of_chunk.value == pytest.approx(expected["value"][chunk], rel=2e-6 if area else 1e-12)
        assert of_chunk.sampling_error == pytest.approx(expected["sampling_error"][chunk], rel=5e-3 if area else 1e-9)
        assert of_chunk.low == pytest.approx(expected["low"][chunk], abs=5e-5 if area else 1e-12)
        assert of_chunk.high == pytest.approx(expected["high"][chunk], abs=5e-5 if area else 1e-12)


def test_nothing_is_estimated_only_where_nothing_was_predicted() -> None:
    estimator = PerformanceEstimator.fit(*period("california_housing", "reference"))
    parts = chunks(period("california_housing", "analysis"), GOLDEN["california_housing"]["chunk"])
    for probabilities, predictions, _ in parts:
        found = estimator.estimate(probabilities, predictions)
        assert (found.precision.value is None) == (not predictions.any())
        assert found.recall.value is not None and found.f1.value is not None


def test_estimates_bound_what_came_true_where_only_the_features_changed() -> None:
    inside = []
    for name in ("car_loan", "work_from_home"):
        estimator = PerformanceEstimator.fit(*period(name, "reference"))
        for probabilities, predictions, labels in chunks(period(name, "analysis"), GOLDEN[name]["chunk"]):
            found = estimator.estimate(probabilities, predictions)
            matrix = confusion_matrix(labels, predictions)
            realized = {"accuracy": matrix.accuracy(), "f1": matrix.f1(), "roc_auc": roc_auc(labels, probabilities)}
            for metric, result in realized.items():
                estimate: Estimate = getattr(found, metric)
                assert result.value is not None and estimate.low is not None and estimate.high is not None
                inside.append(estimate.low <= result.value <= estimate.high)
    # The drift of these data is not only one of the features, so one estimate is 3.1 sampling errors off.
    assert len(inside) == 60 and sum(inside) >= 59


def test_realized_metrics_are_those_of_nannyml() -> None:
    for name in ("car_loan", "work_from_home"):
        parts = chunks(period(name, "analysis"), GOLDEN[name]["chunk"])
        for chunk, (probabilities, predictions, labels) in enumerate(parts):
            matrix = confusion_matrix(labels, predictions)
            options: dict[str, Any] = {"resamples": 0}
            found = [matrix.accuracy(), matrix.precision(), matrix.recall(), matrix.f1()]
            found.append(roc_auc(labels, probabilities, **options))
            for metric, result in zip(CLASSIFIED, found, strict=True):
                assert result.value == pytest.approx(GOLDEN[name][metric]["realized"][chunk], rel=1e-9)


@pytest.fixture(scope="module")
def car_price() -> tuple[int, list[NDArray[np.float64]]]:
    found = data("car_price")
    features = np.column_stack([found[column] for column in FEATURES])
    return int(found["n_reference"]), [features, found["y_pred"], found["y_true"]]


@pytest.mark.parametrize("metric", LOSSES)
def test_losses_are_estimated_as_by_nannyml(car_price: tuple[int, list[NDArray[np.float64]]], metric: str) -> None:
    n, rows = car_price
    golden = GOLDEN["car_price"]
    estimator = LossEstimator.fit(*(column[:n] for column in rows), metric=LOSSES[metric])  # type: ignore[arg-type]
    for chunk, (features, predictions, labels) in enumerate(chunks([column[n:] for column in rows], golden["chunk"])):
        found = estimator.estimate(features, predictions)
        assert found.value is not None and found.sampling_error is not None
        expected, realized = golden[metric]["value"][chunk], golden[metric]["realized"][chunk]
        # Two models of the same errors: they differ by less than a sampling error, and no more from the truth.
        assert abs(found.value - expected) < 0.75 * found.sampling_error
        assert found.value == pytest.approx(realized, rel=0.12 if metric == "mse" else 0.06)
        assert found.sampling_error == pytest.approx(golden[metric]["sampling_error"][chunk], rel=1e-9)
        of = {"mae": mean_absolute_error, "rmse": root_mean_squared_error}.get(metric)
        if of is not None:
            assert of(labels, predictions, resamples=0).value == pytest.approx(realized, rel=1e-9)
