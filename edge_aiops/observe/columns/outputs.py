"""Columns of what a model answered: the predicted class, how sure it was, and numbers by the names of its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.columns.assembly import Assembly
from edge_aiops.observe.columns.classes import CONFIDENCE, LABEL, SUM_TOLERANCE, predicted_class
from edge_aiops.observe.columns.columns import Columns, kinds_of, with_parents
from edge_aiops.observe.columns.plain_outputs import plain_outputs
from edge_aiops.stats.summaries import Baseline

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
        if (plain := plain_outputs(events, self._kinds)) is not None:
            return plain
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
                rows += [{}] * event.rows
        assembly = Assembly(len(rows), self._kinds, self._known)
        assembly.add_rows(rows)
        columns = assembly.finished()
        columns.without_payload, columns.malformed = without_payload, malformed
        return columns


def bare(value: Any) -> Any:
    """What stands alone in its list, and in the list of that."""
    while type(value) is list and len(value) == 1:
        value = value[0]
    return value


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
    return [
        _row(outputs, of_row(labels, place, event.rows), of_row(confidences, place, event.rows))
        for place, outputs in enumerate(outputs_by_row(event.prediction, event.rows))
    ]


def _row(outputs: Row, label: Any, confidence: float | None) -> Row:
    row = {name: value for name, value in outputs.items() if not _is_probabilities(value)}
    if (written := predicted_class(label)) is not None:
        classes = [name for name, value in row.items() if type(bare(value)) in (str, int, bool)]
        if len(classes) == 1:  # that is where the label was read
            del row[classes[0]]
        row[LABEL] = written
    if confidence is not None:
        row[CONFIDENCE] = confidence
    return row


def _is_probabilities(value: Any) -> bool:
    shares = bare(value)
    if type(shares) is dict:
        shares = list(shares.values())
    if type(shares) is not list or len(shares) < 2:
        return False
    try:
        return min(shares) >= 0 and max(shares) <= 1 and abs(sum(shares) - 1) <= SUM_TOLERANCE
    except TypeError:  # no numbers
        return False
