"""What nodes have pushed, as the hub keeps it: the tables, and the statements that ingest is made of.

Every key begins with the node, and no key refers to another node's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.store.shared.schema import metadata


def series_columns() -> tuple[Column[str], Column[str], Column[str], Column[int], Column[str]]:
    """The columns of a key that say what a window is of; see `messages.push.RowKey`."""
    return (
        Column("kind", String(16), primary_key=True),
        Column("model_name", String(128), primary_key=True),
        Column("model_version", String(128), primary_key=True),
        Column("deployment", BigInteger, primary_key=True, autoincrement=False),
        Column("baseline", String(64), primary_key=True),
    )


def window_columns() -> tuple[Column[int], Column[int]]:
    """The columns of a key that say which span a window is of."""
    return (
        Column("width_ms", BigInteger, primary_key=True, autoincrement=False),
        Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    )


ROWS = Table(
    "fleet_rows",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    *series_columns(),
    *window_columns(),
    Column("revision", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("summary", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    # The node's when the row first came; so no row is ever in two groups.
    Column("group_name", String(64), nullable=False),
    # When it first came, and when it last grew.
    Column("received_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # Of all nodes' rows of one window. Windows come in order, so it grows at its end, which costs little.
    Index("ix_fleet_rows_start_ms", "start_ms"),
)
"""Each row at the highest revision that came."""

CURSORS = Table(
    "fleet_cursors",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("cursor", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The highest number that the hub has of each stream."""

RECORDS = Table(
    "fleet_records",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_fleet_records_kind", "kind", "at_ms"),
)
"""What happened on nodes; `body` is JSON."""

BASELINES = Table(
    "fleet_baselines",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
)
"""Baselines by the SHA-256 of their bytes, from whichever node brought them first."""

DIRTY = Table(
    "fleet_dirty",
    metadata,
    Column("node_id", String(32), primary_key=True),
    *series_columns(),
    *window_columns(),
    # Grows with each mark, so that who took note of a mark deletes it only if there was no further one.
    Column("marks", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Index("ix_fleet_dirty_since", "since"),
    sqlite_with_rowid=False,
)
"""Windows of nodes that have rows which are not merged yet."""

REPORTS = Table(
    "fleet_reports",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    # The node's clock minus the hub's, when the push came.
    Column("skew_ms", BigInteger, nullable=False),
    Column("lag", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("reported", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""How each node was at its last push; `reported` is the JSON of `messages.push.Reported`."""

RowValues = tuple[str, int, str, str, str, int, str, int, int, int, int, bytes, bytes, str, int, int]
"""A row, in the order of the columns of `ROWS`."""
ReportValues = tuple[str, int, int, int, int, int, bytes]
"""A report, in the order of the columns of `REPORTS`."""

_CURSORS_OF = {
    "sqlite": """
        SELECT node_id, boot, cursor FROM json_each(?) AS wanted
        JOIN fleet_cursors ON node_id = wanted.value ->> 0 AND boot = wanted.value ->> 1
    """,
    "postgresql": """
        SELECT node_id, boot, cursor FROM jsonb_array_elements($1::text::jsonb) AS wanted
        JOIN fleet_cursors ON node_id = wanted ->> 0 AND boot = (wanted ->> 1)::bigint
    """,
}
_MOVE_CURSOR = """
    INSERT INTO fleet_cursors VALUES (?, ?, ?)
    ON CONFLICT (node_id, boot) DO UPDATE SET cursor = excluded.cursor WHERE excluded.cursor > fleet_cursors.cursor
"""
_SERIES = "kind, model_name, model_version, deployment, baseline, width_ms, start_ms"
_PUT_ROW = f"""
    INSERT INTO fleet_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (node_id, boot, {_SERIES}) DO UPDATE SET
        revision = excluded.revision, n = excluded.n, summary = excluded.summary, sha256 = excluded.sha256,
        changed_at = excluded.changed_at
    WHERE excluded.revision > fleet_rows.revision
"""
_MARK = f"""
    INSERT INTO fleet_dirty VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
    ON CONFLICT (node_id, {_SERIES}) DO UPDATE SET marks = fleet_dirty.marks + 1
"""
_PUT_RECORD = "INSERT INTO fleet_records VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_BASELINE = "INSERT INTO fleet_baselines VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_REPORT = """
    INSERT INTO fleet_reports VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (node_id) DO UPDATE SET
        boot = excluded.boot, last_seen = excluded.last_seen, skew_ms = excluded.skew_ms, lag = excluded.lag,
        generation = excluded.generation, reported = excluded.reported
"""


async def cursors_of(connection: AsyncConnection, streams: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The cursor of each stream (node, boot) that the hub knows."""
    wanted = msgspec.json.encode(list(streams)).decode()
    result = await connection.exec_driver_sql(_CURSORS_OF[connection.dialect.name], (wanted,))
    return {(found.node_id, found.boot): found.cursor for found in result}


async def move_cursors(connection: AsyncConnection, moved: Iterable[tuple[str, int, int]]) -> None:
    """Move cursors of (node, boot) on to numbers; never back."""
    await _each(connection, _MOVE_CURSOR, moved)


async def put_rows(connection: AsyncConnection, rows: Iterable[RowValues]) -> None:
    """Put in each row that is new, or that has come further than the one that is there."""
    await _each(connection, _PUT_ROW, rows)


async def mark_dirty(connection: AsyncConnection, windows: Iterable[tuple[Any, ...]]) -> None:
    """Mark windows (node, kind, model, version, deployment, baseline, width, start, moment) as not merged."""
    await _each(connection, _MARK, windows)


async def put_records(connection: AsyncConnection, records: Iterable[tuple[str, str, str, int, bytes, int]]) -> None:
    """Put in each record (node, kind, id, moment, body, moment of arrival) that is new."""
    await _each(connection, _PUT_RECORD, records)


async def put_baselines(connection: AsyncConnection, baselines: Iterable[tuple[str, bytes, int]]) -> None:
    """Put in each baseline (SHA-256, bytes, moment of arrival) that is new."""
    await _each(connection, _PUT_BASELINE, baselines)


async def put_reports(
    connection: AsyncConnection, reports: Iterable[tuple[str, int, int, int, int, int, bytes]]
) -> None:
    """Note how nodes are."""
    await _each(connection, _PUT_REPORT, reports)


async def _each(connection: AsyncConnection, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
    """Execute a statement for each of some values, past SQLAlchemy's own, which would cost more than the database's.

    In the order of the values, so that two hubs that write to the same rows never wait for each other.
    """
    if ordered := sorted(values):
        driver = statement if connection.dialect.name == "sqlite" else _numbered(statement)
        await connection.exec_driver_sql(driver, ordered)


@cache
def _numbered(statement: str) -> str:
    """With the placeholders of PostgreSQL."""
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", statement)
