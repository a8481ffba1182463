"""Which nodes differ from the fleet: each node against all others together.

Every node is compared with the fleet without it, so that a node that makes up much of the fleet is not compared with
itself. All tests of an answer, of all nodes, features and measures, are one family: Benjamini and Yekutieli's
correction bounds the share of false ones among those found, whatever the dependence between tests that share a fleet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_aiops.fleet.hub.view.node_summaries import Counts, Inputs, Layout, NodeSummaries
from edge_aiops.stats.distances import each_against_others, psi_without_drift
from edge_aiops.stats.multiplicity import benjamini_yekutieli
from edge_aiops.stats.special import normal_upper

Subject = Literal["feature", "errorRate", "latency", "accuracy"]
LEAST_NODES = 8
"""Latency varies over the nodes of any fleet; how much cannot be told from fewer."""
_LEAST_SPREAD = 0.02
"""Of the logarithms of percentiles, which are within 1 % of themselves."""
_NORMAL_MAD = 1.4826
"""From the median absolute deviation to the standard deviation, of a normal distribution."""

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]


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


class _Effects(NamedTuple):
    """Of some nodes each. NaN for a node or a fleet without a number."""

    size: Numbers
    node: Numbers
    fleet: Numbers


class _Tests(NamedTuple):
    """One subject on many nodes."""

    subject: Subject
    feature: str | None
    node_ids: Sequence[str]
    rows: Counts
    p_values: Numbers
    effects: Callable[[Places], _Effects]
    """Of the nodes at these places: computed of what was found only."""


def outliers_of(
    nodes: Sequence[NodeSummaries], layout: Layout | None, *, alpha: float, min_effect: float, k: int
) -> list[Outlier]:
    """Those that are certain over all tests and large enough, the largest effects of each subject first.

    `min_effect` is held against features only; nodes with fewer than `k` rows are neither judged nor shown. What they
    have belongs to the fleet all the same. `layout` is that of the inputs.
    """
    tests = [*_features(nodes, layout, k), _errors(nodes, k), _accuracies(nodes, k), *_latencies(nodes, k)]
    found = benjamini_yekutieli(np.concatenate([of.p_values for of in tests]), alpha=alpha)
    rejected, adjusted = np.array(found.rejected, bool), np.array(found.adjusted, float)
    outliers: list[Outlier] = []
    first = 0
    for of in tests:
        here = slice(first, first + len(of.p_values))
        outliers += _found(of, np.flatnonzero(rejected[here]), adjusted[here], min_effect)
        first = here.stop
    return sorted(outliers, key=lambda of: (of.subject, -abs(of.effect_size), of.node_id))


def _found(tests: _Tests, places: Places, adjusted: Numbers, min_effect: float) -> Iterator[Outlier]:
    """What is certain and large enough; `places` are those of the certain ones."""
    effects = tests.effects(places)
    for place, size, node, fleet in zip(places.tolist(), *(column.tolist() for column in effects), strict=True):
        if tests.subject != "feature" or size >= min_effect:
            yield Outlier(
                node_id=tests.node_ids[place],
                subject=tests.subject,
                feature=tests.feature,
                rows=int(tests.rows[place]),
                effect_size=size,
                node=None if math.isnan(node) else node,
                fleet=None if math.isnan(fleet) else fleet,
                p_value=float(tests.p_values[place]),
                adjusted_p_value=float(adjusted[place]),
            )


class _Compared(NamedTuple):
    """Counts of nodes in the same cells, a node a row, and those whose comparison with the others is a test."""

    cells: Counts
    rows: Counts
    tested: Places
    p_values: Numbers

    def tests(
        self, subject: Subject, feature: str | None, node_ids: Sequence[str], effects: Callable[[Places], _Effects]
    ) -> _Tests:
        """Those of all nodes that are tested. `effects` is of places among all."""
        tested = self.tested
        ids = [node_ids[place] for place in tested.tolist()]
        return _Tests(subject, feature, ids, self.rows[tested], self.p_values[tested], lambda at: effects(tested[at]))


def _compared(cells: Counts, test: Literal["chi_square", "fisher"], k: int) -> _Compared:
    rows = cells.sum(axis=1)
    p_values, _ = each_against_others(cells, test)
    return _Compared(cells, rows, np.flatnonzero((rows >= k) & ~np.isnan(p_values)), p_values)


def _features(nodes: Sequence[NodeSummaries], layout: Layout | None, k: int) -> Iterator[_Tests]:
    found = {of.node_id: of.inputs for of in nodes if of.inputs is not None}
    if layout is None or not found:
        return
    node_ids, inputs = [*found], Inputs(*(np.stack(column) for column in zip(*found.values(), strict=True)))
    for place, (name, cells) in enumerate(layout.cells.items()):
        compared = _compared(inputs.cells[:, cells], "chi_square", k)
        means = partial(_means, inputs.means[:, place], inputs.numbers[:, place])
        yield compared.tests("feature", name, node_ids, partial(_feature_effects, compared, means))


def _feature_effects(compared: _Compared, means: Callable[[Places], tuple[Numbers, Numbers]], at: Places) -> _Effects:
    if not len(at):
        return _Effects(*np.empty((3, 0)))
    _, indices = each_against_others(compared.cells, "psi")
    filled, everyone = int(np.count_nonzero(compared.cells.any(axis=0))), int(compared.rows.sum())
    by_chance = [psi_without_drift(filled, everyone - own, own) for own in compared.rows[at].tolist()]
    return _Effects(np.maximum(0.0, np.nan_to_num(indices[at]) - by_chance), *means(at))


def _means(means: Numbers, numbers: NDArray[np.int64], at: Places) -> tuple[Numbers, Numbers]:
    """The mean of each node, and that of the others."""
    shares = numbers / max(1, int(numbers.sum()))
    # Parts of the mean of all: sums of values may be beyond what a float holds where no value is.
    parts = np.where(numbers > 0, means, 0.0) * shares
    rest = (numbers.sum() - numbers[at]) / max(1, int(numbers.sum()))
    others = np.divide(math.fsum(parts.tolist()) - parts[at], rest, where=rest > 0, out=np.full(len(at), np.nan))
    return means[at], others


def _errors(nodes: Sequence[NodeSummaries], k: int) -> _Tests:
    served = {of.node_id: of.served for of in nodes if of.served is not None}
    return _rates(
        {node_id: (max(0, of.requests - of.errors), of.errors) for node_id, of in served.items()}, "errorRate", k
    )


def _accuracies(nodes: Sequence[NodeSummaries], k: int) -> _Tests:
    labelled = {of.node_id: of.labels for of in nodes if of.labels is not None}
    return _rates({node_id: (of.wrong, of.right) for node_id, of in labelled.items()}, "accuracy", k)


def _rates(counts: Mapping[str, tuple[int, int]], subject: Subject, k: int) -> _Tests:
    """By node how many were not so, and how many were."""
    compared = _compared(np.array([*counts.values()], np.uint64).reshape(-1, 2), "fisher", k)
    return compared.tests(subject, None, [*counts], partial(_rate_effects, compared.cells))


def _rate_effects(counts: Counts, at: Places) -> _Effects:
    own = counts[at]
    others = counts.sum(axis=0) - own
    node, fleet = (pairs[:, 1] / pairs.sum(axis=1) for pairs in (own, others))
    return _Effects(node - fleet, node, fleet)


def _latencies(nodes: Sequence[NodeSummaries], k: int) -> Iterator[_Tests]:
    """How far out each node's 95th percentile lies among those of all nodes, which are taken as log-normal."""
    slow = {
        of.node_id: (percentile, of.served.requests)
        for of in nodes
        if of.served is not None and of.served.requests >= k
        if (percentile := of.served.latency.quantile(0.95))
    }
    if len(slow) < LEAST_NODES:
        return
    percentiles = np.array([percentile for percentile, _ in slow.values()])
    logs = np.log(percentiles)
    median = float(np.median(logs))
    spread = max(_NORMAL_MAD * float(np.median(np.abs(logs - median))), _LEAST_SPREAD)
    p_values = np.array([min(1.0, 2 * normal_upper(abs(log - median) / spread)) for log in logs.tolist()])
    effects = _Effects(logs - median, percentiles * 1000, np.full(len(slow), math.exp(median) * 1000))
    rows = np.array([requests for _, requests in slow.values()], np.uint64)
    yield _Tests("latency", None, [*slow], rows, p_values, lambda at: _Effects(*(column[at] for column in effects)))
