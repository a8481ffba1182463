"""The short way to columns of outputs: all events at once, where all of them were answered alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.columns.classes import CONFIDENCE, LABEL, SUM_TOLERANCE, predicted_class
from edge_aiops.observe.columns.columns import Columns, NumberColumn
from edge_aiops.plugin.monitoring import FeatureKind

_REAL = frozenset({float})
_NUMBERS = frozenset({float, int})
_CLASSES = ({int}, {str}, {bool})


def plain_outputs(events: Sequence[NewEvent], kinds: Mapping[str, FeatureKind]) -> Columns | None:
    """The columns of events that have the same outputs for every row: real numbers, probabilities, one class.

    None where one of them is otherwise; what is read is the same either way.
    """
    if not events or any(event.error is not None or event.prediction is None for event in events):
        return None
    counts = [event.rows for event in events]
    try:
        outputs = _by_name(_decoded(event.prediction for event in events), counts)
        labels = _by_row(_decoded(event.label for event in events), counts, holes=True)
        confidences = _bare(_by_row(_decoded(event.confidence for event in events), counts, holes=True))
    except (ValueError, RecursionError):
        return None
    columns = Columns(rows=sum(counts))
    if not (_put_outputs(columns, outputs, kinds, labelled=None not in labels) and _put_labels(columns, labels)):
        return None
    if set(confidences) != {None} and not _put_numbers(columns, CONFIDENCE, confidences, _NUMBERS):
        return None
    return columns


def _decoded(payloads: Any) -> list[Any]:
    found: list[Any] = msgspec.json.decode("[" + ",".join([payload or "null" for payload in payloads]) + "]")
    return found


def _by_name(predictions: list[Any], counts: list[int]) -> dict[str, list[Any]]:
    """The values of each output, one a row. Raises `ValueError` where predictions have other outputs, or other rows."""
    if set(map(type, predictions)) != {dict} or len(set(map(tuple, predictions))) != 1:
        raise ValueError
    return {name: _by_row([prediction[name] for prediction in predictions], counts) for name in predictions[0]}


def _by_row(values: list[Any], counts: list[int], *, holes: bool = False) -> list[Any]:
    """One value a row: that of an event with one row, those in the list of one with several, where `holes` also None
    for each. Raises `ValueError` where a list does not have as many."""
    if max(counts) == 1:
        return values
    rows: list[Any] = []
    for value, count in zip(values, counts, strict=True):
        if count == 1:
            rows.append(value)
        elif isinstance(value, list) and len(value) == count:
            rows += value
        elif value is None and holes:
            rows += [None] * count
        else:
            raise ValueError
    return rows


def _bare(values: list[Any]) -> list[Any]:
    """What stands alone in lists, however deep; a caller who sends one row as a list of rows gets lists of one."""
    while set(map(type, values)) == {list} and set(map(len, values)) == {1}:
        values = [value for (value,) in values]
    return values


def _put_outputs(
    columns: Columns, outputs: Mapping[str, list[Any]], kinds: Mapping[str, FeatureKind], *, labelled: bool
) -> bool:
    classes = 0
    for name, by_row in outputs.items():
        values = _bare(by_row)
        if set(map(type, values)) == {list}:
            if not _are_probabilities(values):
                return False
        elif set(map(type, values)) in _CLASSES:
            classes += 1
        elif kinds.get(name) == "category" or not _put_numbers(columns, name, values, _REAL):
            return False
    return classes == 0 or (classes == 1 and labelled)  # then that is where the label was read


def _put_labels(columns: Columns, labels: list[Any]) -> bool:
    classes = labels if set(map(type, labels)) == {str} else [predicted_class(label) for label in labels]
    if None not in classes:
        columns.labels = {LABEL: classes}
    return None not in classes or set(classes) == {None}


def _put_numbers(columns: Columns, name: str, values: list[Any], kinds: frozenset[type]) -> bool:
    if not set(map(type, values)) <= kinds:
        return False
    columns.numbers = {**columns.numbers, name: NumberColumn(np.array(values, dtype=np.float64), None)}
    return True


def _are_probabilities(vectors: list[list[Any]]) -> bool:
    if len(set(map(len, vectors))) != 1 or len(vectors[0]) < 2:
        return False
    if not set(map(type, chain.from_iterable(vectors))) <= _NUMBERS:
        return False
    shares = np.array(vectors, dtype=np.float64)
    sums = shares.sum(axis=1)
    return bool(shares.min() >= 0 and shares.max() <= 1 and (np.abs(sums - 1) <= SUM_TOLERANCE).all())
