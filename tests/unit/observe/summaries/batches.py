"""Batches of columns, for tests."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.columns import Columns, inputs_of
from edge_aiops.observe.models import ObservedModel
from edge_aiops.stats.summaries import Baseline

IRIS = ServedBy("iris", "1", 1)
MODEL = ObservedModel(served_by=IRIS, stage="production")
ROWS = 500


def event(features: Any) -> NewEvent:
    """An event with `features` as JSON; a `bytes` is taken as it is."""
    text = features if isinstance(features, bytes) else msgspec.json.encode(features)
    return NewEvent(0, IRIS, None, None, None, 1, 1, 0, 1_000, text.decode(), None, None, None, None)


def read(*features: Any, on: Baseline | None = None) -> Columns:
    """The columns of one batch."""
    return inputs_of([event(content) for content in features], MODEL, on)


def baseline(**columns: Any) -> Baseline:
    """A baseline of columns; a list of labels is repeated, `float` and `int` stand for random numbers."""
    random = np.random.default_rng(1)
    numbers = {float: random.normal(size=ROWS), int: random.integers(0, 100, size=ROWS).astype(np.float64)}
    return Baseline(
        {
            name: numbers[kind] if isinstance(kind, type) else [kind[place % len(kind)] for place in range(ROWS)]
            for name, kind in columns.items()
        }
    )
