"""Our sketches and those of Apache DataSketches read each other's bytes, in both directions."""

from typing import Any

import datasketches as apache  # type: ignore[import-not-found]
import numpy as np
import pytest

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import DistinctCount, Quantiles

COUNTS = [0, 1, 2, 7, 8, 24, 25, 96, 97, 200, 201, 1000, 5000, 30_000]
# Without the ends, for which Apache gives what it happened to keep, and we give the extremes.
RANKS = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]


def our_quantiles(values: Any) -> Quantiles:
    quantiles = Quantiles()
    quantiles.update(values)
    return quantiles


def their_quantiles(values: Any, k: int = 200) -> Any:
    sketch = apache.kll_floats_sketch(k)
    sketch.update(values.astype(np.float32))
    return sketch


def our_count(texts: list[str], lg_k: int = 12) -> DistinctCount:
    distinct = DistinctCount(lg_k=lg_k)
    distinct.update(texts)
    return distinct


def their_count(texts: list[str], lg_k: int = 12, kind: str = "HLL_8") -> Any:
    sketch = apache.hll_sketch(lg_k, getattr(apache, kind))
    for text in texts:
        sketch.update(text)
    return sketch


def texts(count: int) -> list[str]:
    return [f"Gerät {number}" for number in range(count)]


@pytest.mark.parametrize("count", COUNTS)
def test_apache_reads_our_quantiles_and_finds_the_same(count: int) -> None:
    ours = our_quantiles(np.random.default_rng(count).normal(size=count))
    theirs = apache.kll_floats_sketch.deserialize(ours.to_datasketches())
    assert (theirs.n, theirs.k) == (count, 200)
    assert theirs.normalized_rank_error(False) == pytest.approx(ours.rank_error, rel=1e-12)
    if count:
        assert theirs.get_quantiles(RANKS, True) == ours.quantiles(RANKS)
        assert [theirs.get_min_value(), theirs.get_max_value()] == ours.quantiles([0, 1])
        for value in (-3.0, -0.5, 0.0, 1.25):
            assert theirs.get_rank(value, True) == ours.rank(value)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("asked_before", [False, True])
def test_we_read_the_quantiles_of_apache_and_find_the_same(count: int, asked_before: bool) -> None:
    theirs = their_quantiles(np.random.default_rng(count).normal(size=count))
    if asked_before and count:
        theirs.get_quantile(0.5)  # sorts its lowest level, which its bytes say
    ours = Quantiles.from_datasketches(theirs.serialize())
    assert ours.count == count
    assert Quantiles.from_bytes(ours.to_bytes()) == ours
    if count:
        assert ours.quantiles(RANKS) == theirs.get_quantiles(RANKS, True)
        assert ours.rank(0.25) == theirs.get_rank(0.25, True)
        assert ours.quantiles([0, 1]) == [theirs.get_min_value(), theirs.get_max_value()]


@pytest.mark.parametrize("k", [8, 100, 200, 4000])
def test_sketches_of_both_merge_in_both(k: int) -> None:
    values = np.random.default_rng(k).normal(size=60_000)
    ours, theirs = our_quantiles(values[:30_000]), their_quantiles(values[30_000:], k)
    merged_here = ours + Quantiles.from_datasketches(theirs.serialize())
    theirs.merge(apache.kll_floats_sketch.deserialize(ours.to_datasketches()))
    merged_there = Quantiles.from_datasketches(theirs.serialize())
    ranks = np.searchsorted(np.sort(values), [-1.0, 0.0, 2.0]) / len(values)
    for merged in (merged_here, merged_there):
        assert merged.count == 60_000
        found = [merged.rank(value) for value in (-1.0, 0.0, 2.0)]
        assert found == pytest.approx(ranks, abs=3 * merged.rank_error)


def test_ranks_of_both_are_as_close_to_the_truth() -> None:
    values = np.random.default_rng(7).lognormal(size=50_000)
    exact, probes = np.sort(values), np.quantile(values, np.linspace(0.02, 0.98, 49))
    truth = np.searchsorted(exact, probes) / len(values)
    worst_ours, worst_theirs = [], []
    for _ in range(20):
        ours, theirs = our_quantiles(values), their_quantiles(values)
        worst_ours.append(np.abs([ours.rank(probe) for probe in probes] - truth).max())
        worst_theirs.append(np.abs([theirs.get_rank(probe, True) for probe in probes] - truth).max())
    assert np.median(worst_ours) < 0.0133
    assert np.median(worst_ours) < 1.5 * np.median(worst_theirs)


@pytest.mark.parametrize("lg_k", [7, 8, 10, 12, 14])
@pytest.mark.parametrize("count", COUNTS)
def test_apache_reads_our_distinct_counts_and_finds_the_same(count: int, lg_k: int) -> None:
    ours = our_count(texts(count), lg_k)
    theirs = apache.hll_sketch.deserialize(ours.to_datasketches())
    assert (theirs.lg_config_k, theirs.is_empty()) == (lg_k, count == 0)
    estimate = ours.estimate
    assert theirs.get_estimate() == pytest.approx(estimate.value, rel=1e-12)
    assert theirs.get_lower_bound(2) == pytest.approx(estimate.lower, rel=1e-12)
    assert theirs.get_upper_bound(2) == pytest.approx(estimate.upper, rel=1e-12)


@pytest.mark.parametrize("kind", ["HLL_4", "HLL_6", "HLL_8"])
@pytest.mark.parametrize("form", ["serialize_compact", "serialize_updatable"])
@pytest.mark.parametrize("count", COUNTS)
def test_we_read_the_distinct_counts_of_apache_as_if_made_here(count: int, form: str, kind: str) -> None:
    for lg_k in (7, 10, 12):
        theirs = their_count(texts(count), lg_k, kind)
        assert DistinctCount.from_datasketches(getattr(theirs, form)()) == our_count(texts(count), lg_k)


def test_distinct_counts_of_both_merge_in_both() -> None:
    first, second = texts(6000)[:4000], texts(6000)[2000:]
    merged_here = our_count(first) + DistinctCount.from_datasketches(their_count(second).serialize_compact())
    union = apache.hll_union(12)
    union.update(apache.hll_sketch.deserialize(our_count(first).to_datasketches()))
    union.update(their_count(second))
    assert merged_here == our_count(texts(6000))
    assert DistinctCount.from_datasketches(union.get_result().serialize_compact()) == merged_here
    assert union.get_estimate() == pytest.approx(merged_here.estimate.value, rel=1e-12)


def test_the_empty_text_is_one_here_and_none_there() -> None:
    assert their_count([""]).is_empty()
    assert our_count([""]).estimate.value == pytest.approx(1.0)


def test_sketches_of_another_family_are_refused_by_name() -> None:
    tdigest = apache.tdigest_double().serialize()
    for reader in (Quantiles.from_datasketches, DistinctCount.from_datasketches):
        with pytest.raises(UnreadableSummary, match="not a summary"):
            reader(tdigest)
    doubles = apache.kll_doubles_sketch(200)
    doubles.update(np.arange(1000.0))
    with pytest.raises(UnreadableSummary, match="KLL floats"):
        Quantiles.from_datasketches(doubles.serialize())
