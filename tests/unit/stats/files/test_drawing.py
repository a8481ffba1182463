"""Distributions as histograms that can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.stats.files.drawing import BARS, Cumulated, histograms
from edge_aiops.stats.summaries import Reference


def cumulated(reference: Reference, values: NDArray[np.float64]) -> Cumulated:
    return Cumulated(reference.edges, reference.count(values).counts[:-1], values)


def drawn(before: NDArray[np.float64], after: NDArray[np.float64]):  # type: ignore[no-untyped-def]
    reference = Reference(before)
    return histograms(cumulated(reference, before), cumulated(reference, after))


def test_shares_sum_to_one_and_bars_follow_the_values() -> None:
    random = np.random.default_rng(0)
    before, after = random.normal(0, 1, 20_000), random.normal(1, 1, 20_000)
    found = drawn(before, after)
    for side, values in (("reference", before), ("current", after)):
        shares = getattr(found, side)
        assert len(shares) == BARS
        whole = sum(shares) + getattr(found, f"{side}_lower") + getattr(found, f"{side}_higher")
        assert whole == pytest.approx(1.0)
        counted, _ = np.histogram(values, bins=found.edges)
        assert np.abs(np.array(shares) - counted / len(values)).max() < 0.01


def test_a_single_far_value_does_not_squeeze_the_picture() -> None:
    values = np.random.default_rng(1).normal(0, 1, 10_000)
    found = drawn(values, np.append(values, 1e12))
    assert found.edges[-1] < 4
    assert found.current_higher < 0.01


@pytest.mark.parametrize("sign", [1, -1])
def test_a_heap_at_the_end_of_the_range_is_in_the_bar_at_that_end(sign: int) -> None:
    random = np.random.default_rng(3)
    values = sign * np.where(random.random(20_000) < 0.8, 0.0, random.gamma(1, 4, 20_000))
    found = drawn(values, values)
    assert found.reference[0 if sign > 0 else -1] == pytest.approx(0.82, abs=0.03)


def test_a_current_side_that_is_somewhere_else_is_drawn_where_it_is() -> None:
    random = np.random.default_rng(2)
    found = drawn(random.normal(0, 1, 10_000), random.normal(30, 1, 10_000))
    edges, current = np.array(found.edges), np.array(found.current)
    assert current.sum() > 0.9
    assert np.average((edges[1:] + edges[:-1]) / 2, weights=current) == pytest.approx(30, abs=1)


@pytest.mark.parametrize("values", [[1e308, -1e308, 0.0], [np.inf, -np.inf, 1.0, 2.0], [5e-324, 0.0]])
def test_extreme_values_give_a_picture_or_none(values: list[float]) -> None:
    found = drawn(np.array(values * 20), np.array(values * 20))
    assert found is None or np.isfinite(found.edges).all()
