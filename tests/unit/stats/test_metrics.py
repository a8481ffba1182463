"""Metrics: what they are on small examples, how their intervals hold, and what they say when there is no number."""

import math
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
from numpy.typing import NDArray

from edge_aiops.stats import IncompatibleSummaries, metrics
from edge_aiops.stats.metrics import ConfusionMatrix, MetricResult

Numbers = NDArray[np.float64]
Metric = Callable[..., MetricResult]

OF_PROBABILITIES: list[Metric] = [
    metrics.brier_score,
    metrics.log_loss,
    metrics.roc_auc,
    metrics.average_precision,
    metrics.expected_calibration_error,
    metrics.maximum_calibration_error,
]
OF_NUMBERS: list[Metric] = [metrics.mean_absolute_error, metrics.root_mean_squared_error, metrics.r_squared]
ALL = OF_PROBABILITIES + OF_NUMBERS

LABELS = np.array([0, 0, 1, 1, 0, 1, 1, 0])
TOLD = np.array([0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.6, 0.5])


def codes(result: Any) -> list[str]:
    return [warning.code for warning in result.warnings]


def classified(
    n: int, seed: int, *, certainty: float = 1.5, told: float = 1.5, shift: float = 0.0
) -> tuple[Numbers, ...]:
    """Labels of a logistic model and probabilities, calibrated if told is the certainty."""
    random = np.random.default_rng(seed)
    score = random.normal(size=n)
    labels = (random.random(n) < 1 / (1 + np.exp(shift - certainty * score))).astype(np.float64)
    return labels, 1 / (1 + np.exp(shift - told * score))


def measured(n: int, seed: int) -> tuple[Numbers, ...]:
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    return truth + random.normal(scale=0.5, size=n), truth


@pytest.mark.parametrize("metric", ALL)
def test_a_result_says_what_it_is(metric: Metric) -> None:
    found = metric(*classified(200, 0))
    assert found.metric == metric.__name__.replace("_", " ")
    assert (found.n, found.confidence, found.warnings) == (200, 0.95, [])
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.low < found.high
    assert found.interval in ("bootstrap, bca", "bootstrap, test inversion")
    assert repr(found).startswith(f"MetricResult(metric={found.metric!r}".replace("'", '"'))


# Each row: the metric, 95 % intervals of which are simulated at n = 300, and where the data come from.
COVERED: list[tuple[str, Metric, Callable[[int, int], tuple[Numbers, ...]]]] = [
    ("brier score", metrics.brier_score, classified),
    ("log loss", metrics.log_loss, classified),
    ("roc auc", metrics.roc_auc, classified),
    ("average precision", metrics.average_precision, classified),
    ("rare class", metrics.roc_auc, lambda n, seed: classified(n, seed, shift=2.5)),
    ("calibrated", metrics.expected_calibration_error, classified),
    ("overconfident", metrics.expected_calibration_error, lambda n, seed: classified(n, seed, told=3.0)),
    ("mean absolute error", metrics.mean_absolute_error, measured),
    ("root mean squared error", metrics.root_mean_squared_error, measured),
    ("r squared", metrics.r_squared, measured),
]


@pytest.mark.parametrize(("name", "metric", "drawn"), COVERED, ids=[name for name, *_ in COVERED])
def test_intervals_hold_the_truth_as_often_as_they_say(
    name: str, metric: Metric, drawn: Callable[[int, int], tuple[Numbers, ...]]
) -> None:
    truth = metric(*drawn(1_000_000, 1), resamples=0).value
    found = [metric(*drawn(300, seed), resamples=400, seed=seed) for seed in range(10, 310)]
    held = sum(it.low <= truth <= it.high for it in found)  # type: ignore[operator]
    # Of 300 intervals that hold the truth in 93 to 97 %, this many do, but for one time in ten thousand.
    assert 262 <= held <= 300, f"{name}: {held} of 300"


@pytest.mark.parametrize(("average", "fewest"), [(1, 262), ("macro", 262), ("micro", 262), ("weighted", 262)])
@pytest.mark.parametrize("method", ["precision", "recall", "f1"])
def test_intervals_of_rates_hold_the_truth_as_often_as_they_say(method: str, average: Any, fewest: int) -> None:
    def drawn(n: int, seed: int) -> ConfusionMatrix:
        random = np.random.default_rng(seed)
        labels = random.choice(3, p=[0.6, 0.3, 0.1], size=n)
        return metrics.confusion_matrix(labels, np.where(random.random(n) < 0.7, labels, random.integers(3, size=n)))

    truth = getattr(drawn(1_000_000, 1), method)(average, resamples=0).value
    found = [getattr(drawn(300, seed), method)(average, resamples=400, seed=seed) for seed in range(10, 310)]
    assert sum(it.low <= truth <= it.high for it in found) >= fewest


