"""Which events a reader asks for, as SQL, and rows as events."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.ids import EventId
from edge_aiops.journal.events import InferenceEvent, raw, tokens_per_second

MAX_TIME_MS = 2**48 - 1
"""The last moment that an id can tell: the year 10889."""

_CURSOR_DIGITS = 15

SELECT = """
    SELECT event.place, salt, at_ms, model_name, model_version, deployment_version, request_id, user_id, session_id,
           row_count, batch_rows, queue_us, latency_us, features, prediction, confidence, label, error,
           prompt_tokens, completion_tokens, first_token_us,
           actual_outcome, correct, feedback_timestamp
    FROM event
    JOIN served_by ON served_by.number = event.served_by
    LEFT JOIN feedback ON feedback.place = event.place
"""

SELECT_ONE = f"{SELECT} WHERE event.place = :place AND salt = :salt AND at_ms = :at_ms"
"""The columns that `event_of` takes."""


class EventFilter(Struct, frozen=True, kw_only=True):
    """Which events; what is None does not matter. Times are milliseconds since the epoch, `until_ms` exclusive."""

    model_name: str | None = None
    model_version: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    labelled: bool | None = None


def conditions_of(wanted: EventFilter, cursor: str | None) -> tuple[list[str], dict[str, Any]]:
    """Conditions on rows of `SELECT`, and their parameters. Raises `InvalidInput` for a cursor that is none."""
    conditions: list[str] = ["true"]
    parameters: dict[str, Any] = {}
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_DIGITS):
            raise InvalidInput.of("cursor", f"{shown(cursor)} is not a cursor; send the nextCursor of the page before")
        conditions.append("event.place < :cursor")
        parameters["cursor"] = int(cursor)
    for bound, comparison, moment in (("from_ms", ">=", wanted.from_ms), ("until_ms", "<", wanted.until_ms)):
        if moment is not None:
            conditions.append(f"at_ms {comparison} :{bound}")
            parameters[bound] = min(max(moment, -1), MAX_TIME_MS + 1)
    if wanted.labelled is not None:
        conditions.append(f"feedback.place IS {'NOT ' if wanted.labelled else ''}NULL")
    return conditions, parameters


def event_of(row: tuple[Any, ...]) -> InferenceEvent:
    """The event in a row of `SELECT`."""
    (place, salt, at_ms, name, version, deployment, request_id, user_id, session_id, rows, batch_rows,
     queue_us, latency_us, features, prediction, confidence, label, error, prompt, completion, first_us, actual,
     correct, labelled_at) = row  # fmt: skip
    return InferenceEvent(
        inference_id=str(EventId(at_ms, salt, place)),
        timestamp=at_ms,
        model_name=name,
        model_version=version,
        deployment_version=deployment,
        request_id=request_id,
        user_id=user_id,
        session_id=session_id,
        rows=rows,
        batch_rows=batch_rows,
        queue_ms=queue_us / 1000,
        latency_ms=latency_us / 1000,
        features=raw(features),
        prediction=raw(prediction),
        confidence=raw(confidence),
        label=raw(label),
        error=error,
        prompt_tokens=prompt,
        completion_tokens=completion,
        first_token_ms=None if first_us is None else first_us / 1000,
        tokens_per_second=tokens_per_second(completion, first_us, latency_us),
        actual_outcome=raw(actual),
        correct=None if correct is None else bool(correct),
        feedback_timestamp=labelled_at,
    )


def shown(text: str) -> str:
    """A short text in an error."""
    return repr(text if len(text) <= 64 else text[:61] + "...")
