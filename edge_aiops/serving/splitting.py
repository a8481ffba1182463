"""From the calls of a run to the tensors that it takes, and from what it gives to the part of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_aiops.plugin import Tensors
from edge_aiops.serving.call import Call
from edge_aiops.serving.features import Array
from edge_aiops.serving.outcomes import Span


def stacked(calls: Sequence[Call]) -> dict[str, Array]:
    """The tensors of all calls, one after the other."""
    if len(calls) == 1:
        return calls[0].rows.tensors
    names = calls[0].rows.tensors
    return {name: np.concatenate([call.rows.tensors[name] for call in calls]) for name in names}


def row_by_row(outputs: Tensors, calls: Sequence[Call]) -> bool:
    """Whether every output has a row for each row of the calls."""
    rows = sum(call.rows.length for call in calls)
    return all(array.shape[:1] == (rows,) for array in outputs.values())


def spans(calls: Sequence[Call]) -> list[Span]:
    """Where the rows of each call are."""
    found = []
    start = 0
    for call in calls:
        found.append(Span(start, start + call.rows.length, call.rows.many))
        start += call.rows.length
    return found


def parts(outputs: Tensors, spans: Sequence[Span]) -> list[Tensors]:
    """The outputs of each call; one that does not count rows belongs to the run as a whole."""
    rows = spans[-1].stop
    return [
        {
            name: array[span.start : span.stop] if array.shape[:1] == (rows,) else array
            for name, array in outputs.items()
        }
        for span in spans
    ]
