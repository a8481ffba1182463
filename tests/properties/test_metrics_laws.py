"""The laws of metrics, for any rows: order, units, sides and parts do not matter; nothing raises but on bad arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_aiops.stats import metrics
from edge_aiops.stats.metrics import ConfusionMatrix, confusion_matrix

Numbers = NDArray[np.float64]

lengths = st.integers(0, 40)
anything = st.floats(allow_nan=True, allow_infinity=True)
coarse = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])


@st.composite
def scored(draw: st.DrawFn) -> tuple[Numbers, Numbers]:
    n = draw(lengths)
    elements = draw(st.sampled_from([coarse, st.floats(0, 1)]))
    labels = draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])))
    return labels, draw(arrays(np.float64, n, elements=elements))


@st.composite
def classes(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = draw(lengths)
    named = arrays(np.int64, n, elements=st.integers(-2, 3))
    return draw(named), draw(named)


@given(scored(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_the_order_of_rows_does_not_matter(rows: tuple[Numbers, Numbers], seed: int) -> None:
    labels, told = rows
    order = np.random.default_rng(seed).permutation(len(labels))
    for metric in (metrics.brier_score, metrics.log_loss, metrics.roc_auc, metrics.average_precision):
        one = metric(labels, told, resamples=0).value
        assert metric(labels[order], told[order], resamples=0).value == (one if one is None else pytest.approx(one))


@given(scored())
@settings(max_examples=60)
def test_an_area_only_knows_ranks_and_turns_with_the_labels(rows: tuple[Numbers, Numbers]) -> None:
    labels, told = rows
    area = metrics.roc_auc(labels, told, resamples=0).value
    for changed in (metrics.roc_auc(labels, 8 * told, resamples=0), metrics.roc_auc(1 - labels, -told, resamples=0)):
        assert changed.value == (area if area is None else pytest.approx(area))
    turned = metrics.roc_auc(1 - labels, told, resamples=0).value
    assert turned is None if area is None else turned == pytest.approx(1 - area)


@given(scored(), st.integers(1, 20), st.sampled_from(["equal-width", "equal-mass"]))
@settings(max_examples=60)
def test_bins_hold_every_row_and_the_largest_gap_is_no_less_than_the_mean(
    rows: tuple[Numbers, Numbers], bins: int, binning: str
) -> None:
    labels, told = rows
    curve = metrics.reliability_curve(labels, told, bins=bins, binning=binning)  # type: ignore[arg-type]
    assert sum(bin.n for bin in curve.bins) == len(labels) == curve.n
    options = {"bins": bins, "binning": binning, "resamples": 0}
    mean = metrics.expected_calibration_error(labels, told, **options).value  # type: ignore[arg-type]
    most = metrics.maximum_calibration_error(labels, told, **options).value  # type: ignore[arg-type]
    if mean is None:
        assert len(labels) == 0 and most is None
    else:
        gaps = [abs(bin.frequency - bin.mean_probability) for bin in curve.bins]
        assert mean == pytest.approx(sum(gap * bin.n for gap, bin in zip(gaps, curve.bins, strict=True)) / len(labels))
        assert most == pytest.approx(max(gaps)) and most >= mean - 1e-12


@given(classes(), classes(), classes())
@settings(max_examples=60)
def test_matrices_merge_in_any_order_to_that_of_all_rows(*parts: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
    a, b, c = (confusion_matrix(*part) for part in parts)
    whole = confusion_matrix(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    assert (a + b) + c == a + (b + c) == c + b + a == whole == whole + ConfusionMatrix()
    assert whole.n == sum(len(labels) for labels, _ in parts) == int(whole.counts.sum())


@given(classes())
@settings(max_examples=60)
def test_rates_are_within_their_intervals_and_those_within_0_and_1(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    matrix = confusion_matrix(*rows)
    found = [matrix.accuracy(), matrix.precision(0), matrix.recall(0), matrix.f1(0), matrix.f1("micro")]
    for result in found:
        if result.value is not None:
            assert result.low is not None and result.high is not None
            assert 0 <= result.low <= result.value <= result.high <= 1
    assert found[0].value == found[4].value


@given(arrays(np.float64, st.integers(0, 12), elements=anything), st.integers(0, 2**64 - 1))
@settings(max_examples=100)
def test_no_numbers_raise_or_give_a_number_that_is_none(numbers: Numbers, seed: int) -> None:
    labels = np.arange(len(numbers)) % 2
    for result in (
        metrics.mean_absolute_error(numbers, numbers[::-1], resamples=100, seed=seed),
        metrics.root_mean_squared_error(numbers, numbers[::-1], resamples=100, seed=seed),
        metrics.r_squared(numbers, numbers[::-1], resamples=100, seed=seed),
        metrics.roc_auc(labels, numbers, resamples=100, seed=seed),
        metrics.average_precision(labels, numbers, resamples=100, seed=seed),
    ):
        assert result.value is None or np.isfinite(result.value)
        assert result.value is not None or result.warnings
        assert (result.low is None) == (result.high is None) == (result.interval is None)
        assert result.low is None or result.high is None or result.low <= result.high
