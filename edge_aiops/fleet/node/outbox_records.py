"""Records in the outbox: what happened, each once, until the hub has it."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3

import msgspec
from msgspec import Struct

from edge_aiops.base.ids import EventId
from edge_aiops.fleet.messages.push import RecordKind
from edge_aiops.fleet.messages.records import Dropped, LabelledInference, SampledInference
from edge_aiops.journal.events import LabelChange, RecordedEvent, raw
from edge_aiops.observe.alerts.alert import Alert, without_values

PRIORITY: dict[RecordKind, int] = {"alert": 0, "rollout": 0, "dropped": 0, "baseline": 2, "feedback": 5, "sample": 6}
"""What goes first; rows stand between. A baseline comes before the rows on it, which cannot be read without it."""

MOST_CHARACTERS = 500
MOST_REFUSED = 100
"""Refusals that are remembered with their reasons; how much was lost is counted for ever."""

_PUT = """
    INSERT OR IGNORE INTO outgoing_record (kind, id, at_ms, priority, size, body, sha256, acknowledged)
    VALUES (:kind, :id, :at_ms, :priority, :size, :body, :sha256, 0)
"""
_LOSE = """
    INSERT INTO outgoing_lost VALUES (:reason, :rows, :items) ON CONFLICT (reason) DO UPDATE SET
        row_count = row_count + excluded.row_count, items = items + excluded.items
"""


def put(connection: sqlite3.Connection, kind: RecordKind, record_id: str, at_ms: int, body: bytes) -> None:
    """Put a record into the outbox, unless it is there already."""
    connection.execute(
        _PUT,
        {
            "kind": kind,
            "id": record_id,
            "at_ms": max(at_ms, 0),
            "priority": PRIORITY[kind],
            "size": len(body),
            "body": body,
            "sha256": hashlib.sha256(body).digest(),
        },
    )


def put_baseline(connection: sqlite3.Connection, digest: str, data: bytes, at_ms: int) -> None:
    """A reference that rows are on, unless it is there."""
    there = "SELECT 1 FROM outgoing_record WHERE kind = 'baseline' AND id = ?"
    if connection.execute(there, (digest,)).fetchone() is None:
        put(connection, "baseline", digest, at_ms, data)


def put_alert(connection: sqlite3.Connection, alert: Alert) -> None:
    """An alert as it is now, without values of requests; of one that is not firing yet, and may never, nothing."""
    if alert.fired_at is None:
        return
    moments = [alert.fired_at, alert.resolved_at or 0, alert.acknowledged_at or 0]
    record_id = f"{alert.id}:{alert.status}{':ack' if alert.acknowledged else ''}"
    put(connection, "alert", record_id, max(moments), msgspec.json.encode(without_values(alert)))


def put_feedback(connection: sqlite3.Connection, change: LabelChange) -> None:
    """What is known of a prediction since a change."""
    now = change.now
    inference_id = str(EventId(now.at_ms, now.salt, now.place))
    body = LabelledInference(
        inference_id=inference_id,
        model_name=now.served_by.model_name,
        model_version=now.served_by.model_version,
        deployment=now.served_by.deployment_version,
        at_ms=now.at_ms,
        change=change.sequence,
        outcome=raw(now.actual_outcome),
        correct=now.correct,
    )
    put(connection, "feedback", f"{inference_id}:{change.sequence}", now.at_ms, msgspec.json.encode(body))


def put_sample(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    """A prediction with its features."""
    event = recorded.event
    inference_id = str(EventId(event.at_ms, recorded.salt, recorded.place))
    body = SampledInference(
        inference_id=inference_id,
        model_name=event.served_by.model_name,
        model_version=event.served_by.model_version,
        deployment=event.served_by.deployment_version,
        at_ms=event.at_ms,
        features=raw(event.features),
        prediction=raw(event.prediction),
        confidence=raw(event.confidence),
        label=raw(event.label),
        error=event.error,
    )
    put(connection, "sample", inference_id, event.at_ms, msgspec.json.encode(body))


def put_report(connection: sqlite3.Connection, report: Struct, at_ms: int) -> None:
    """How far a model version is; said again, it is the same record."""
    body = msgspec.json.encode(report)
    put(connection, "rollout", hashlib.sha256(body).hexdigest(), at_ms, body)


def drop(connection: sqlite3.Connection, dropped: Dropped, at_ms: int) -> None:
    """Say that something will never arrive, and count it."""
    connection.execute(_LOSE, {"reason": dropped.reason, "rows": dropped.rows, "items": dropped.items})
    put(connection, "dropped", secrets.token_hex(16), at_ms, msgspec.json.encode(dropped))


def note_refusal(connection: sqlite3.Connection, at_ms: int, what: str, reason: str) -> None:
    """Remember why the hub refused something."""
    connection.execute(
        "INSERT INTO outgoing_refused (at_ms, what, reason) VALUES (?, ?, ?)", (at_ms, what, reason[:MOST_CHARACTERS])
    )
    connection.execute(
        "DELETE FROM outgoing_refused WHERE number <= (SELECT max(number) FROM outgoing_refused) - ?", (MOST_REFUSED,)
    )
