"""The laws of estimation, for any rows: order does not matter, bytes are exact, and no bytes do harm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.estimation import LossEstimator, PerformanceEstimator

Numbers = NDArray[np.float64]

METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")


@st.composite
def classified(draw: st.DrawFn) -> tuple[Numbers, Numbers, Numbers]:
    n = draw(st.integers(1, 60))
    probabilities = draw(arrays(np.float64, n, elements=st.floats(0, 1)))
    zero_or_one = arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0]))
    return probabilities, draw(zero_or_one), draw(zero_or_one)


@st.composite
def measured(draw: st.DrawFn) -> tuple[Numbers, Numbers, Numbers]:
    n, columns = draw(st.integers(1, 60)), draw(st.integers(1, 3))
    features = draw(arrays(np.float64, (n, columns), elements=st.floats(allow_nan=True, allow_infinity=True)))
    numbers = arrays(np.float64, n, elements=st.floats(-1e60, 1e60))
    return features, draw(numbers), draw(numbers)


@given(classified(), classified())
@settings(max_examples=60)
def test_estimates_are_bounded_whatever_was_told(
    reference: tuple[Numbers, Numbers, Numbers], current: tuple[Numbers, Numbers, Numbers]
) -> None:
    estimator = PerformanceEstimator.fit(*reference)
    assert PerformanceEstimator.from_bytes(estimator.to_bytes()) == estimator
    probabilities, predictions, _ = current
    found = estimator.estimate(probabilities, predictions)
    turned = estimator.estimate(probabilities[::-1], predictions[::-1])
    assert found.confusion.sum() == pytest.approx(len(probabilities))
    for name in METRICS:
        estimate, reverse = getattr(found, name), getattr(turned, name)
        assert (estimate.value is None) == bool(estimate.warnings)
        assert reverse.value == (None if estimate.value is None else pytest.approx(estimate.value))
        assert estimate.value is None or -1e-12 <= estimate.value <= 1 + 1e-12
        assert estimate.low is None or 0 <= estimate.low <= estimate.high <= 1


@given(measured())
@settings(max_examples=40)
def test_losses_are_numbers_for_any_features(rows: tuple[Numbers, Numbers, Numbers]) -> None:
    features, predictions, labels = rows
    estimator = LossEstimator.fit(features, predictions, labels)
    assert LossEstimator.from_bytes(estimator.to_bytes()) == estimator
    found = estimator.estimate(features, predictions)
    # On the rows learnt from, the mean of what a model of least squares says is their mean.
    errors = np.abs(predictions - labels)
    assert found.value == pytest.approx(errors.mean(), rel=1e-6, abs=1e-9 * errors.max())


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes) -> None:
    for kind, estimator in ((18, PerformanceEstimator), (19, LossEstimator)):
        for given in (data, b"ES" + bytes([kind, 1]) + data):
            with pytest.raises(UnreadableSummary):
                estimator.from_bytes(given)  # type: ignore[attr-defined]
