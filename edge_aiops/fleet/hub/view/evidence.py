"""The always-valid evidence of drift over a part of the fleet, out of its daily windows.

The counts of all nodes are added up day by day and taken in the order of the days, so evidence gathers over windows
and nodes alike. It is computed anew at every question: so it holds for whatever selection is asked for, as long as
questions that belong together ask for the same selection from the same beginning. A day counts from its first event
on, and windows that nodes deliver late count in the day that they are of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.evidence import in_groups
from edge_aiops.observe.drift.subjects import ABSOLUTE_ERROR, CORRECT
from edge_aiops.plugin.monitoring import Counts, Distribution
from edge_aiops.stats.evidence import DriftEvidence
from edge_aiops.stats.summaries import Profile

HORIZONS = (None, 7, 1)
"""Days after which a component of the evidence begins anew, against the baseline and all days before; see
`edge_aiops.stats.evidence`."""


def evidence_of(days: Sequence[Profile], names: Sequence[str]) -> Mapping[str, DriftEvidence]:
    """The evidence on each of these features after these days, the oldest first; on none without a day."""
    found: dict[str, DriftEvidence] = {}
    for name in names if days else ():
        reference, _ = both_sides(days[0], name)
        if len(cells := _cells(reference, name)) < 2:  # a baseline of so few labels that it knows none
            continue
        evidence = DriftEvidence(cells, horizons=HORIZONS)
        for day in days:
            evidence = evidence.update(_cells(both_sides(day, name)[1], name))
        found[name] = evidence
    return found


def _cells(distribution: Distribution, name: str) -> Counts:
    """Few cells, with one for missing values; but that a label is missing says nothing of how good a model is."""
    cells = in_groups(distribution)
    return cells if name in (CORRECT, ABSOLUTE_ERROR) else np.append(cells, np.int64(distribution.missing))
