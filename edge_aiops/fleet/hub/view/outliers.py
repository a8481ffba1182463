"""Which nodes differ from the fleet: each node against all others together.

Every node is compared with the fleet without it, so that a node that makes up much of the fleet is not compared with
itself. All tests of an answer, of all nodes, features and measures, are one family: Benjamini and Yekutieli's
correction bounds the share of false ones among those found, whatever the dependence between tests that share a fleet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_aiops.observe.drift.evidence import group_starts
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.stats.distances import chi_square_test, fisher_exact_test, psi, psi_without_drift
from edge_aiops.stats.multiplicity import benjamini_yekutieli
from edge_aiops.stats.special import normal_upper
from edge_aiops.stats.summaries import Categories, NumericSummary, Profile

Subject = Literal["feature", "errorRate", "latency", "accuracy"]
LEAST_NODES = 8
"""Latency varies over the nodes of any fleet; how much cannot be told from fewer."""
_LEAST_SPREAD = 0.02
"""Of the logarithms of percentiles, which are within 1 % of themselves."""
_NORMAL_MAD = 1.4826
"""From the median absolute deviation to the standard deviation, of a normal distribution."""

Counts = NDArray[np.int64]


class Outlier(Struct, frozen=True, kw_only=True, rename="camel"):
    """One respect in which a node differs from the rest of the fleet."""

    node_id: str
    subject: Subject
    feature: str | None
    """Where the subject is a feature."""
    rows: int
    """Of the node: rows of data, requests, or labels that say whether it was right."""
    effect_size: float
    """Of a feature: the population stability index against the others, less what it would be by chance. Of a rate: by
    how much it differs. Of latency: the logarithm of the factor by which the 95th percentile differs."""
    node: float | None
    """The node's mean, rate, or 95th percentile in milliseconds; null for labels."""
    fleet: float | None
    """That of the others; of latency, of the median node."""
    p_value: float
    adjusted_p_value: float


class FeatureCounts(NamedTuple):
    """One feature on one node."""

    cells: Counts
    """Groups of bins or labels, and last the missing values."""
    mean: float | None
    numbers: int
    """That `mean` is of; 0 for labels."""


class NodeSummaries(NamedTuple):
    """What is known of one node over a span. Features of all nodes are on one baseline."""

    node_id: str
    features: Mapping[str, FeatureCounts]
    performance: Performance | None
    labels: LabelCounts | None


class _Effect(NamedTuple):
    size: float
    node: float | None
    fleet: float | None


class _Test(NamedTuple):
    node_id: str
    subject: Subject
    feature: str | None
    rows: int
    p_value: float
    effect: Callable[[], _Effect]
    """Computed of what was found only."""


def outliers_of(nodes: Sequence[NodeSummaries], *, alpha: float, min_effect: float, k: int) -> list[Outlier]:
    """Those that are certain over all tests and large enough, the largest effects of each subject first.

    `min_effect` is held against features only; nodes with fewer than `k` rows are neither judged nor shown. What they
    have belongs to the fleet all the same.
    """
    tests = [*_features(nodes, k), *_errors(nodes, k), *_accuracies(nodes, k), *_latencies(nodes, k)]
    found = benjamini_yekutieli([test.p_value for test in tests], alpha=alpha)
    outliers = [
        Outlier(
            node_id=test.node_id,
            subject=test.subject,
            feature=test.feature,
            rows=test.rows,
            effect_size=effect.size,
            node=effect.node,
            fleet=effect.fleet,
            p_value=test.p_value,
            adjusted_p_value=adjusted,
        )
        for test, rejected, adjusted in zip(tests, found.rejected, found.adjusted, strict=True)
        if rejected and adjusted is not None
        if (effect := test.effect()).size >= min_effect or test.subject != "feature"
    ]
    return sorted(outliers, key=lambda of: (of.subject, -abs(of.effect_size), of.node_id))


def counts_of(profile: Profile) -> dict[str, FeatureCounts]:
    """What is compared of each feature; a fraction of the size of the profile."""
    return {name: _counts(profile[name]) for name in profile.baseline.names}


def _counts(summary: NumericSummary | Categories) -> FeatureCounts:
    if isinstance(summary, NumericSummary):
        cells, moments = summary.histogram.counts, summary.moments  # the last cell: missing values
        groups = np.add.reduceat(cells, np.append(group_starts(len(cells) - 1), len(cells) - 1))
        return FeatureCounts(groups.astype(np.int64), moments.mean, moments.count)
    known = summary.known_counts
    others = summary.total - summary.missing - sum(known)
    return FeatureCounts(np.array([*known, others, summary.missing], np.int64), None, 0)


