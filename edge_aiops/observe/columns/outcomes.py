"""Columns of what feedback told: whether a prediction was correct, what it really was, and how far it was off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from edge_aiops.journal.events import LabelledEvent, derived_correct
from edge_aiops.observe.columns.assembly import ABSENT, Assembly
from edge_aiops.observe.columns.classes import predicted_class
from edge_aiops.observe.columns.columns import Columns, kinds_of
from edge_aiops.observe.columns.outputs import bare, decoded, of_row, outputs_by_row
from edge_aiops.stats.summaries import Baseline

CORRECT, OUTCOME, ERROR, ABSOLUTE_ERROR = "correct", "outcome", "error", "absoluteError"
_MEMBERS = ("label", "class", "value", "outcome")

Row = dict[str, Any]


def outcomes_of(labelled: Sequence[LabelledEvent], baseline: Baseline | None) -> Columns:
    """The outcomes of `labelled`, all of one model version."""
    return OutcomeColumns(baseline).read(labelled)


class OutcomeColumns:
    """Makes columns of the outcomes of one model version, on its baseline. For many batches, keep one."""

    def __init__(self, baseline: Baseline | None) -> None:
        self._kinds = {CORRECT: "category", **kinds_of(baseline)}

    def read(self, labelled: Sequence[LabelledEvent]) -> Columns:
        """The outcomes of a batch."""
        rows: list[Row] = []
        malformed = 0
        for event in labelled:
            try:
                rows += _rows(event, of_classes=self._kinds.get(OUTCOME) == "category")
            except (ValueError, OverflowError, RecursionError):
                malformed += event.rows
                rows += [{}] * event.rows
        assembly = Assembly(len(rows), self._kinds, self._kinds)
        for name in (CORRECT, ERROR, ABSOLUTE_ERROR):
            assembly.add(name, [row.get(name, ABSENT) for row in rows])
        outcomes = [row.get(OUTCOME, ABSENT) for row in rows]
        if OUTCOME in self._kinds:
            assembly.add(OUTCOME, outcomes)
        else:
            assembly.add(OUTCOME, [ABSENT if isinstance(outcome, str) else outcome for outcome in outcomes])
            assembly.add_labels(OUTCOME, [outcome if isinstance(outcome, str) else None for outcome in outcomes])
        columns = assembly.finished()
        columns.malformed = malformed
        return columns


def _rows(event: LabelledEvent, *, of_classes: bool) -> list[Row]:
    actual, label = decoded(event.actual_outcome), decoded(event.label)
    if event.rows > 1 and isinstance(actual, list) and len(actual) == event.rows:
        predictions = outputs_by_row(event.prediction, event.rows)
        return [
            _row(of_row(label, place, event.rows), outcome, None, outputs, of_classes)
            for place, (outcome, outputs) in enumerate(zip(actual, predictions, strict=True))
        ]
    outputs = outputs_by_row(event.prediction, 1)[0] if event.rows == 1 else {}
    return [_row(label if event.rows == 1 else None, actual, event.correct, outputs, of_classes)]


def _row(label: Any, actual: Any, correct: bool | None, outputs: Row, of_classes: bool) -> Row:
    label, actual = bare(label), bare(actual)
    if correct is None and label is not None:
        correct = derived_correct(msgspec.json.encode(label).decode(), Raw(msgspec.json.encode(actual)))
    row: Row = {} if correct is None else {CORRECT: correct}
    if isinstance(actual, dict):
        actual = next((actual[key] for key in _MEMBERS if key in actual), None)
    if label is not None or of_classes or not _is_number(actual):
        if (outcome := predicted_class(actual)) is not None:
            row[OUTCOME] = outcome
        return row
    row[OUTCOME] = actual
    numbers = [number for value in outputs.values() if (number := _number(value)) is not None]
    if len(numbers) == 1:
        row[ERROR] = numbers[0] - actual
        row[ABSOLUTE_ERROR] = abs(numbers[0] - actual)
    return row


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _number(value: Any) -> float | None:
    number = bare(value)
    return number if _is_number(number) else None
