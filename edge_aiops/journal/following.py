"""Reads the journal in its order, for what works behind it: events by place, labels by the order of their changes."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge_aiops.journal.events import LabelChange, LabelledEvent, NewEvent, RecordedEvent, ServedBy
from edge_aiops.store.local import LocalDatabase

READ_TIMEOUT_S = 30.0
MOST_RECENT = 100_000
"""How many events are looked at to find those of the last minutes."""

_RECENT_PAGE = 1_000

_SELECT_EVENTS = """
    SELECT place, at_ms, model_name, model_version, deployment_version, request_id, user_id, session_id, row_count,
           batch_rows, queue_us, latency_us, features, prediction, confidence, label, error,
           prompt_tokens, completion_tokens, first_token_us, salt
    FROM event JOIN served_by ON served_by.number = event.served_by
"""
_EVENTS = f"{_SELECT_EVENTS} WHERE place > :after ORDER BY place LIMIT :limit"
_DEPLOYMENTS = """
    SELECT number FROM served_by WHERE model_name = :model_name AND model_version = :model_version
"""
_EVENTS_BACK = f"{_SELECT_EVENTS} WHERE event.served_by = :number AND place <= :upto ORDER BY place DESC LIMIT :limit"
_LABELS = """
    SELECT 0, event.place, salt, at_ms, model_name, model_version, deployment_version, row_count, prediction,
           confidence, label, true, NULL, NULL, actual_outcome, correct
    FROM event
    JOIN served_by ON served_by.number = event.served_by
    JOIN feedback ON feedback.place = event.place
    WHERE event.served_by = :number AND event.place BETWEEN :first AND :last
        AND event.place NOT IN (SELECT place FROM label_change WHERE sequence > :changes)
"""
_MOMENTS_BACK = "SELECT place, at_ms FROM event WHERE place < :before ORDER BY place DESC LIMIT :limit"
_CHANGES = """
    SELECT sequence, event.place, salt, at_ms, model_name, model_version, deployment_version, row_count, prediction,
           confidence, label, first, old_outcome, old_correct, new_outcome, new_correct
    FROM label_change
    JOIN event ON event.place = label_change.place
    JOIN served_by ON served_by.number = event.served_by
    WHERE sequence > :after AND sequence <= :last ORDER BY sequence
"""
_LAST_CHANGE = """
    SELECT max(sequence) FROM (
        SELECT sequence FROM label_change WHERE sequence > :after AND sequence < :until ORDER BY sequence LIMIT :limit
    )
"""
_LOG_ALL = """
    INSERT INTO label_change
    SELECT row_number() OVER (ORDER BY place), place, true, NULL, NULL, actual_outcome, correct FROM feedback
"""
_UNLOGGED = """
    SELECT feedback.place,
           CASE WHEN change.place IS NULL THEN actual_outcome ELSE old_outcome END,
           CASE WHEN change.place IS NULL THEN correct ELSE old_correct END
    FROM feedback
    LEFT JOIN (SELECT place, min(sequence) AS sequence FROM label_change GROUP BY place) AS kept
        ON kept.place = feedback.place
    LEFT JOIN label_change AS change ON change.sequence = kept.sequence
    WHERE change.place IS NULL OR NOT change.first
    ORDER BY feedback.place
