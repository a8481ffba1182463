"""What one node sends never spoils a sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.fleet.hub.checks import MOST_ITEMS
from edge_aiops.fleet.hub.merging import Part, merge
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline
from tests.unit.fleet.hub.view.made import inputs, labels, performance

BASELINE = Baseline({"a": np.arange(100.0)})
TRILLION = 2**41


def slow() -> Performance:
    """Few requests, and more latencies than any window has."""
    made = performance(3)
    while made.latency.total < TRILLION:
        made.latency += made.latency
    return made


def retracted() -> LabelCounts:
    """As many labels given as retracted, so that none are left."""
    made, many = LabelCounts(), Labels(TRILLION, TRILLION, 0, np.empty(0))
    made.give(many)
    made.retract(many)
    return made


def told() -> RoleSummary:
    made = inputs(BASELINE, {"a": np.arange(3.0), "loose": np.arange(3.0)}).told()
    while made.rows < TRILLION:
        made.merge(RoleSummary.from_bytes(made.to_bytes(), BASELINE))
    return made


@pytest.mark.parametrize(
    ("kind", "absurd", "honest"),
    [
        ("performance", slow(), performance(5)),
        ("labels", retracted(), labels(4, 1)),
        ("inputs", told(), inputs(BASELINE, {"a": np.arange(5.0)}).told()),
    ],
)
def test_a_part_that_counts_more_than_any_window_has_is_damaged(kind: Any, absurd: Any, honest: Any) -> None:
    baseline = BASELINE if kind == "inputs" else None
    spoilt, good = Part("a", 1, 1, 1, absurd.to_bytes()), Part("b", 1, 5, 1, honest.to_bytes())
    assert merge(kind, baseline, [spoilt, good]) == (merge(kind, baseline, [good])[0], 1)


def test_many_rows_together_count_as_much_as_all_of_them_may() -> None:
    whole, damaged = merge("performance", None, [Part("a", 1, 1, 4, slow().to_bytes())])
    assert whole is not None
    assert damaged == 0
    assert 4 * MOST_ITEMS >= slow().latency.total > MOST_ITEMS