def test_an_interval_is_the_same_for_a_seed_and_another_for_another() -> None:
    labels, told = classified(200, 0)
    one = metrics.roc_auc(labels, told)
    assert one == metrics.roc_auc(labels, told, seed=0, resamples=1000, confidence=0.95)
    assert one.value == metrics.roc_auc(labels, told, seed=1).value
    assert one.low != metrics.roc_auc(labels, told, seed=1).low
    assert one.low != metrics.roc_auc(labels, told, resamples=999).low
    # The same on every machine, but for the last digits of a logarithm.
    assert (one.low, one.high) == (pytest.approx(0.7514662983655095), pytest.approx(0.8693420105000886))


@pytest.mark.parametrize("metric", ALL)
def test_more_confidence_takes_a_wider_interval_and_no_resamples_give_none(metric: Metric) -> None:
    labels, told = classified(200, 0, told=3.0)
    found = [metric(labels, told, confidence=confidence) for confidence in (0.5, 0.9, 0.99)]
    lows, highs = [it.low for it in found], [it.high for it in found]
    assert lows == sorted(lows, reverse=True) and highs == sorted(highs)  # type: ignore[type-var]
    without = metric(labels, told, resamples=0)
    assert (without.value, without.low, without.high, without.interval) == (found[0].value, None, None, None)


def test_how_many_bins_and_where_they_lie_matters() -> None:
    labels, told = classified(500, 0, told=3.0)
    for metric in (metrics.expected_calibration_error, metrics.maximum_calibration_error):
        values = [
            metric(labels, told, bins=bins, binning=binning, resamples=0).value
            for bins in (5, 10, 20)
            for binning in ("equal-width", "equal-mass")
        ]
        assert len(set(values)) == 6
    curves = [metrics.reliability_curve(labels, told, bins=7, binning=it) for it in ("equal-width", "equal-mass")]
    assert [bin.upper for bin in curves[0].bins] == [pytest.approx(i / 7) for i in range(1, 8)]
    assert all(bin.n in (71, 72) for bin in curves[1].bins)


def test_the_reliability_curve_tells_said_from_happened() -> None:
    curve = metrics.reliability_curve(LABELS, TOLD, bins=2, confidence=0.9)
    assert (curve.n, curve.confidence, curve.warnings) == (8, 0.9, [])
    low, high = curve.bins
    assert (low.lower, low.upper, low.n, low.frequency) == (0.0, 0.5, 5, 0.2)
    assert low.mean_probability == pytest.approx(0.31)
    assert (high.lower, high.upper, high.n, high.frequency, high.high) == (0.5, 1.0, 3, 1.0, 1.0)
    assert low.low < 0.2 < low.high < metrics.reliability_curve(LABELS, TOLD, bins=2, confidence=0.99).bins[0].high


def test_a_calibrated_model_may_have_an_error_of_zero() -> None:
    found = metrics.expected_calibration_error(*classified(300, 4))
    assert found.value is not None and found.value > 0.02
    assert found.low == 0.0


def test_equal_scores_count_half_wherever_they_stand() -> None:
    labels = np.array([0, 1, 0, 1, 1, 0])
    for order in (np.arange(6), np.arange(6)[::-1], np.array([3, 0, 5, 1, 4, 2])):
        assert metrics.roc_auc(labels[order], np.full(6, 0.3)).value == 0.5
        assert metrics.average_precision(labels[order], np.full(6, 0.3)).value == 0.5
    assert metrics.roc_auc(np.array([0, 1]), np.array([-0.0, 0.0])).value == 0.5


def test_scores_need_not_be_probabilities() -> None:
    assert metrics.roc_auc(np.array([0, 1, 1]), np.array([-np.inf, 3e300, np.inf])).value == 1.0


@pytest.mark.parametrize("metric", ALL)
def test_no_rows_give_no_number_but_a_warning(metric: Metric) -> None:
    for labels in (np.array([]), np.array([np.nan, np.nan])):
        found = metric(labels, labels)
        assert (found.value, found.low, found.high, found.interval, found.n) == (None, None, None, None, 0)
        assert "too_few_values" in codes(found)


