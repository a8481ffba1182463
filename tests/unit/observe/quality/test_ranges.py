"""Numbers out of a given range are counted as they come, however they come, and the counts merge."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline

SERVED_BY = ServedBy("credit", "1", 1)
MODEL = ObservedModel(
    served_by=SERVED_BY,
    stage="production",
    feature_names=("age", "height"),
    input_schema={"age": {"type": "number", "minimum": 0, "maximum": 120}, "height": {"min": 0.3}},
)
BASELINE = Baseline({"age": np.linspace(18, 80, 500), "height": np.linspace(1.5, 2.0, 500)})


def event(features: Any) -> NewEvent:
    return NewEvent(
        at_ms=1, served_by=SERVED_BY, request_id=None, user_id=None, session_id=None,
        rows=1, batch_rows=1, queue_us=1, latency_us=1, features=json.dumps(features),
        prediction=None, confidence=None, label=None, error=None,
    )  # fmt: skip


def counted(*rows: Any, baseline: Baseline | None = None) -> RoleSummary:
    summary = RoleSummary(baseline, max_features=10)
    summary.update(InputColumns(MODEL, baseline).read([event(row) for row in rows]))
    return summary


@pytest.mark.parametrize("baseline", [BASELINE, None])
@pytest.mark.parametrize(
    "rows",
    [
        ([-1, 1.8], [0, 1.8], [120, 0.3], [121, 0.2], [1e300, 99]),
        (
            {"age": -1, "height": 1.8},
            {"age": 0, "height": 1.8},
            {"age": 121, "height": 0.2},
            {"age": 1e300, "height": 9},
        ),
        ({"height": 0.2, "age": None}, {"age": 121}, {"age": -1, "extra": "x"}, {"age": 1e300, "height": 1}),
    ],
)
def test_each_is_counted_on_every_way_in(rows: Any, baseline: Baseline | None) -> None:
    assert counted(*rows, baseline=baseline).counters.out_of_range == {"age": 3, "height": 1}


def test_what_is_within_counts_nothing() -> None:
    assert counted([0, 0.3], [120, 9]).counters.out_of_range == {}


def test_counts_merge_and_travel() -> None:
    one, other = counted([121, 1], [50, 1]), counted([-1, 0.1])
    one.merge(RoleSummary.from_bytes(other.to_bytes(), None))
    assert one.counters.out_of_range == {"age": 2, "height": 1}
