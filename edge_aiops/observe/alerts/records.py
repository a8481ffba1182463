"""Alerts on disk: the active ones for the next start, all of them for those who ask."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.ids import EventId
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.alerts.words import shown
from edge_aiops.store.local import LocalDatabase

MAX_PAGE = 1_000
MAX_RESOLVED = 10_000
"""Resolved alerts that are kept at the most."""
MAX_SHARE_BY_AGE = 0.2
"""Of the resolved alerts, what one pass deletes for their age at the most, in case the clock is wrong."""

_STORE = """
    INSERT INTO alert (id, rule_id, model_name, model_version, severity, status, acknowledged, held_ms, body)
    VALUES (:id, :rule_id, :model_name, :model_version, :severity, :status, :acknowledged, :held_ms, :body)
    ON CONFLICT (id) DO UPDATE SET
        severity = excluded.severity, status = excluded.status, acknowledged = excluded.acknowledged,
        held_ms = excluded.held_ms, body = excluded.body
"""
_PAGE = """
    SELECT body FROM alert
    WHERE (:model_name IS NULL OR model_name = :model_name)
        AND (:severity IS NULL OR severity = :severity)
        AND (:status IS NULL OR status = :status OR (:status = 'active' AND status != 'resolved'))
        AND (:acknowledged IS NULL OR acknowledged = :acknowledged)
        AND (:cursor IS NULL OR id < :cursor)
    ORDER BY id DESC LIMIT :limit
"""
_PRUNE = """
    DELETE FROM alert WHERE id IN (
        SELECT id FROM alert WHERE status = 'resolved' AND id < :before ORDER BY id LIMIT :most
    )
"""
_DECODER = msgspec.json.Decoder(Alert)


class AlertFilter(Struct, frozen=True, kw_only=True):
    """Which alerts; what is None does not matter."""

    model_name: str | None = None
    severity: str | None = None
    status: str | None = None
    acknowledged: bool | None = None


class Kept(NamedTuple):
    """An alert and how long its conditions have held, while it is pending."""

    alert: Alert
    held_ms: int


def store(connection: sqlite3.Connection, kept: Iterable[Kept]) -> None:
    """Store alerts as they are now."""
    connection.executemany(
        _STORE,
        [
            {
                "id": alert.id,
                "rule_id": alert.rule_id,
                "model_name": alert.model_name,
                "model_version": alert.model_version,
                "severity": alert.severity,
                "status": alert.status,
                "acknowledged": alert.acknowledged,
                "held_ms": held_ms,
                "body": msgspec.json.encode(alert),
            }
            for alert, held_ms in kept
        ],
    )


def forget(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Delete alerts that never fired."""
    connection.executemany("DELETE FROM alert WHERE id = ?", [(alert_id,) for alert_id in ids])


async def active(database: LocalDatabase) -> list[Kept]:
    """The alerts that are pending or firing."""
    rows = await database.read("SELECT body, held_ms FROM alert WHERE status != 'resolved' ORDER BY id")
    return [Kept(_DECODER.decode(body), held_ms) for body, held_ms in rows]


async def one(database: LocalDatabase, alert_id: str) -> Alert | None:
    """An alert by its id."""
    rows = await database.read("SELECT body FROM alert WHERE id = :id", {"id": alert_id})
    return _DECODER.decode(rows[0][0]) if rows else None


async def page(database: LocalDatabase, wanted: AlertFilter, *, cursor: str | None, limit: int) -> list[Alert]:
    """The newest `limit` alerts (1 to 1,000) before `cursor`, and one more if there is one."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput.of("limit", f"{limit} is not from 1 to {MAX_PAGE}")
    if cursor is not None and EventId.parse(cursor) is None:
        raise InvalidInput.of("cursor", f"{shown(cursor)} is not a cursor; send the nextCursor of the page before")
    rows = await database.read(_PAGE, {**msgspec.structs.asdict(wanted), "cursor": cursor, "limit": limit + 1})
    return [_DECODER.decode(body) for (body,) in rows]


def prune(connection: sqlite3.Connection, before_ms: int) -> int:
    """Delete resolved alerts that began before a moment, a fifth of them at the most, and those over 10,000."""
    (count,) = connection.execute("SELECT count(*) FROM alert WHERE status = 'resolved'").fetchone()
    by_age = connection.execute(
        _PRUNE, {"before": str(EventId(max(before_ms, 0), 0, 0)), "most": max(int(count * MAX_SHARE_BY_AGE), 1)}
    ).rowcount
    by_count = connection.execute(_PRUNE, {"before": "g", "most": max(count - by_age - MAX_RESOLVED, 0)}).rowcount
    return int(by_age + by_count)