@pytest.mark.parametrize("metric", ALL)
def test_rows_that_are_not_known_are_left_out_and_counted(metric: Metric) -> None:
    labels, told = classified(100, 0)
    holes = labels.copy(), told.copy()
    holes[0][:10], holes[1][5:20] = np.nan, np.nan
    found = metric(*holes, resamples=0)
    assert (found.n, codes(found)) == (80, ["left_out"])
    assert found.value == metric(labels[20:], told[20:], resamples=0).value


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_has_no_area(value: int) -> None:
    labels, told = np.full(50, value), np.linspace(0, 1, 50)
    assert (metrics.roc_auc(labels, told).value, codes(metrics.roc_auc(labels, told))) == (None, ["one_class"])
    precision = metrics.average_precision(labels, told)
    assert (precision.value, codes(precision)) == ((None, ["one_class"]), (1.0, ["degenerate_interval"]))[value]


def test_a_constant_label_has_no_variance_to_explain() -> None:
    found = metrics.r_squared(np.full(9, 0.1), np.arange(9.0))
    assert (found.value, codes(found)) == (None, ["constant"])


def test_one_row_has_a_value_and_no_interval() -> None:
    found = metrics.mean_absolute_error(np.array([1.0]), np.array([3.0]))
    assert (found.value, found.low, codes(found)) == (2.0, None, ["no_interval"])


def test_a_perfect_ranking_warns_that_resamples_do_not_differ() -> None:
    found = metrics.roc_auc(np.repeat([0, 1], 20), np.arange(40.0))
    assert (found.value, found.low, found.high, codes(found)) == (1.0, 1.0, 1.0, ["degenerate_interval"])


def test_bins_that_cannot_vary_warn_that_resamples_do_not_differ() -> None:
    found = metrics.maximum_calibration_error(np.repeat([0, 1], 20), np.repeat([0.5, 0.9], 20))
    assert (found.low, codes(found)) == (found.high, ["degenerate_interval"])
    assert found.low == pytest.approx(0.5) == found.value


def test_resamples_without_a_class_are_left_out_and_counted() -> None:
    labels = np.zeros(50)
    labels[10] = 1
    found = metrics.roc_auc(labels, np.arange(50.0))
    assert found.low is not None
    (warning,) = found.warnings
    assert warning.code == "resamples_left_out" and "of 1000 resamples" in warning.message


def test_certainty_of_what_did_not_happen_costs_36_nats_and_is_counted() -> None:
    found = metrics.log_loss(np.array([1, 0, 1]), np.array([0.0, 1.0, 1.0]))
    assert found.value == pytest.approx(2 * 52 * math.log(2) / 3)
    assert "clipped" in codes(found) and "in 2 rows" in found.warnings[0].message


def test_two_columns_say_the_same_as_one() -> None:
    labels, told = classified(100, 3)
    both = metrics.log_loss(labels, np.column_stack([1 - told, told]))
    assert both == metrics.log_loss(labels, told)
    assert metrics.log_loss(labels, np.asfortranarray(np.column_stack([1 - told, told]))) == both


def test_infinite_errors_are_left_out_and_counted() -> None:
    found = metrics.mean_absolute_error(np.array([1.0, 2.0, np.inf]), np.array([2.0, -np.inf, 0.0]))
    assert (found.value, found.n, codes(found)) == (1.0, 1, ["infinite_left_out", "no_interval"])


def test_a_square_beyond_all_numbers_is_no_number() -> None:
    found = metrics.root_mean_squared_error(np.array([1e200, 0.0]), np.array([-1e200, 0.0]))
    assert (found.value, found.low, codes(found)) == (None, None, ["overflow"])


def test_an_offset_of_a_billion_costs_r_squared_no_digits() -> None:
    random = np.random.default_rng(0)
    labels = 1e9 + random.normal(size=500)
    told = labels + random.normal(scale=0.3, size=500)
    exact = [Fraction(label) for label in labels.tolist()]
    mean = sum(exact) / 500
    errors = sum((label - Fraction(it)) ** 2 for label, it in zip(exact, told.tolist(), strict=True))
    expected = 1 - errors / sum((label - mean) ** 2 for label in exact)
    assert metrics.r_squared(labels, told).value == pytest.approx(float(expected), rel=1e-12)


