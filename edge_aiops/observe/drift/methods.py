"""The built-in drift tests.

Each takes what `edge_aiops.stats.comparison.compare` found where that is at hand, and computes it from the counts
otherwise. Distances but for Wasserstein's count missing values as a cell of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edge_aiops.plugin.monitoring import Counts, Distribution, DriftSample, DriftScore
from edge_aiops.stats import TestResult
from edge_aiops.stats.distances import (
    binned_ks_test,
    binned_wasserstein_distance,
    chi_square_test,
    fisher_exact_test,
    hellinger_distance,
    jensen_shannon_distance,
    kullback_leibler_divergence,
    psi,
    total_variation_distance,
)

_NOTHING = DriftScore(None)


class KsTest:
    """The largest difference of the cumulative shares, and its p-value."""

    def measure(self, sample: DriftSample) -> DriftScore:
        """The score is Kolmogorov and Smirnov's D, from 0 to 1."""
        if sample.reference.kind != "numeric":
            return _NOTHING
        found = sample.tests.get("ks") or binned_ks_test(sample.reference.counts, sample.current.counts)
        return DriftScore(found.statistic, found.p_value, found.effect_size)


class ChiSquare:
    """Whether the shares of labels, or of groups of bins, have changed."""

    def measure(self, sample: DriftSample) -> DriftScore:
        """The score is Cramér's V, from 0 to 1: the statistic itself grows with the number of rows."""
        found = sample.tests.get("chi_square") or chi_square_test(sample.reference.counts, sample.current.counts)
        return DriftScore(found.effect_size, found.p_value, found.effect_size)


class Wasserstein:
    """How far the values have moved."""

    def measure(self, sample: DriftSample) -> DriftScore:
        """The score is in deviations of the baseline; where that is constant, in the unit of the feature."""
        if not sample.reference.edges:  # labels, or a baseline without values
            return _NOTHING
        found = sample.tests.get("wasserstein") or binned_wasserstein_distance(
            sample.reference.counts, sample.current.counts, _positions(sample.reference)
        )
        return DriftScore(found.statistic if found.effect_size is None else found.effect_size)


class Missingness:
    """Whether more or fewer values are missing."""

    def measure(self, sample: DriftSample) -> DriftScore:
        """The score is the difference of the shares of missing values; the p-value is Fisher's exact one."""
        sides = (sample.reference, sample.current)
        if any(side.n + side.missing == 0 for side in sides):
            return _NOTHING
        theirs, ours = (side.missing / (side.n + side.missing) for side in sides)
        found = sample.tests.get("missingness") or fisher_exact_test(
            *(np.array([side.n, side.missing], np.int64) for side in sides)
        )
        return DriftScore(abs(ours - theirs), found.p_value)


class _Distance:
    """A distance of two vectors of counts, missing values included."""

    def __init__(self, name: str, distance: Callable[[Any, Any], TestResult]) -> None:
        self._name = name
        self._distance = distance

    def measure(self, sample: DriftSample) -> DriftScore:
        """The score is the distance."""
        found = sample.tests.get(self._name) or self._distance(
            _with_missing(sample.reference), _with_missing(sample.current)
        )
        return DriftScore(found.statistic)


def population_stability_index() -> _Distance:
    """The index that credit scoring reports."""
    return _Distance("psi", psi)


def jensen_shannon() -> _Distance:
    """Jensen and Shannon's distance, from 0 to 1."""
    return _Distance("jensen_shannon", jensen_shannon_distance)


def kullback_leibler() -> _Distance:
    """Kullback and Leibler's divergence of what is now from the baseline, in nats."""
    return _Distance("kullback_leibler", kullback_leibler_divergence)


def hellinger() -> _Distance:
    """Hellinger's distance, from 0 to 1."""
    return _Distance("hellinger", hellinger_distance)


def total_variation() -> _Distance:
    """The largest difference of the probability of any set of values, from 0 to 1."""
    return _Distance("total_variation", total_variation_distance)


def _with_missing(distribution: Distribution) -> Counts:
    return np.append(distribution.counts, np.int64(distribution.missing))


def _positions(distribution: Distribution) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The middles of the bins; what lies beyond the edges lies on them."""
    edges = np.array(distribution.edges)
    return np.concatenate([edges[:1], (edges[:-1] + edges[1:]) / 2, edges[-1:]])
