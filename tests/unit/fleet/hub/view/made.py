"""Summaries as nodes push them, made of drawn values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_aiops.fleet.hub.view.pieces import Piece
from edge_aiops.observe.columns.columns import Columns, NumberColumn, Plain
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import EventColumns, Performance
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = 20_000 * DAY_MS
DIGEST = "d" * 64


def inputs(baseline: Baseline | None, values: Mapping[str, Any]) -> RoleSummary:
    """The summary of rows: arrays of numbers, or lists of labels, by feature."""
    rows = len(next(iter(values.values())))
    summary = RoleSummary(baseline, max_features=1_000)
    numbers = {name: column for name, column in values.items() if isinstance(column, np.ndarray)}
    if len(numbers) == len(values):
        matrix = np.column_stack(list(numbers.values())).astype(float)
        columns = Columns(rows=rows, plain=Plain(tuple(numbers), np.ascontiguousarray(matrix)))
    else:
        columns = Columns(
            rows=rows,
            numbers={name: NumberColumn(column, None) for name, column in numbers.items()},
            labels={name: list(column) for name, column in values.items() if name not in numbers},
        )
    summary.update(columns)
    return summary


def performance(requests: int, *, errors: int = 0, latency_s: float = 0.01, at_ms: int = START_MS) -> Performance:
    """Requests that all took about as long."""
    made = Performance()
    latencies: NDArray[np.float64] = np.full(requests, latency_s)
    made.add(
        EventColumns(
            at_ms=(at_ms,) * requests,
            rows=requests,
            errors=["model_failed"] * errors,
            latency_s=latencies,
            queue_s=latencies / 10,
            batch_rows=np.ones(requests, np.int64),
            confidence=np.full(requests, 0.9),
        )
    )
    return made


def labels(right: int, wrong: int) -> LabelCounts:
    """Labels of so many predictions."""
    made = LabelCounts()
    made.give(Labels(right + wrong, right, wrong, np.empty(0)))
    return made


def piece(
    summary: RoleSummary | Performance | LabelCounts,
    *,
    kind: Any = "inputs",
    owner: str = "a",
    version: str = "1",
    start_ms: int = START_MS,
    width_ms: int = HOUR_MS,
    baseline: str = DIGEST,
) -> Piece:
    """A window as the hub keeps it."""
    n = summary.rows if isinstance(summary, RoleSummary) else summary.n
    summary = summary.told() if isinstance(summary, RoleSummary) else summary
    return Piece(owner, kind, "m", version, 1, baseline, width_ms, start_ms, n, 1, summary.to_bytes())