def test_rates_of_a_class_come_from_the_matrix_with_wilsons_interval() -> None:
    matrix = ConfusionMatrix.of_counts([0, 1], np.array([[50, 10], [5, 35]]))
    assert (matrix.n, matrix.classes, matrix.counts.tolist()) == (100, [0, 1], [[50, 10], [5, 35]])
    assert (matrix.accuracy().value, matrix.recall().value) == (0.85, 0.875)
    precision = matrix.precision(1)
    assert precision.value == pytest.approx(35 / 45) and precision.interval == "wilson score"
    expected = scipy.stats.binomtest(35, 45).proportion_ci(confidence_level=0.95, method="wilson")
    assert (precision.low, precision.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    f1 = matrix.f1()
    assert f1.value == pytest.approx(70 / 85)
    assert f1.low is not None and f1.high is not None and f1.low < 70 / 85 < f1.high
    assert matrix.precision(0).value == pytest.approx(50 / 55)


def test_a_perfect_rate_still_has_an_interval() -> None:
    found = metrics.confusion_matrix(np.arange(10), np.arange(10)).accuracy()
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.7225, abs=1e-4)


def test_matrices_of_parts_add_up() -> None:
    random = np.random.default_rng(0)
    labels, predictions = random.integers(-3, 4, size=(2, 1000))
    whole = metrics.confusion_matrix(labels, predictions)
    parts = [
        metrics.confusion_matrix(*part) for part in zip(np.split(labels, 10), np.split(predictions, 10), strict=True)
    ]
    assert sum(parts, ConfusionMatrix()) == whole == sum(reversed(parts), ConfusionMatrix())
    assert ConfusionMatrix.of_counts(whole.classes, whole.counts) == whole
    assert whole.f1("macro") == ConfusionMatrix.of_counts(whole.classes, whole.counts).f1("macro")


def test_a_class_that_was_never_predicted_has_no_precision() -> None:
    matrix = metrics.confusion_matrix(np.array([0, 1, 2, 0]), np.array([0, 0, 2, 0]))
    assert (matrix.precision(1).value, codes(matrix.precision(1))) == (None, ["undefined"])
    assert (matrix.recall(1).value, matrix.f1(1).value) == (0.0, 0.0)
    assert (matrix.recall(9).value, matrix.f1(9).value, codes(matrix.f1(9))) == (None, None, ["undefined"])
    macro = matrix.precision("macro")
    assert macro.value == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert codes(macro) == ["undefined_classes"]


def test_averages_differ_where_classes_do() -> None:
    matrix = ConfusionMatrix.of_counts([1, 2, 3], np.array([[80, 10, 10], [5, 10, 5], [1, 1, 8]], dtype=np.uint64))
    values = {average: matrix.recall(average).value for average in ("macro", "micro", "weighted")}
    assert values == {
        "macro": pytest.approx((0.8 + 0.5 + 0.8) / 3),
        "micro": matrix.accuracy().value,
        "weighted": pytest.approx(matrix.accuracy().value),
    }
    assert matrix.precision("macro").interval == "bootstrap, bca"
    assert matrix.precision("macro", seed=1).low != matrix.precision("macro").low
    assert matrix.precision("macro", resamples=0).low is None


