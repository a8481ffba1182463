"""Columns of what a model answered: the predicted class, how sure it was, and numbers by the names of its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.columns.assembly import Assembly
from edge_aiops.observe.columns.columns import Columns, kinds_of, with_parents
from edge_aiops.stats.summaries import Baseline

LABEL, CONFIDENCE = "label", "confidence"
_SUM_TOLERANCE = 1e-3

Row = dict[str, Any]


def outputs_of(events: Sequence[NewEvent], baseline: Baseline | None) -> Columns:
    """The outputs of `events`, all of one model version."""
    return OutputColumns(baseline).read(events)


class OutputColumns:
    """Makes columns of the outputs of one model version, on its baseline. For many batches, keep one."""

    def __init__(self, baseline: Baseline | None) -> None:
        self._kinds = {LABEL: "category", **kinds_of(baseline)}
        self._known = with_parents(self._kinds)

    def read(self, events: Sequence[NewEvent]) -> Columns:
        """The outputs of a batch; of events that failed there are none."""
        rows: list[Row] = []
        without_payload = malformed = 0
        for event in events:
            if event.error is not None:
                continue
            if event.prediction is None and event.label is None and event.confidence is None:
                without_payload += event.rows
                continue
            try:
                rows += _rows(event)
            except (ValueError, RecursionError):
                malformed += event.rows
        assembly = Assembly(len(rows) + malformed, self._kinds, self._known)
        assembly.add_rows(rows + [{}] * malformed)
        columns = assembly.finished()
        columns.without_payload, columns.malformed = without_payload, malformed
        return columns


def predicted_class(value: Any) -> str | None:
    """A class as the label that it is counted under: 7 and 7.0 as `7`, true as `true`."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, str | int) else None


def decoded(text: str | None) -> Any:
    """What a payload holds; None where it was not captured."""
    return msgspec.json.decode(text) if text is not None else None


def outputs_by_row(text: str | None, count: int) -> list[Row]:
    """The outputs of a prediction of `count` rows, by name. An output of the run as a whole belongs to no row."""
    outputs = decoded(text)
    if not isinstance(outputs, dict):
        outputs = {"prediction": outputs} if outputs is not None else {}
    if count == 1:
        return [outputs]
    whole = {name: values for name, values in outputs.items() if isinstance(values, list) and len(values) == count}
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)] or [{}] * count


def of_row(value: Any, row: int, count: int) -> Any:
    """What a list of `count` rows has for one of them; the value itself where there is one row."""
    if count == 1:
        return value
    return value[row] if isinstance(value, list) and len(value) == count else None


def _rows(event: NewEvent) -> list[Row]:
    labels, confidences = decoded(event.label), decoded(event.confidence)
    rows = []
    for place, outputs in enumerate(outputs_by_row(event.prediction, event.rows)):
        row = {name: value for name, value in outputs.items() if not _is_probabilities(value)}
        if (label := predicted_class(of_row(labels, place, event.rows))) is not None:
            classes = [
                name for name, value in row.items() if predicted_class(value) is not None and not _is_real(value)
            ]
            if len(classes) == 1:  # that is where the label was read
                del row[classes[0]]
            row[LABEL] = label
        if (confidence := of_row(confidences, place, event.rows)) is not None:
            row[CONFIDENCE] = confidence
        rows.append(row)
    return rows


def _is_real(value: Any) -> bool:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return isinstance(value, float)


def _is_probabilities(value: Any) -> bool:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = list(value.values())
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(share, float | int) and 0 <= share <= 1 for share in value)
        and abs(sum(value) - 1) <= _SUM_TOLERANCE
    )
