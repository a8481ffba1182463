"""What is known of each single node over a span, as far as nodes are compared by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_aiops.fleet.hub.view.pieces import profile_of
from edge_aiops.observe.drift.evidence import group_starts
from edge_aiops.observe.labels import Judged, judged
from edge_aiops.observe.performance import Served, served
from edge_aiops.stats.summaries import Baseline, Profile, Reference

Counts = NDArray[np.uint64]


class Inputs(NamedTuple):
    """The features of one node; a small part of the size of its profile."""

    cells: Counts
    """Of all features one after the other, as `Layout` says: groups of bins, or labels, and last the missing values."""
    means: NDArray[np.float64]
    """Of each feature; NaN for labels, and where there are no numbers."""
    numbers: NDArray[np.int64]
    """How many each mean is of."""


class NodeSummaries(NamedTuple):
    """One node over a span. Inputs of all nodes are on one baseline."""

    node_id: str
    inputs: Inputs | None
    served: Served | None
    labels: Judged | None


class Layout:
    """Where each feature of a baseline stands in `Inputs`."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.cells: dict[str, slice] = {}
        """By the names of the features, in the order of `means`."""
        self._numeric = [isinstance(baseline[name], Reference) for name in baseline.names]
        starts: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
        first = cell = 0
        for name, numeric, counts in zip(baseline.names, self._numeric, Profile(baseline).counts, strict=True):
            groups = _groups(len(counts)) if numeric else np.arange(len(counts))
            starts.append(first + groups)
            self.cells[name] = slice(cell, cell + len(groups))
            first, cell = first + len(counts), cell + len(groups)
        self._starts = np.concatenate(starts)

    def of(self, profile: Profile) -> Inputs:
        """What is compared of a profile on the baseline."""
        moments = [
            profile[name].moments if numeric else None for name, numeric in zip(self.cells, self._numeric, strict=True)
        ]
        return Inputs(
            np.add.reduceat(np.concatenate(profile.counts), self._starts),
            np.array([np.nan if of is None or of.mean is None else of.mean for of in moments]),
            np.array([0 if of is None else of.count for of in moments], np.int64),
        )


def node_summaries(windows: Iterable[Sequence[Any]], digest: str, layout: Layout | None) -> list[NodeSummaries]:
    """What is known of each node; inputs of those windows that are on the baseline of this digest.

    `windows` have a node's id, the kind, the baseline and the summary each.
    """
    nodes: dict[str, dict[str, list[bytes]]] = {}
    for node_id, kind, baseline, summary in windows:
        if kind != "inputs" or (layout is not None and baseline == digest):
            nodes.setdefault(node_id, {}).setdefault(kind, []).append(summary)
    return [_summaries(node_id, found, layout) for node_id, found in sorted(nodes.items())]


def _summaries(node_id: str, found: Mapping[str, Sequence[bytes]], layout: Layout | None) -> NodeSummaries:
    inputs, performance, labels = (found.get(kind) for kind in ("inputs", "performance", "labels"))
    return NodeSummaries(
        node_id,
        layout.of(profile_of(inputs, layout.baseline)) if inputs and layout is not None else None,
        served(performance) if performance else None,
        judged(labels) if labels else None,
    )


def _groups(counts: int) -> NDArray[np.intp]:
    """Where groups begin in so many counts of numbers, the last of which is of missing values."""
    return np.append(group_starts(counts - 1), counts - 1)
