"""Notifications on disk: those that wait, those that arrived, and those that were given up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.alerts.words import shown
from edge_aiops.plugin.monitoring import Notification
from edge_aiops.store.local import LocalDatabase

MAX_PAGE = 1_000
MAX_WAITING = 1_000
"""Notifications that wait for one notifier at the most; the oldest are given up."""
MAX_FINISHED = 5_000
"""Delivered and dead ones that are kept at the most."""
CROWDED_OUT = f"given up: {MAX_WAITING} newer ones were waiting"
_MAX_ERROR = 500
_CURSOR_DIGITS = 15

DeliveryStatus = Literal["waiting", "delivered", "dead"]

_PUT = """
    INSERT INTO notification (id, notifier, status, attempts, due_ms, body)
    VALUES (:id, :notifier, 'waiting', 0, :now_ms, :body) RETURNING number
"""
_CROWD_OUT = """
    UPDATE notification SET status = 'dead', finished_ms = :now_ms, last_error = :error WHERE number IN (
        SELECT number FROM notification WHERE notifier = :notifier AND status = 'waiting'
        ORDER BY number DESC LIMIT -1 OFFSET :most
    )
"""
_FINISH = """
    UPDATE notification
    SET status = :status, attempts = :attempts, finished_ms = :now_ms, last_error = :error WHERE number = :number
"""
_RETRY = """
    UPDATE notification SET attempts = :attempts, due_ms = :due_ms, last_error = :error WHERE number = :number
"""
_GIVE_UP = """
    UPDATE notification SET status = 'dead', finished_ms = :now_ms, last_error = :error
    WHERE notifier = :notifier AND status = 'waiting'
"""
_PAGE = """
    SELECT number, body, notifier, status, attempts, due_ms, finished_ms, last_error FROM notification
    WHERE (:notifier IS NULL OR notifier = :notifier)
        AND (:status IS NULL OR status = :status)
        AND (:cursor IS NULL OR number < :cursor)
    ORDER BY number DESC LIMIT :limit
"""
_PRUNE = """
    DELETE FROM notification WHERE number IN (
        SELECT number FROM notification WHERE status != 'waiting' ORDER BY number DESC LIMIT -1 OFFSET :most
    )
"""
_NOTIFICATION = msgspec.json.Decoder(Notification)


class Outgoing(NamedTuple):
    """A notification and the name of the notifier that is to deliver it."""

    notifier: str
    notification: Notification


class Waits(NamedTuple):
    """A notification that is not delivered yet."""

    number: int
    notifier: str
    attempts: int
    due_ms: int


class Delivery(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a notification at one notifier. Times are milliseconds since the epoch."""

    id: str
    """Of the notification, the same at every attempt and every notifier."""
    notifier: str
    type: str
    severity: str
    summary: str
    alert_id: str | None
    status: DeliveryStatus
    attempts: int
    created_at: int
    due_at: int | None
    """When the next attempt is due, while it waits."""
    finished_at: int | None
    last_error: str | None


class DeliveryFilter(Struct, frozen=True, kw_only=True):
    """Which deliveries; what is None does not matter."""

    notifier: str | None = None
    status: DeliveryStatus | None = None


class DeliveryPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Some deliveries, newest first, and the cursor of the page that follows; null at the end."""

    notifications: list[Delivery]
    next_cursor: str | None


def put(connection: sqlite3.Connection, outgoing: Iterable[Outgoing], now_ms: int) -> list[int]:
    """Let notifications wait, due at once; gives their numbers."""
    numbers = []
    outgoing = list(outgoing)
    for notifier, notification in outgoing:
        row = {"id": notification.id, "notifier": notifier, "now_ms": now_ms, "body": msgspec.json.encode(notification)}
        numbers.append(int(connection.execute(_PUT, row).fetchone()[0]))
    for notifier in {notifier for notifier, _ in outgoing}:
        row = {"notifier": notifier, "now_ms": now_ms, "error": CROWDED_OUT, "most": MAX_WAITING}
        connection.execute(_CROWD_OUT, row)
    return numbers


def finish(
    connection: sqlite3.Connection, waits: Waits, status: DeliveryStatus, *, error: str | None, now_ms: int
) -> None:
    """Note that a notification was delivered, or that it is given up."""
    row = {"number": waits.number, "attempts": waits.attempts, "status": status, "error": _cut(error), "now_ms": now_ms}
    connection.execute(_FINISH, row)


def retry(connection: sqlite3.Connection, waits: Waits, *, error: str) -> None:
    """Note that an attempt failed and when the next is due."""
    row = {"number": waits.number, "attempts": waits.attempts, "due_ms": waits.due_ms, "error": _cut(error)}
    connection.execute(_RETRY, row)


def give_up(connection: sqlite3.Connection, notifier: str, *, error: str, now_ms: int) -> None:
    """Give up everything that waits for a notifier."""
    connection.execute(_GIVE_UP, {"notifier": notifier, "error": _cut(error), "now_ms": now_ms})


def mark_gone(connection: sqlite3.Connection, notifier: str, *, fingerprint: str, reason: str, now_ms: int) -> None:
    """Note that a notifier, as it is configured, wants nothing any more."""
    connection.execute(
        "INSERT OR REPLACE INTO gone_notifier (name, configuration, reason, since_ms) VALUES (?, ?, ?, ?)",
        (notifier, fingerprint, _cut(reason), now_ms),
    )


def unmark_gone(connection: sqlite3.Connection, notifier: str) -> None:
    """Forget that."""
    connection.execute("DELETE FROM gone_notifier WHERE name = ?", (notifier,))


async def gone(database: LocalDatabase) -> dict[str, tuple[str, str]]:
    """The notifiers that want nothing any more: fingerprint of the configuration and reason, by name."""
    rows = await database.read("SELECT name, configuration, reason FROM gone_notifier")
    return {name: (fingerprint, reason) for name, fingerprint, reason in rows}


async def waiting(database: LocalDatabase) -> list[Waits]:
    """All that wait, the oldest first."""
    rows = await database.read(
        "SELECT number, notifier, attempts, due_ms FROM notification WHERE status = 'waiting' ORDER BY number"
    )
    return [Waits(*row) for row in rows]


async def notification(database: LocalDatabase, number: int) -> Notification | None:
    """A notification that waits; None where it waits no more."""
    rows = await database.read("SELECT body FROM notification WHERE number = ? AND status = 'waiting'", (number,))
    return _NOTIFICATION.decode(rows[0][0]) if rows else None


async def page(database: LocalDatabase, wanted: DeliveryFilter, *, cursor: str | None, limit: int) -> DeliveryPage:
    """The newest `limit` deliveries (1 to 1,000) that `wanted` lets through, before `cursor`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput.of("limit", f"{limit} is not from 1 to {MAX_PAGE}")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_DIGITS):
        raise InvalidInput.of("cursor", f"{shown(cursor)} is not a cursor; send the nextCursor of the page before")
    before = None if cursor is None else int(cursor)
    rows = await database.read(_PAGE, {**msgspec.structs.asdict(wanted), "cursor": before, "limit": limit + 1})
    more = str(rows[limit - 1][0]) if len(rows) > limit else None
    return DeliveryPage(notifications=[_delivery(*row[1:]) for row in rows[:limit]], next_cursor=more)


def prune(connection: sqlite3.Connection) -> int:
    """Delete the oldest finished deliveries over 5,000; gives how many."""
    return connection.execute(_PRUNE, {"most": MAX_FINISHED}).rowcount


def _delivery(
    body: bytes,
    notifier: str,
    status: DeliveryStatus,
    attempts: int,
    due_ms: int,
    finished_ms: int | None,
    last_error: str | None,
) -> Delivery:
    sent = _NOTIFICATION.decode(body)
    return Delivery(
        id=sent.id,
        notifier=notifier,
        type=sent.type,
        severity=sent.severity,
        summary=sent.summary,
        alert_id=sent.alert.get("id"),
        status=status,
        attempts=attempts,
        created_at=sent.timestamp,
        due_at=due_ms if status == "waiting" else None,
        finished_at=finished_ms,
        last_error=last_error,
    )


def _cut(error: str | None) -> str | None:
    return None if error is None else error[:_MAX_ERROR]
