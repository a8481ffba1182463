"""Events with payloads, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edge_aiops.journal.events import LabelledEvent, NewEvent, ServedBy
from edge_aiops.observe.columns import Columns, inputs_of
from edge_aiops.observe.models import ObservedModel
from edge_aiops.stats.summaries import Baseline

IRIS = ServedBy("iris", "1", 1)
ROWS = 500


def model(*feature_names: str) -> ObservedModel:
    """A model with names for its columns, or without."""
    return ObservedModel(served_by=IRIS, stage="production", feature_names=feature_names)


def event(features: Any = None, rows: int = 1, **other: Any) -> NewEvent:
    """An event with `features` as JSON; a `bytes` is taken as it is, None was not captured."""
    text = features.decode() if isinstance(features, bytes) else _json(features)
    values: dict[str, Any] = {
        "prediction": None, "confidence": None, "label": None, "error": None,
        **{name: value if name == "error" else _json(value) for name, value in other.items()},
    }  # fmt: skip
    return NewEvent(0, IRIS, None, None, None, rows, rows, 0, 1_000, text, **values)


def labelled(rows: int = 1, correct: bool | None = None, **payloads: Any) -> LabelledEvent:
    """An event of which something became known."""
    parts = {name: _json(payloads.get(name)) for name in ("prediction", "confidence", "label", "actual_outcome")}
    return LabelledEvent(1, 0, IRIS, rows, **parts, correct=correct)


def baseline(**columns: Any) -> Baseline:
    """A baseline of columns; a list of labels is repeated, `float` and `int` stand for random numbers."""
    random = np.random.default_rng(1)
    numbers = {float: random.normal(size=ROWS), int: random.integers(0, 100, size=ROWS).astype(np.float64)}
    return Baseline(
        {
            name.replace("__", "."): numbers[kind]
            if isinstance(kind, type)
            else [kind[i % len(kind)] for i in range(ROWS)]
            for name, kind in columns.items()
        }
    )


def read(*features: Any, on: Baseline | None = None, names: Sequence[str] = (), rows: int = 1) -> Columns:
    """The columns of one batch in which every event has `rows` rows."""
    return inputs_of([event(content, rows) for content in features], model(*names), on)


def shown(columns: Columns) -> dict[str, list[Any]]:
    """Every feature by its values, None where there is none; numbers and labels of one name together."""
    found: dict[str, list[Any]] = {}
    for name, column in columns.all_numbers().items():
        missing = column.missing if column.missing is not None else np.zeros(columns.rows, np.bool_)
        found[name] = [None if gone else value for value, gone in zip(column.values.tolist(), missing, strict=True)]
    for name, labels in columns.labels.items():
        before = found.get(name, [None] * columns.rows)
        found[name] = [label if label is not None else other for label, other in zip(labels, before, strict=True)]
    return found


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
