"""Latency: percentiles within one percent, exact sums, and what is no duration."""

import math
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Latency, Quantiles

MICROSECOND, HOUR = 1e-3, 3.6e6


def latency(durations: Any, missing: Any = None) -> Latency:
    summary = Latency()
    summary.update(np.asarray(durations), missing=missing)
    return summary


@pytest.mark.parametrize("size", [1, 2, 50, 20_000])
def test_percentiles_from_microseconds_to_hours_are_within_one_percent(size: int) -> None:
    durations = np.exp(np.random.default_rng(size).uniform(np.log(MICROSECOND), np.log(5 * HOUR), size))
    summary, qs = latency(durations), np.linspace(0, 1, 201)
    exact = np.quantile(durations, qs, method="lower")
    found = np.array(summary.quantiles(qs.tolist()))
    assert np.max(np.abs(found / exact - 1)) <= 0.01
    assert (found[0], found[-1]) == (durations.min(), durations.max())
    assert summary.quantile(0.99) == pytest.approx(np.quantile(durations, 0.99, method="lower"), rel=0.01)


def test_sums_and_means_are_exact_to_a_picosecond_a_duration() -> None:
    durations = np.random.default_rng(1).lognormal(3.0, size=10_000)
    summary = latency(durations)
    assert summary.sum == pytest.approx(math.fsum(durations), rel=1e-12)
    assert summary.mean == pytest.approx(math.fsum(durations) / 10_000, rel=1e-12)
    assert latency([0.1] * 10).sum == 1.0


def test_the_same_durations_give_the_same_bytes_in_every_order() -> None:
    durations = np.random.default_rng(2).lognormal(3.0, size=5000)
    whole = latency(durations)
    assert latency(durations[::-1]).to_bytes() == whole.to_bytes()
    assert sum((latency(part) for part in np.array_split(durations, 37)), Latency()).to_bytes() == whole.to_bytes()
    assert len(latency(durations[:300]).to_bytes()) < 500
    assert len(whole.to_bytes()) < 900


@pytest.mark.parametrize("invalid", [-1.0, -1e-300, math.nan, math.inf, -math.inf, 2.0**30, 1e300])
def test_what_is_no_duration_is_counted_and_enters_nothing(invalid: float) -> None:
    summary = latency([invalid, 5.0])
    summary.add(invalid)
    assert (summary.count, summary.invalid, summary.total) == (1, 2, 3)
    assert (summary.sum, summary.minimum, summary.maximum, summary.quantile(0.5)) == (5.0, 5.0, 5.0, 5.0)


def test_zeros_are_durations() -> None:
    summary = latency([0.0, -0.0, 0.0, 8.0])
    assert (summary.count, summary.zeros, summary.minimum, summary.mean) == (4, 3, 0.0, 2.0)
    assert summary.quantiles([0.0, 0.5, 0.7, 1.0]) == [0.0, 0.0, 0.0, 8.0]
    assert latency([0.0]).quantiles([0.0, 1.0]) == [0.0, 0.0]


def test_missing_durations_are_not_counted_at_all() -> None:
    summary = latency([1.0, 2.0, 3.0], np.array([False, True, False]))
    assert (summary.total, summary.sum) == (2, 4.0)


def test_without_durations_there_are_no_percentiles() -> None:
    for summary in (Latency(), latency([-1.0]), latency(np.array([]))):
        assert (summary.count, summary.mean, summary.minimum, summary.maximum) == (0, None, None, None)
        assert (summary.sum, summary.quantile(0.5), summary.quantiles([0.5])) == (0.0, None, None)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_every_type_of_number_is_read(dtype: type) -> None:
    durations: Any = np.arange(2000).astype(dtype)
    assert latency(durations).sum == durations.astype(np.float64).sum()


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_share_outside_of_the_whole_is_refused(q: float) -> None:
    for summary in (latency([1.0]), Latency()):
        with pytest.raises(ValueError, match="q must be within 0 and 1"):
            summary.quantile(q)


def test_what_is_no_column_of_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a NumPy array, not list"):
        Latency().update([1.0])  # type: ignore[arg-type]


def test_bytes_of_another_summary_are_refused_by_name() -> None:
    with pytest.raises(UnreadableSummary, match="kind 5, not of kind 7"):
        Latency.from_bytes(Quantiles().to_bytes())


def test_a_summary_shows_what_it_holds() -> None:
    assert repr(latency([1.0, 3.0, -1.0])) == "Latency(count=2, invalid=1, mean=2.0, minimum=1.0, maximum=3.0)"


def test_durations_are_refused_by_their_own_name() -> None:
    with pytest.raises(TypeError, match=r"^durations must be a NumPy array, not list"):
        Latency().update([1.0])  # type: ignore[arg-type]


def test_many_summaries_merge_from_their_bytes() -> None:
    durations = np.random.default_rng(3).lognormal(2, 2, size=5_000)
    parts = [latency(part).to_bytes() for part in np.array_split(durations, 9)]
    assert Latency.merge_bytes(parts) == latency(durations)
    assert Latency.merge_bytes([]) == Latency()
    with pytest.raises(UnreadableSummary):
        Latency.merge_bytes([*parts, parts[0][:-1]])
    with pytest.raises(TypeError, match="parts must be a sequence of bytes"):
        Latency.merge_bytes([1])  # type: ignore[list-item]