"""


async def events_after(database: LocalDatabase, place: int, *, limit: int) -> list[RecordedEvent]:
    """The first `limit` events after `place`."""
    rows = await database.read(_EVENTS, {"after": place, "limit": limit}, timeout_s=READ_TIMEOUT_S)
    return [_recorded(row) for row in rows]


async def deployments_of(database: LocalDatabase, model_name: str, model_version: str) -> list[int]:
    """By which numbers the journal knows what was served as this version."""
    said = {"model_name": model_name, "model_version": model_version}
    return [number for (number,) in await database.read(_DEPLOYMENTS, said, timeout_s=READ_TIMEOUT_S)]


async def events_back(database: LocalDatabase, deployment: int, upto: int, *, limit: int) -> list[RecordedEvent]:
    """The last `limit` events of a deployment up to the place `upto`, newest first."""
    said = {"number": deployment, "upto": upto, "limit": limit}
    rows = await database.read(_EVENTS_BACK, said, timeout_s=READ_TIMEOUT_S)
    return [_recorded(row) for row in rows]


async def labels_between(
    database: LocalDatabase, deployment: int, first: int, last: int, *, changes: int
) -> list[LabelledEvent]:
    """What is known of the events of a deployment from one place to another, but for labels that changed after the
    sequence number `changes`."""
    said = {"number": deployment, "first": first, "last": last, "changes": changes}
    return [_change(row).now for row in await database.read(_LABELS, said, timeout_s=READ_TIMEOUT_S)]


async def first_recent_place(database: LocalDatabase, since_ms: int, until_ms: int) -> int | None:
    """The place of the first of the newest events that are of a span of time; None if the newest are not of it.

    Looks back until a thousand events in a row are not of it, and over `MOST_RECENT` events at most.
    """
    first, before = None, 2**62
    for _ in range(MOST_RECENT // _RECENT_PAGE):
        said = {"before": before, "limit": _RECENT_PAGE}
        page = await database.read(_MOMENTS_BACK, said, timeout_s=READ_TIMEOUT_S)
        recent = [place for place, at_ms in page if since_ms <= at_ms <= until_ms]
        if not recent:
            break
        first, before = recent[-1], page[-1][0]
    return first


async def label_changes(
    database: LocalDatabase, after: int, *, limit: int, until: int = 2**63 - 1
) -> tuple[int, list[LabelChange]]:
    """How far `limit` changes after the sequence number `after`, and before `until`, lead, and what became of each
    event in them.

    Several changes of one event come as one, from before the first of them to after the last: so later ones, which may
    be there already, continue them. Changes of events that are deleted already are passed over.
    """
    ((last,),) = await database.read(
        _LAST_CHANGE, {"after": after, "until": until, "limit": limit}, timeout_s=READ_TIMEOUT_S
    )
    if last is None:
        return after, []
    changes: dict[int, LabelChange] = {}
    for row in await database.read(_CHANGES, {"after": after, "last": last}, timeout_s=READ_TIMEOUT_S):
        change = _change(row)
        earlier = changes.get(change.now.place)
        if earlier is not None:
            change = change._replace(before=earlier.before, steps=earlier.steps + 1)
        changes[change.now.place] = change
    return last, list(changes.values())


async def forget_changes(database: LocalDatabase, upto: int) -> None:
    """Delete the changes that were read, up to the sequence number `upto`."""
    await database.write(lambda connection: connection.execute("DELETE FROM label_change WHERE sequence <= ?", (upto,)))


def log_every_label(connection: sqlite3.Connection) -> None:
    """Have all labels there are among the changes, for a reader that begins anew.

    What came before the first change that is kept of an event is noted as one, under a number that was given before;
    those that are kept stay as they are, so that reading them again tells the same.
    """
    unlogged = connection.execute(_UNLOGGED).fetchall()
    (first,) = connection.execute("SELECT min(sequence) FROM label_change").fetchone()
    if first is not None and first <= len(unlogged):
        connection.execute("DELETE FROM label_change")  # never so, unless a damaged file has lost some
        connection.execute(_LOG_ALL)
        return
    begin = 1 if first is None else first - len(unlogged)
    connection.executemany(
        "INSERT INTO label_change VALUES (?, ?, true, NULL, NULL, ?, ?)",
        [(sequence, *row) for sequence, row in enumerate(unlogged, begin)],
    )


def forget_changes_of(connection: sqlite3.Connection, after: int, *, limit: int) -> int | None:
    """Of `limit` changes after the sequence number `after`, delete those of events that are deleted; gives how far
    that led, None at the end."""
    ((last,),) = connection.execute(_LAST_CHANGE, {"after": after, "until": 2**63 - 1, "limit": limit}).fetchall()
    if last is not None:
        connection.execute(
            "DELETE FROM label_change WHERE sequence > ? AND sequence <= ? AND place < (SELECT min(place) FROM event)",
            (after, last),
        )
    return None if last is None else int(last)


def _recorded(row: tuple[Any, ...]) -> RecordedEvent:
    return RecordedEvent(row[0], NewEvent(row[1], ServedBy(*row[2:5]), *row[5:-1]), row[-1])


def _change(row: tuple[Any, ...]) -> LabelChange:
    sequence, place, salt, at_ms, name, version, deployment, rows, prediction, confidence, label, first, *told = row
    served_by = ServedBy(name, version, deployment)

    def labelled(outcome: str | None, correct: int | None) -> LabelledEvent:
        return LabelledEvent(
            place, at_ms, served_by, rows, prediction, confidence, label, outcome, _truth(correct), salt
        )

    return LabelChange(sequence, labelled(*told[2:]), None if first else labelled(*told[:2]))


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)
