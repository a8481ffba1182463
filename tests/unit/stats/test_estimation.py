"""Performance without labels: right where only the features change, clear where it cannot know, and it travels."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.stats import UnreadableSummary, estimation
from edge_aiops.stats.estimation import LossEstimator, PerformanceEstimator
from edge_aiops.stats.metrics import confusion_matrix, mean_absolute_error, roc_auc

Numbers = NDArray[np.float64]


def classified(n: int, seed: int, *, told: float = 3.0, shift: float = 0.0) -> tuple[Numbers, Numbers, Numbers]:
    """Probabilities, told too surely unless told is 1.5, predictions and labels; shift moves the features."""
    random = np.random.default_rng(seed)
    score = random.normal(loc=shift, size=n)
    labels = (random.random(n) < 1 / (1 + np.exp(-1.5 * score))).astype(np.float64)
    probabilities = 1 / (1 + np.exp(-told * score))
    return probabilities, (probabilities >= 0.5).astype(np.float64), labels


def several(n: int, seed: int, *, sharpness: float = 1.0) -> tuple[Numbers, Numbers, Numbers]:
    random = np.random.default_rng(seed)
    raw = random.normal(size=(n, 4)) * 2
    chances = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    labels = (random.random((n, 1)) > chances.cumsum(axis=1)[:, :3]).sum(axis=1).astype(np.float64)
    told = chances**sharpness / (chances**sharpness).sum(axis=1, keepdims=True)
    return told, told.argmax(axis=1).astype(np.float64), labels


def measured(n: int, seed: int, *, shift: float = 0.0) -> tuple[Numbers, Numbers, Numbers]:
    """Features, predictions and labels, the errors of which grow with the first feature."""
    random = np.random.default_rng(seed)
    features = random.normal(loc=shift, size=(n, 3))
    predictions = features.sum(axis=1)
    return features, predictions, predictions + random.normal(size=n) * np.exp(features[:, 0] / 2)


def codes(found: Any) -> list[str]:
    return [warning.code for warning in found.warnings]


REFERENCE = classified(100_000, 1)
ESTIMATOR = PerformanceEstimator.fit(*REFERENCE)
LOSSES = LossEstimator.fit(*measured(5000, 1))


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_a_classifier_is_as_good_as_estimated_when_its_features_move(shift: float) -> None:
    probabilities, predictions, labels = classified(5000, 2, shift=shift)
    found = ESTIMATOR.estimate(probabilities, predictions)
    matrix = confusion_matrix(labels, predictions)
    realized = [matrix.accuracy(), matrix.precision(), matrix.recall(), matrix.f1(), roc_auc(labels, probabilities)]
    for estimate, result in zip(
        [found.accuracy, found.precision, found.recall, found.f1, found.roc_auc], realized, strict=True
    ):
        assert estimate.metric == result.metric and estimate.n == 5000
        assert estimate.low is not None and estimate.high is not None and result.value is not None
        assert estimate.low <= result.value <= estimate.high
    assert found.confusion.sum() == pytest.approx(5000)
    assert found.confusion == pytest.approx(matrix.counts, abs=100)


def test_probabilities_are_calibrated_only_where_that_helps() -> None:
    assert ESTIMATOR.calibrated == [True]
    alike = PerformanceEstimator.fit(*classified(500, 1)[:2], np.ones(500))
    sure = PerformanceEstimator.fit(np.repeat([0.1, 0.9], 200), np.repeat([0, 1], 200), np.repeat([0, 1], 200))
    few = PerformanceEstimator.fit(*classified(15, 1))
    assert alike.calibrated == sure.calibrated == few.calibrated == [False]
    # Those of a calibrated model are left nearly as they are, whatever is decided.
    told = classified(20_000, 3, told=1.5)
    raw = float(np.maximum(told[0], 1 - told[0]).mean())
    assert PerformanceEstimator.fit(*told).estimate(*told[:2]).accuracy.value == pytest.approx(raw, abs=0.01)


@pytest.mark.parametrize("sharpness", [1.0, 3.0])
def test_a_classifier_of_several_classes_is_as_good_as_estimated(sharpness: float) -> None:
    estimator = PerformanceEstimator.fit(*several(20_000, 1, sharpness=sharpness))
    told, predictions, labels = several(10_000, 2, sharpness=sharpness)
    found = estimator.estimate(told, predictions)
    matrix = confusion_matrix(labels, predictions)
    areas = [roc_auc(labels == one, told[:, one], resamples=0).value for one in range(4)]
    assert estimator.classes == len(estimator.calibrated) == 4
    assert found.accuracy.value == pytest.approx(matrix.accuracy().value, abs=0.02)
    assert found.f1.value == pytest.approx(matrix.f1("macro", resamples=0).value, abs=0.02)
    assert found.precision.value == pytest.approx(matrix.precision("macro", resamples=0).value, abs=0.02)
    assert found.recall.value == pytest.approx(matrix.recall("macro", resamples=0).value, abs=0.02)
    assert found.roc_auc.value == pytest.approx(np.mean(areas), abs=0.01)  # type: ignore[arg-type]
    assert found.confusion.shape == (4, 4)


def test_an_estimate_of_more_rows_is_surer() -> None:
    probabilities, predictions, _ = classified(4000, 5)
    few, many = (
        ESTIMATOR.estimate(probabilities[:1000], predictions[:1000]),
        ESTIMATOR.estimate(probabilities, predictions),
    )
    for metric in ("accuracy", "precision", "recall", "f1", "roc_auc"):
        wide, narrow = getattr(few, metric), getattr(many, metric)
        assert wide.sampling_error == pytest.approx(2 * narrow.sampling_error)
        assert narrow.high - narrow.value == pytest.approx(3 * narrow.sampling_error)


def test_drift_of_what_features_mean_is_not_seen() -> None:
    probabilities, predictions, labels = classified(5000, 7)
    swapped = confusion_matrix(1 - labels, predictions).accuracy().value
    found = ESTIMATOR.estimate(probabilities, predictions).accuracy.value
    assert swapped is not None and found is not None and found > 0.7 > 0.3 > swapped


def test_equal_scores_count_half_in_the_expected_area() -> None:
    found = ESTIMATOR.estimate(np.full(10, 0.4), np.zeros(10))
    assert found.roc_auc.value == pytest.approx(0.5)
    assert found.precision.value is None and codes(found.precision) == ["undefined"]


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.5])
def test_a_regressor_is_as_good_as_estimated_when_its_features_move(shift: float) -> None:
    features, predictions, labels = measured(5000, 2, shift=shift)
    found = LOSSES.estimate(features, predictions)
    realized = mean_absolute_error(labels, predictions, resamples=0).value
    assert found.metric == LOSSES.metric == "mean absolute error"
    assert found.value == pytest.approx(realized, rel=0.1)


def test_each_loss_is_estimated_in_its_unit() -> None:
    reference, (features, predictions, labels) = measured(5000, 1), measured(5000, 2)
    squared = float(((labels - predictions) ** 2).mean())
    mse = LossEstimator.fit(*reference, metric="mean_squared_error").estimate(features, predictions)
    rmse = LossEstimator.fit(*reference, metric="root_mean_squared_error").estimate(features, predictions)
    assert mse.value == pytest.approx(squared, rel=0.15)
    assert rmse.value == pytest.approx(mse.value**0.5 if mse.value else None)
    # The delta method: twice the root times the error of the root is that of the square.
    assert mse.sampling_error is not None and rmse.sampling_error is not None
    on_reference = float(((reference[2] - reference[1]) ** 2).mean())
    assert 2 * on_reference**0.5 * rmse.sampling_error == pytest.approx(mse.sampling_error)


def test_a_missing_feature_is_learnt_from() -> None:
    features, predictions, labels = measured(5000, 1)
    features[::4, 1] = np.nan
    labels[::4] = predictions[::4] + 5
    found = LossEstimator.fit(features, predictions, labels)
    holes = np.column_stack([features[:1000, 0], np.full(1000, np.nan), features[:1000, 2]])
    assert found.estimate(holes, predictions[:1000]).value == pytest.approx(5, rel=0.05)


def test_rows_that_are_not_known_are_left_out_and_counted() -> None:
    probabilities, predictions, labels = (column.copy() for column in classified(1000, 9))
    whole = ESTIMATOR.estimate(probabilities[20:], predictions[20:])
    probabilities[:10], predictions[10:20] = np.nan, np.nan
    found = ESTIMATOR.estimate(probabilities, predictions)
    assert (found.accuracy.value, found.accuracy.n) == (whole.accuracy.value, 980)
    assert codes(found.accuracy) == codes(found.roc_auc) == ["left_out"]
    labels[500:] = np.nan
    assert PerformanceEstimator.fit(probabilities, predictions, labels).n_reference == 480
    features, told, truth = measured(100, 1)
    truth[0], told[1], told[2] = np.nan, np.inf, np.nan
    assert LossEstimator.fit(features, told, truth).n_reference == 97
    assert (LOSSES.estimate(features, told).n, codes(LOSSES.estimate(features, told))) == (98, ["left_out"])


def test_no_rows_give_no_estimate_but_a_warning() -> None:
    empty = np.array([])
    for found in (ESTIMATOR.estimate(empty, empty).f1, LOSSES.estimate(np.zeros((0, 3)), empty)):
        assert (found.value, found.sampling_error, found.low, found.high, found.n) == (None, None, None, None, 0)
        assert codes(found) == ["too_few_values"]


def test_a_perfect_model_has_no_loss_and_no_spread() -> None:
    found = LossEstimator.fit(np.ones((3, 1)), np.ones(3), np.ones(3), metric="root_mean_squared_error")
    estimate = found.estimate(np.ones((5, 1)), np.ones(5))
    assert (estimate.value, estimate.sampling_error, estimate.low, estimate.high) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("made", [ESTIMATOR, PerformanceEstimator.fit(*several(2000, 1, sharpness=3.0)), LOSSES])
def test_an_estimator_travels_as_bytes(made: Any) -> None:
    data = made.to_bytes()
    read = type(made).from_bytes(data)
    assert read == made and read.to_bytes() == data
    assert repr(read) == repr(made)
    for damaged in (b"", data[:-1], data + b"\0", data[:40] + b"\xff" + data[41:]):
        with pytest.raises(UnreadableSummary):
            type(made).from_bytes(damaged)
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(made)


def test_estimators_are_small() -> None:
    assert len(LOSSES.to_bytes()) < 70_000
    assert PerformanceEstimator.fit(*classified(500, 1)) == PerformanceEstimator.fit(*classified(500, 1))


def test_the_bytes_of_one_estimator_are_not_those_of_another() -> None:
    with pytest.raises(UnreadableSummary, match="kind 19, not of kind 18"):
        PerformanceEstimator.from_bytes(LOSSES.to_bytes())
    with pytest.raises(UnreadableSummary, match="kind 18, not of kind 19"):
        LossEstimator.from_bytes(ESTIMATOR.to_bytes())


ONES = np.ones(4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: PerformanceEstimator.fit(ONES, ONES, ONES[:3]),
            ValueError,
            "labels must have one entry for each of the 4",
        ),
        (lambda: PerformanceEstimator.fit(ONES, ONES[:3], ONES), ValueError, "predictions must have one entry"),
        (lambda: PerformanceEstimator.fit(ONES * 2, ONES, ONES), ValueError, "probabilities must be from 0 to 1"),
        (lambda: PerformanceEstimator.fit(ONES, ONES, ONES * 2), ValueError, "labels must be whole numbers of classes"),
        (lambda: PerformanceEstimator.fit(ONES, ONES / 2, ONES), ValueError, "predictions must be whole numbers"),
        (lambda: PerformanceEstimator.fit(ONES * np.nan, ONES, ONES), ValueError, "at least one row that is complete"),
        (lambda: PerformanceEstimator.fit(np.ones((4, 2)), ONES, ONES), ValueError, "must add up to 1"),
        (lambda: PerformanceEstimator.fit(np.ones((4, 1)), ONES, ONES), ValueError, "each of 2 to 1000 classes, not 1"),
        (lambda: ESTIMATOR.estimate(np.full((4, 2), 0.5), ONES), ValueError, "in the form of the reference"),
        (lambda: ESTIMATOR.estimate([1.0], ONES), TypeError, "probabilities must be a NumPy array, not list"),
        (lambda: LossEstimator.fit(ONES, ONES, ONES), ValueError, r"features must have two dimensions.*\(4,\)"),
        (lambda: LossEstimator.fit([[1.0]], ONES, ONES), TypeError, "features must be a NumPy array, not list"),
        (lambda: LossEstimator.fit(np.ones((4, 0)), ONES, ONES), ValueError, "at least one column"),
        (lambda: LossEstimator.fit(np.ones((3, 1)), ONES, ONES), ValueError, "each of the 3 rows of features"),
        (lambda: LossEstimator.fit(np.ones((4, 1)), ONES, ONES * np.nan), ValueError, "at least one row"),
        (
            lambda: LossEstimator.fit(np.ones((4, 1)), ONES, ONES * 1e200, metric="mean_squared_error"),
            ValueError,
            "scale",
        ),
        (lambda: LossEstimator.fit(np.ones((4, 1)), ONES, ONES, metric="mae"), ValueError, "metric must be"),
        (lambda: LOSSES.estimate(np.ones((4, 2)), ONES), ValueError, "the 3 columns of the reference, but has 2"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_everything_public_is_documented() -> None:
    public = [getattr(estimation, name) for name in estimation.__all__]
    members = [getattr(item, name) for item in public for name in dir(item) if not name.startswith("_")]
    assert [item for item in public + members if not item.__doc__] == []
