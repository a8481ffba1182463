"""Evidence over time: it grows with drift only, goes on where it stopped, and refuses what it cannot take."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edge_aiops.stats.evidence as face
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.evidence import (
    BoundedMeanSequence,
    DriftEvidence,
    MeanSequence,
    RateSequence,
    normal_mixture_bound,
)
from edge_aiops.stats.summaries import moments

REFERENCE = np.full(10, 10_000)
QUIET = np.full(10, 30)
SHIFTED = np.array([15, 19, 22, 25, 28, 31, 34, 37, 41, 48])


def evidence(*windows: NDArray[Any], **options: Any) -> DriftEvidence:
    found = DriftEvidence(REFERENCE, **options)
    for window in windows:
        found = found.update(window)
    return found


def test_evidence_begins_at_one() -> None:
    found = evidence()
    assert (found.log_e, found.e_value, found.peak_log_e, found.anytime_p_value) == (0, 1, 0, 1)
    assert (found.n, found.windows, found.alarmed()) == (0, 0, False)


def test_drift_makes_evidence_and_quiet_windows_take_it_away() -> None:
    quiet, drifted = evidence(*[QUIET] * 5), evidence(*[SHIFTED] * 5)
    assert quiet.e_value < 1 < 20 < drifted.e_value
    assert drifted.anytime_p_value == pytest.approx(1 / drifted.e_value)
    assert drifted.alarmed(alpha=0.05) and drifted.alarmed(alpha=1e-6) and not quiet.alarmed(alpha=0.5)


def test_an_alarm_stays_although_the_evidence_falls() -> None:
    found = evidence(*[SHIFTED] * 3, *[QUIET] * 100, horizons=[None])
    assert found.log_e < found.peak_log_e
    assert found.alarmed() and found.anytime_p_value < 0.05 < 1 / found.e_value


def test_evidence_of_no_events_is_none_but_the_window_counts() -> None:
    found = evidence(np.zeros(10, dtype=np.int64))
    assert (found.windows, found.n) == (1, 0)
    assert found.log_e == pytest.approx(0, abs=1e-15)


def test_concentrations_decide_which_drift_is_seen_best() -> None:
    far, near = ([k] for k in (1e1, 1e4))
    small = QUIET * 20 + np.arange(10) * 5 - 22
    assert evidence(small, concentrations=near).log_e > evidence(small, concentrations=far).log_e
    assert evidence(SHIFTED[::-1] * 3, concentrations=far).log_e > 0


def test_horizons_find_what_quiet_weeks_would_dilute() -> None:
    windows = [QUIET] * 600 + [SHIFTED] * 4
    assert evidence(*windows).alarmed()
    assert not evidence(*windows, horizons=[None]).alarmed()


def test_a_bin_for_missing_values_makes_missingness_drift() -> None:
    found = DriftEvidence(np.array([50_000, 50_000, 100])).update(np.array([120, 120, 60]))
    assert found.alarmed(alpha=1e-9)


def test_a_window_of_any_size_does_not_alarm_where_shares_are_those_of_the_reference() -> None:
    for events in (1, 3, 10, 300, 10**6, 10**12):
        assert not DriftEvidence(np.array([1000, 1000])).update(np.array([events, events])).alarmed()


def test_a_small_reference_is_not_taken_for_the_truth() -> None:
    """Shares that differ by less than the error of 100 events are no drift, however many events show them."""
    shares = np.array([450_000, 550_000])
    assert not DriftEvidence(np.array([50, 50])).update(shares).alarmed(alpha=0.05)
    assert DriftEvidence(np.array([50_000, 50_000])).update(shares).alarmed(alpha=1e-9)


def test_without_restarts_evidence_is_that_of_the_pooled_counts() -> None:
    found = evidence(QUIET, SHIFTED, horizons=[None])
    assert found.log_e == evidence(QUIET + SHIFTED, horizons=[None]).log_e
    assert found.current_counts == (QUIET + SHIFTED).tolist()


def test_nodes_merge_to_the_evidence_of_their_pooled_counts_and_not_to_its_product() -> None:
    a, b = evidence(SHIFTED, horizons=[None]), evidence(SHIFTED, SHIFTED, horizons=[None])
    both = a + b
    assert both == a.merge(b) == b + a
    assert (both.n, both.windows) == (900, 3)
    assert both.log_e == evidence(SHIFTED * 3, horizons=[None]).log_e
    # A reference whose error is 3 deviations: each of three nodes sees it, but it is one error and not three.
    empty = DriftEvidence(np.array([645, 355]), horizons=[None])
    node = empty.update(np.array([6000, 4000]))
    assert (node + node + node).e_value < 20 < node.e_value**3


def test_a_fleet_sees_in_one_window_what_no_node_sees() -> None:
    slightly = np.array([28, 29, 29, 30, 30, 30, 30, 31, 31, 32])
    assert not evidence(slightly).alarmed()
    assert evidence(slightly * 200).alarmed()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (DriftEvidence(REFERENCE + 1, horizons=[None]), "different reference"),
        (DriftEvidence(REFERENCE, horizons=[None], concentrations=[1.0]), "different concentrations"),
        (DriftEvidence(REFERENCE, horizons=[None, 12]), "different concentrations or horizons"),
    ],
    ids=["reference", "concentrations", "horizons"],
)
def test_evidence_of_another_kind_is_not_merged(other: DriftEvidence, message: str) -> None:
    with pytest.raises(IncompatibleSummaries, match=message):
        evidence(horizons=[None]) + other


def test_evidence_that_restarts_is_not_merged_but_told_how() -> None:
    with pytest.raises(IncompatibleSummaries, match="add the counts of each window over the nodes"):
        evidence(QUIET) + evidence(QUIET)


def test_a_restart_forgets_everything_but_the_reference() -> None:
    assert evidence(*[SHIFTED] * 20).restart() == evidence()


def test_evidence_cannot_be_changed_and_update_leaves_it() -> None:
    found = evidence(QUIET)
    found.update(SHIFTED)
    assert found == evidence(QUIET)
    with pytest.raises(AttributeError):
        found.log_e = 1.0  # type: ignore[misc]


def test_what_evidence_was_made_with_can_be_read() -> None:
    found = DriftEvidence(np.array([1, 2], dtype=np.uint64), concentrations=[5.0], horizons=[7, None])
    assert (found.reference_counts, found.concentrations, found.horizons) == ([1, 2], [5.0], [7, None])
    assert DriftEvidence(REFERENCE).horizons == [None, 288, 12]
    assert DriftEvidence(REFERENCE).concentrations == [1e2, 1e3, 1e4]


@pytest.mark.parametrize(
    ("reference", "options", "message"),
    [
        (np.array([5]), {}, "two bins or more, but has 1"),
        (np.array([], dtype=np.int64), {}, "but has 0"),
        (np.array([5, -1]), {}, "must not be negative, but one is -1"),
        (np.full(2, 2**64 - 1, dtype=np.uint64), {}, r"reference_counts add up to more than 2\^64"),
        (REFERENCE, {"concentrations": []}, "concentrations must not be empty"),
        (REFERENCE, {"concentrations": [0.0]}, "concentrations must lie from 1e-6 to 1e12, but one is 0"),
        (REFERENCE, {"concentrations": [math.nan]}, "but one is NaN"),
        (REFERENCE, {"concentrations": [math.inf]}, "but one is inf"),
        (REFERENCE, {"horizons": []}, "horizons must be one to 16 different numbers of windows"),
        (REFERENCE, {"horizons": [0]}, "horizons must be"),
        (REFERENCE, {"horizons": range(1, 18)}, "horizons must be one to 16"),
        (REFERENCE, {"horizons": [-3]}, "horizons must be"),
        (REFERENCE, {"horizons": [None, 5, None]}, "16 different"),
    ],
    ids=str,
)
def test_evidence_that_cannot_be_is_refused_by_name(reference: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriftEvidence(reference, **options)


@pytest.mark.parametrize(
    ("window", "error", "message"),
    [
        (np.ones(9, dtype=np.int64), ValueError, "one count for each of the 10 bins, but has 9"),
        (-QUIET, ValueError, "current_counts must not be negative"),
        (QUIET * 1.0, TypeError, "int64 or uint64, not float64"),
        (QUIET.tolist(), TypeError, "NumPy array, not list"),
        (QUIET.reshape(2, 5), ValueError, "one dimension"),
        (np.full(10, 2**63, dtype=np.uint64), ValueError, r"current_counts add up to more than 2\^64"),
    ],
    ids=["short", "negative", "float", "list", "matrix", "too many"],
)
def test_a_window_that_cannot_be_is_refused_by_name(window: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evidence(QUIET).update(window)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan, math.inf])
def test_a_level_that_is_none_is_refused_by_name(alpha: float) -> None:
    values, rates = MeanSequence(), RateSequence()
    for ask in (
        lambda: evidence().alarmed(alpha=alpha),
        lambda: values.interval(alpha=alpha),
        lambda: rates.interval(alpha=alpha),
        lambda: BoundedMeanSequence().interval(alpha=alpha),
        lambda: rates.difference(rates, alpha=alpha),
    ):
        with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
            ask()


def mean_of(*values: NDArray[Any], **options: Any) -> MeanSequence:
    return MeanSequence(**options).update(np.concatenate(values))


def test_a_sequence_without_values_knows_nothing() -> None:
    assert MeanSequence(deviation=1.0).interval() == (-math.inf, math.inf)
    assert (MeanSequence().mean, MeanSequence().n, MeanSequence().log_e(3.0)) == (None, 0, 0.0)
    assert (RateSequence().interval(), RateSequence().rate, RateSequence().log_e(0.3)) == ((0, 1), None, 0.0)
    assert (BoundedMeanSequence().interval(), BoundedMeanSequence().mean) == ((0, 1), None)
    assert BoundedMeanSequence().log_e(0.3) == 0.0


def test_the_sample_deviation_is_not_relied_on_before_a_hundred_values() -> None:
    values = np.random.default_rng(0).normal(size=100)
    assert mean_of(values[:99]).interval() == (-math.inf, math.inf)
    assert mean_of(values[:99]).log_e(100.0) == 0
    lower, upper = mean_of(values).interval()
    assert lower < values.mean() < upper
    assert mean_of(np.ones(1000)).interval() == (-math.inf, math.inf)


def test_an_interval_is_tightest_where_it_was_asked_to_be() -> None:
    values = np.random.default_rng(1).normal(size=100_000)

    def width(n: int, tightest_at: int) -> float:
        lower, upper = mean_of(values[:n], deviation=1.0, tightest_at=tightest_at).interval()
        return upper - lower

    assert width(200, 200) < width(200, 100_000)
    assert width(100_000, 100_000) < width(100_000, 200)
    rate = RateSequence(tightest_at=100).update_counts(successes=50, failures=50).interval()
    later = RateSequence(tightest_at=10**6).update_counts(successes=50, failures=50).interval()
    assert rate[1] - rate[0] < later[1] - later[0]


def test_values_left_out_are_counted() -> None:
    values, missing = np.array([1.0, np.nan, 3.0, 9.0]), np.array([False, False, False, True])
    found = MeanSequence(deviation=1.0).update(values, missing=missing)
    assert (found.n, found.mean, found.moments.nan, found.moments.missing) == (2, 2.0, 1, 1)
    bounded = BoundedMeanSequence(upper=5.0).update(values, missing=missing)
    assert (bounded.n, bounded.mean, bounded.left_out) == (2, 2.0, 2)
    rate = RateSequence().update(np.array([True, False, True]), missing=np.array([False, False, True]))
    assert (rate.successes, rate.failures, rate.n, rate.rate) == (1, 1, 2, 0.5)


def test_a_mean_sequence_takes_summaries_of_other_nodes() -> None:
    values = np.random.default_rng(2).normal(size=500)
    assert MeanSequence().update_moments(moments(values)) == mean_of(values)


def test_a_rate_is_that_of_counts_and_of_outcomes_of_every_type() -> None:
    outcomes = np.random.default_rng(3).random(20_000) < 0.3
    counted = RateSequence().update_counts(successes=int(outcomes.sum()), failures=int((~outcomes).sum()))
    for dtype in (np.bool_, np.int64, np.float64, np.float32):
        assert RateSequence().update(outcomes.astype(dtype)) == counted


def test_a_rate_of_zero_or_one_is_refuted_by_one_event() -> None:
    found = RateSequence().update_counts(successes=1, failures=0)
    assert (found.e_value(0.0), found.e_value(1.0)) == (math.inf, 1.0)
    lower, upper = RateSequence().update_counts(successes=1000, failures=0).interval()
    assert 0.98 < lower < 1 == upper


def test_betting_is_narrow_where_values_vary_little() -> None:
    random = np.random.default_rng(4)
    narrow = BoundedMeanSequence().update(random.normal(0.4, 0.01, size=1000)).interval()
    wide = BoundedMeanSequence().update((random.random(1000) < 0.4).astype(np.float64)).interval()
    assert narrow[1] - narrow[0] < 0.03 < 0.07 < wide[1] - wide[0]


def test_steps_are_how_finely_the_interval_is_rounded() -> None:
    values = np.random.default_rng(5).beta(5, 5, size=1000)
    coarse, fine = (BoundedMeanSequence(steps=steps).update(values).interval() for steps in (8, 4096))
    assert coarse == (0.375, 0.625)
    assert 0.375 < fine[0] < values.mean() < fine[1] < 0.625


def test_bounds_in_any_unit_give_the_same_interval() -> None:
    values = np.random.default_rng(6).beta(2, 5, size=500)
    plain = BoundedMeanSequence().update(values)
    scaled = BoundedMeanSequence(lower=-10.0, upper=30.0).update(values * 40 - 10)
    assert scaled.interval() == pytest.approx([40 * end - 10 for end in plain.interval()])
    assert scaled.log_e(2.0) == pytest.approx(plain.log_e(0.3), abs=2)


def test_no_mean_fits_one_that_has_moved_far() -> None:
    found = BoundedMeanSequence().update(np.repeat([0.1, 0.9], 2000))
    lower, upper = found.interval()
    assert lower > upper or found.log_e(0.5) > 10


def test_between_points_of_the_grid_the_evidence_is_below_that_of_a_finer_grid() -> None:
    values = np.random.default_rng(7).beta(2, 5, size=300)
    coarse, fine = BoundedMeanSequence(steps=4).update(values), BoundedMeanSequence(steps=400).update(values)
    for null in (0.1, 0.25, 0.33, 0.6, 0.9):
        assert coarse.log_e(null) <= fine.log_e(null) + 1e-9


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            mean_of(np.random.default_rng(8).normal(0.5, 1, size=3000)),
            mean_of(np.random.default_rng(9).normal(size=9000)),
        ),
        (
            RateSequence().update_counts(successes=900, failures=100),
            RateSequence().update_counts(successes=7000, failures=3000),
        ),
        (
            BoundedMeanSequence().update(np.random.default_rng(10).beta(5, 3, size=2000)),
            BoundedMeanSequence().update(np.random.default_rng(11).beta(3, 5, size=1000)),
        ),
    ],
    ids=["mean", "rate", "bounded"],
)
def test_two_sequences_are_compared_by_the_difference_of_their_intervals(a: Any, b: Any) -> None:
    lower, upper = a.difference(b, alpha=0.05)
    (low_a, high_a), (low_b, high_b) = a.interval(alpha=0.025), b.interval(alpha=0.025)
    assert (lower, upper) == (low_a - high_b, high_a - low_b)
    assert 0 < lower < upper
    assert a.difference(a)[0] < 0 < a.difference(a)[1]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: MeanSequence(deviation=0.0), "deviation must be finite and greater than zero, but is 0"),
        (lambda: MeanSequence(tightest_at=0), "tightest_at must be at least 1"),
        (lambda: RateSequence(tightest_at=-1), "tightest_at must not be negative, but is -1"),
        (lambda: BoundedMeanSequence(lower=1.0, upper=1.0), "upper must be finite and greater than lower"),
        (lambda: BoundedMeanSequence(upper=math.nan), "upper must be finite"),
        (lambda: BoundedMeanSequence(steps=1), "steps must be from 2 to 65536, but is 1"),
        (lambda: BoundedMeanSequence().update(np.array([0.5, 1.5])), "must lie from 0.0 to 1.0, but one is 1.5"),
        (lambda: BoundedMeanSequence().update(np.array([math.inf])), "one is inf"),
        (lambda: BoundedMeanSequence().log_e(1.5), "null must lie from 0.0 to 1.0, but is 1.5"),
        (lambda: RateSequence().update(np.array([0.0, 0.5])), "outcomes must be true or false, 1 or 0, but one is 0.5"),
        (lambda: RateSequence().update(np.array([math.nan])), "mark it in missing"),
        (lambda: RateSequence().update_counts(successes=-1, failures=0), "successes must not be negative"),
        (lambda: RateSequence().log_e(1.1), "null must lie between 0 and 1, but is 1.1"),
        (lambda: MeanSequence().log_e(math.nan), "null must be finite, but is NaN"),
        (lambda: normal_mixture_bound(-1.0, v_opt=1.0), "v must be finite and not negative"),
        (lambda: normal_mixture_bound(1.0, v_opt=0.0), "v_opt must be finite and greater than zero"),
        (lambda: normal_mixture_bound(1.0, v_opt=1.0, alpha_opt=0.5), "alpha_opt must be below 0.5 for a one-sided"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arguments_that_cannot_be_are_refused_by_name(ask: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ask()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (MeanSequence(), MeanSequence(tightest_at=5)),
        (MeanSequence(), MeanSequence(deviation=1.0)),
        (RateSequence(), RateSequence(tightest_at=5)),
        (BoundedMeanSequence(), BoundedMeanSequence(steps=5)),
        (BoundedMeanSequence(), BoundedMeanSequence(upper=2.0)),
    ],
    ids=repr,
)
def test_sequences_made_differently_are_not_merged(a: Any, b: Any) -> None:
    with pytest.raises(IncompatibleSummaries, match="the two have different"):
        a + b


TRAVELLERS = [
    evidence(*[QUIET] * 30, SHIFTED),
    MeanSequence(deviation=2.0).update(np.arange(5.0)),
    MeanSequence().update(np.arange(500.0)),
    RateSequence().update_counts(successes=3, failures=4),
    BoundedMeanSequence(steps=7).update(np.linspace(0, 1, 40)),
]


@pytest.mark.parametrize("traveller", TRAVELLERS, ids=lambda it: type(it).__name__)
def test_bytes_give_the_same_back_and_nothing_else_reads_them(traveller: Any) -> None:
    data = traveller.to_bytes()
    assert type(traveller).from_bytes(data) == traveller
    assert type(traveller).from_bytes(data).to_bytes() == data
    for damaged in (
        b"",
        data[:-1],
        data + b"\0",
        data.replace(b"ES", b"EX"),
        bytes([*data[:9], data[9] ^ 1, *data[10:]]),
    ):
        with pytest.raises(UnreadableSummary):
            type(traveller).from_bytes(damaged)
    for other in {type(it) for it in TRAVELLERS} - {type(traveller)}:
        with pytest.raises(UnreadableSummary, match="kind"):
            other.from_bytes(data)
    for travel in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="pickle"):
            travel(traveller)


def test_evidence_of_a_month_fits_into_few_bytes() -> None:
    windows = np.random.default_rng(12).multinomial(300, np.full(10, 0.1), size=1000)
    assert len(evidence(*windows).to_bytes()) < 200


@pytest.mark.parametrize("traveller", TRAVELLERS, ids=lambda it: type(it).__name__)
def test_everything_is_equal_by_value_and_no_key(traveller: Any) -> None:
    assert traveller == type(traveller).from_bytes(traveller.to_bytes())
    assert traveller != 3
    with pytest.raises(TypeError):
        hash(traveller)


def test_everything_shows_what_it_holds() -> None:
    assert repr(evidence()) == "DriftEvidence(windows=0, n=0, log_e=0.0, peak_log_e=0.0)"
    assert repr(RateSequence()) == "RateSequence(successes=0, failures=0, rate=None)"
    assert repr(MeanSequence()) == "MeanSequence(n=0, mean=None, interval=(-inf, inf))"
    assert repr(BoundedMeanSequence()) == "BoundedMeanSequence(n=0, mean=None, interval=(0.0, 1.0))"


def test_everything_public_is_documented() -> None:
    public = [getattr(face, name) for name in face.__all__]
    types = [item for item in public if isinstance(item, type)]
    public += [getattr(item, name) for item in types for name in vars(item) if not name.startswith("_")]
    assert [item for item in public if not item.__doc__] == []


@pytest.mark.parametrize(("v", "v_opt"), [(1.0, 1e-320), (1e200, 1e-300), (1e308, 1e308)])
def test_a_bound_beyond_the_range_of_numbers_is_refused(v: float, v_opt: float) -> None:
    with pytest.raises(ValueError, match=r"^v_opt must be closer to v or smaller"):
        normal_mixture_bound(v, v_opt=v_opt, alpha_opt=0.499999)
