"""Quantiles: what goes in, what comes out, and what is refused."""

import math
import threading
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Latency, Quantiles


def quantiles(values: Any, missing: Any = None) -> Quantiles:
    summary = Quantiles()
    summary.update(np.asarray(values), missing=missing)
    return summary


def test_without_values_there_are_no_quantiles() -> None:
    summary = Quantiles()
    assert (summary.count, summary.minimum, summary.maximum) == (0, None, None)
    assert (summary.quantile(0.5), summary.quantiles([0.5]), summary.rank(1.0)) == (None, None, None)


@pytest.mark.parametrize("size", [1, 2, 7, 200])
def test_quantiles_of_few_values_are_exact(size: int) -> None:
    values = np.random.default_rng(size).permutation(size).astype(np.float64)
    summary, qs = quantiles(values), np.linspace(0, 1, 21)
    assert summary.quantiles(qs.tolist()) == np.quantile(values, qs, method="inverted_cdf").tolist()
    assert [summary.rank(value) for value in values] == [(value + 1) / size for value in values]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
@pytest.mark.parametrize("size", [100, 5000])
def test_every_type_of_number_is_read(dtype: type, size: int) -> None:
    values: Any = np.arange(size).astype(dtype)
    summary = quantiles(values)
    assert (summary.count, summary.minimum, summary.maximum) == (size, values.min(), values.max())


@pytest.mark.parametrize("size", [30, 1000, 1024, 20_000])
def test_nan_and_missing_values_are_left_out(size: int) -> None:
    values, missing = np.arange(size, dtype=np.float64), np.arange(size) % 3 == 0
    values[1::3] = np.nan
    summary = quantiles(values, missing)
    kept = np.arange(size)[2::3]
    assert (summary.count, summary.minimum, summary.maximum) == (len(kept), kept[0], kept[-1])
    assert summary.rank(size / 2) == pytest.approx((kept <= size / 2).mean(), abs=0.04)


def test_infinities_are_the_least_and_the_greatest_values() -> None:
    summary = quantiles([-math.inf, 1.0, 2.0, math.inf, 1e300])
    assert (summary.count, summary.minimum, summary.maximum) == (5, -math.inf, math.inf)
    assert summary.rank(2.0) == 0.6
    assert summary.quantile(0.8) == math.inf  # what single precision cannot hold


def test_values_are_rounded_to_single_precision_and_compared_so() -> None:
    summary = quantiles([0.1, 16_777_217.0])
    assert summary.quantiles([0.0, 1.0]) == [float(np.float32(0.1)), 16_777_216.0]
    assert (summary.rank(0.1), summary.rank(16_777_217.0)) == (0.5, 1.0)


def test_values_one_by_one_are_as_good_as_an_array() -> None:
    summary = Quantiles()
    for value in (3.0, math.nan, 1.0, 2.0):
        summary.add(value)
    assert summary == quantiles([3.0, 1.0, 2.0])


def test_merging_adds_and_changes_neither() -> None:
    left, right = quantiles([1.0, 2.0]), quantiles([3.0])
    both = left + right
    assert (both.count, both.quantile(0.5), left.count, right.count) == (3, 2.0, 2, 1)
    assert (both + both).count == 6
    assert sum([left, right], Quantiles()) == both


def test_the_bytes_of_a_window_are_few() -> None:
    values = np.random.default_rng(0).normal(size=300)
    assert len(quantiles(values).to_bytes()) < 1100
    assert len(quantiles(np.tile(values, 3000)).to_bytes()) < 3000


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_share_outside_of_the_whole_is_refused(q: float) -> None:
    for summary in (quantiles([1.0]), Quantiles()):
        with pytest.raises(ValueError, match="q must be within 0 and 1"):
            summary.quantile(q)
        with pytest.raises(ValueError, match="q must be within 0 and 1"):
            summary.quantiles([0.5, q])


def test_nan_has_no_rank() -> None:
    with pytest.raises(ValueError, match="value is NaN"):
        quantiles([1.0]).rank(math.nan)


@pytest.mark.parametrize("values", [[1.0], np.array(["a"]), np.zeros(3, dtype=np.int32), np.zeros((2, 2))])
def test_what_is_no_column_of_numbers_is_refused_and_nothing_added(values: Any) -> None:
    summary = quantiles([5.0])
    with pytest.raises((TypeError, ValueError), match="values must"):
        summary.update(values)
    assert summary.count == 1


def test_bytes_of_another_summary_are_refused_by_name() -> None:
    with pytest.raises(UnreadableSummary, match="kind 7, not of kind 5"):
        Quantiles.from_bytes(Latency().to_bytes())
    with pytest.raises(UnreadableSummary, match="not a summary"):
        Quantiles.from_datasketches(b"ES")
    with pytest.raises(UnreadableSummary, match="damaged"):
        Quantiles.from_bytes(quantiles([1.0]).to_bytes()[:-1])


def test_more_values_than_any_stream_has_do_not_merge() -> None:
    # A sketch in which few values stand for 2**52 each, as only a forger writes it.
    levels = 53
    room = sum(max(8, round(200 * (2 / 3) ** depth)) for depth in range(levels))
    below, one = (room - 1).to_bytes(4, "little"), np.float32(1.0).tobytes()
    header = bytes([5, 1, 15, 0, 200, 0, 8, 0]) + (2**52).to_bytes(8, "little") + bytes([200, 0, levels, 0])
    huge = Quantiles.from_datasketches(header + below * levels + one * 3)
    assert huge.count == 2**52
    with pytest.raises(IncompatibleSummaries, match="2\\^53"):
        huge + huge + huge


def test_threads_share_a_summary_and_no_value_is_lost() -> None:
    summary, values = Quantiles(), np.arange(3000.0)

    def work() -> None:
        for _ in range(50):
            summary.update(values)
            summary.add(1.0)
            summary.quantile(0.5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert summary.count == 4 * 50 * 3001


def test_a_summary_shows_what_it_holds_and_is_no_key() -> None:
    assert repr(quantiles([1.0, 2.5])) == "Quantiles(count=2, minimum=1.0, maximum=2.5)"
    with pytest.raises(TypeError):
        hash(Quantiles())