class _Feature:
    """One feature on all nodes, and how one of them differs from the others."""

    def __init__(self, name: str, nodes: Mapping[str, FeatureCounts]) -> None:
        self._name, self._nodes = name, nodes
        self._fleet: Counts = np.sum([of.cells for of in nodes.values()], axis=0, dtype=np.int64)

    def tests(self, k: int) -> Iterable[_Test]:
        for node_id, own in self._nodes.items():
            rows, others = int(own.cells.sum()), self._fleet - own.cells
            if rows >= k and others.any() and (p_value := chi_square_test(others, own.cells).p_value) is not None:
                yield _Test(node_id, "feature", self._name, rows, p_value, partial(self._effect, own))

    def _effect(self, own: FeatureCounts) -> _Effect:
        others = self._fleet - own.cells
        index = psi(others, own.cells).effect_size or 0.0
        filled = int(np.count_nonzero(self._fleet))
        size = max(0.0, index - psi_without_drift(filled, int(others.sum()), int(own.cells.sum())))
        numbers, total = self._sums
        rest = numbers - own.numbers
        return _Effect(size, own.mean, (total - (own.mean or 0.0) * own.numbers) / rest if rest else None)

    @cached_property
    def _sums(self) -> tuple[int, float]:
        """How many numbers there are on all nodes, and their sum."""
        total = math.fsum((of.mean or 0.0) * of.numbers for of in self._nodes.values())
        return sum(of.numbers for of in self._nodes.values()), total


def _features(nodes: Sequence[NodeSummaries], k: int) -> Iterable[_Test]:
    by_name: dict[str, dict[str, FeatureCounts]] = {}
    for node in nodes:
        for name, counts in node.features.items():
            by_name.setdefault(name, {})[node.node_id] = counts
    for name, found in by_name.items():
        yield from _Feature(name, found).tests(k)


def _errors(nodes: Sequence[NodeSummaries], k: int) -> Iterable[_Test]:
    served = {of.node_id: of.performance for of in nodes if of.performance is not None}
    return _rates({node_id: (of.requests - of.errors, of.errors) for node_id, of in served.items()}, "errorRate", k)


def _accuracies(nodes: Sequence[NodeSummaries], k: int) -> Iterable[_Test]:
    labelled = {of.node_id: of.labels for of in nodes if of.labels is not None}
    return _rates({node_id: (of.wrong, of.right) for node_id, of in labelled.items()}, "accuracy", k)


def _rates(counts: Mapping[str, tuple[int, int]], subject: Subject, k: int) -> Iterable[_Test]:
    """By node how many were not so, and how many were."""
    fleet = np.array([sum(pair[side] for pair in counts.values()) for side in (0, 1)], np.int64)
    for node_id, pair in counts.items():
        own = np.array(pair, np.int64)
        others, rows = fleet - own, sum(pair)
        if rows >= k and others.any() and (p_value := fisher_exact_test(others, own).p_value) is not None:
            yield _Test(node_id, subject, None, rows, p_value, partial(_rate_effect, own, others))


def _rate_effect(own: Counts, others: Counts) -> _Effect:
    node, fleet = (float(pair[1] / pair.sum()) for pair in (own, others))
    return _Effect(node - fleet, node, fleet)


def _latencies(nodes: Sequence[NodeSummaries], k: int) -> Iterable[_Test]:
    """How far out each node's 95th percentile lies among those of all nodes, which are taken as log-normal."""
    slow = {
        of.node_id: (percentile, of.performance.requests)
        for of in nodes
        if of.performance is not None and of.performance.requests >= k
        if (percentile := of.performance.latency.quantile(0.95))
    }
    if len(slow) < LEAST_NODES:
        return
    logs = np.log([percentile for percentile, _ in slow.values()])
    median = float(np.median(logs))
    spread = max(_NORMAL_MAD * float(np.median(np.abs(logs - median))), _LEAST_SPREAD)
    for (node_id, (percentile, requests)), log in zip(slow.items(), logs.tolist(), strict=True):
        p_value = min(1.0, 2 * normal_upper(abs(log - median) / spread))
        effect = _Effect(log - median, percentile * 1000, math.exp(median) * 1000)
        yield _Test(node_id, "latency", None, requests, p_value, partial(_known, effect))


def _known(effect: _Effect) -> _Effect:
    return effect