def test_counts_of_any_size_are_resampled_at_once() -> None:
    counts = np.array([[10**12, 10**11], [10**10, 10**12]])
    found = ConfusionMatrix.of_counts([0, 1], counts).f1("macro")
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.low < found.value < found.high and found.high - found.low < 1e-5
    huge = ConfusionMatrix.of_counts([0, 1], np.full((2, 2), 2**64 - 1, dtype=np.uint64))
    assert (huge + huge).n == 2**64 - 1
    assert huge.precision("weighted").value is not None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.roc_auc([0, 1], TOLD), TypeError, "labels must be a NumPy array, not list"),
        (lambda: metrics.roc_auc(LABELS, TOLD[:3]), ValueError, "scores must have one entry for each of the 8 labels"),
        (lambda: metrics.brier_score(LABELS + 1, TOLD), ValueError, "labels must be 0 or 1 .* row 2 has 2"),
        (lambda: metrics.brier_score(LABELS, TOLD * 2), ValueError, "probabilities must be from 0 to 1, but row 3"),
        (lambda: metrics.log_loss(LABELS, np.full((8, 2), 0.6)), ValueError, "must add up to 1 in each row, but row 0"),
        (lambda: metrics.log_loss(LABELS * 2, np.full((8, 2), 0.5)), ValueError, "from 0 to 1, but row 2 has 2"),
        (lambda: metrics.log_loss(LABELS, np.ones((8, 1))), ValueError, "at least 2 classes, but has 1"),
        (lambda: metrics.log_loss(LABELS, np.zeros((8, 0))), ValueError, "at least 2 classes, but has 0"),
        (lambda: metrics.log_loss(LABELS, np.zeros((8, 2, 1))), ValueError, "one dimension"),
        (lambda: metrics.r_squared(TOLD, np.ma.masked_invalid(TOLD)), TypeError, "mask would be lost"),
        (
            lambda: metrics.roc_auc(LABELS, TOLD, resamples=5),
            ValueError,
            "resamples must be 0 .* 100 to 10000 .* not 5",
        ),
        (lambda: metrics.roc_auc(LABELS, TOLD, resamples=10**9), ValueError, "resamples must be"),
        (
            lambda: metrics.roc_auc(LABELS, TOLD, confidence=95),
            ValueError,
            "confidence must be between 0 and 1.* not 95",
        ),
        (lambda: metrics.roc_auc(LABELS, TOLD, confidence=math.nan), ValueError, "confidence must be"),
        (lambda: metrics.reliability_curve(LABELS, TOLD, bins=0), ValueError, "bins must be from 1 to 1000.* not 0"),
        (lambda: metrics.reliability_curve(LABELS, TOLD, binning="log"), ValueError, "'equal-width' or 'equal-mass'"),
        (lambda: metrics.confusion_matrix(TOLD, TOLD), ValueError, "labels must be whole numbers .* row 0 has 0.1"),
        (lambda: metrics.confusion_matrix(np.arange(2000), np.arange(2000)), ValueError, "at most 1000 classes"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS).f1("mean"), ValueError, "'weighted', not \"mean\""),
        (lambda: metrics.confusion_matrix(LABELS, LABELS).f1(0.5), TypeError, "of"),
        (lambda: ConfusionMatrix.of_counts([0, 1], np.zeros((3, 3), np.int64)), ValueError, "each of the 2 classes"),
        (lambda: ConfusionMatrix.of_counts([0, 0], np.zeros((2, 2), np.int64)), ValueError, "name each class once"),
        (lambda: ConfusionMatrix.of_counts([0], np.array([[-1]])), ValueError, "must not be negative"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_matrices_of_too_many_classes_do_not_merge() -> None:
    left, right = (metrics.confusion_matrix(*[np.arange(first, first + 600)] * 2) for first in (0, 600))
    with pytest.raises(IncompatibleSummaries, match="at most 1000 classes"):
        left + right


def test_results_are_frozen_and_equal_by_value() -> None:
    found = metrics.confusion_matrix(LABELS, LABELS)
    with pytest.raises(AttributeError):
        found.accuracy().value = 1.0  # type: ignore[misc]
    assert found == metrics.confusion_matrix(LABELS, LABELS) != ConfusionMatrix()
    with pytest.raises(TypeError):
        hash(found)


def test_everything_public_is_documented() -> None:
    public = [getattr(metrics, name) for name in metrics.__all__]
    members = [
        getattr(item, name)
        for item in public
        if isinstance(item, type)
        for name in dir(item)
        if not name.startswith("_")
    ]
    assert [item for item in public + members if not item.__doc__] == []


@pytest.fixture
def threads_that_wait() -> Iterator[None]:
    """Keeps a thread from taking the interpreter lock unless it is given away."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("threads_that_wait")
def test_other_threads_run_while_intervals_are_made() -> None:
    labels, told = classified(20_000, 0)
    ready, ran = threading.Lock(), threading.Event()

    def wait_and_say() -> None:
        with ready:
            ran.set()

    with ready:
        other = threading.Thread(target=wait_and_say)
        other.start()
    # Nothing here but the call gives the lock away. Once may be too short for the system to wake the thread.
    ran_meanwhile = any(metrics.roc_auc(labels, told).n and ran.is_set() for _ in range(50))
    other.join()
    assert ran_meanwhile


@pytest.mark.parametrize("of", [1.0, "\ud800", None, 2**64, np.array([1])])
def test_what_names_no_class_is_refused_in_a_sentence(of: Any) -> None:
    with pytest.raises(TypeError, match=r"^of must be a class, an integer of 64 bits, or "):
        ConfusionMatrix().precision(of)


@pytest.mark.parametrize(("number", "written"), [(1.7e308, "1.7e308"), (-5e-324, "-5e-324")])
def test_a_number_that_is_refused_is_not_written_out_in_hundreds_of_digits(number: float, written: str) -> None:
    with pytest.raises(ValueError, match=r"^labels must be 0 or 1") as refusal:
        metrics.roc_auc(np.array([number]), np.array([0.5]))
    assert written in str(refusal.value) and len(str(refusal.value)) < 120
