"""What nodes have pushed, as the hub keeps it: the tables, and the statements that ingest is made of.

Every key begins with the node, and no key refers to another node's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from edge_aiops.store.shared.bulk import Ask, Put, Steps
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
    *series_columns(),
    *window_columns(),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
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

Values = Iterable[tuple[Any, ...]]
"""What goes into a table, in the order of its columns."""

_CURSORS_OF = {
    "sqlite": """
        SELECT node_id, boot, cursor FROM json_each(?) AS wanted
        JOIN fleet_cursors ON node_id = wanted.value ->> 0 AND boot = wanted.value ->> 1
    """,
    "postgresql": """
        SELECT node_id, boot, cursor FROM jsonb_array_elements(?::text::jsonb) AS wanted
        JOIN fleet_cursors ON node_id = wanted ->> 0 AND boot = (wanted ->> 1)::bigint
    """,
}
_SERIES = "kind, model_name, model_version, deployment, baseline, width_ms, start_ms"
_PUT_ROW = f"""
    (node_id, {_SERIES}, boot) DO UPDATE SET
        revision = excluded.revision, n = excluded.n, summary = excluded.summary, sha256 = excluded.sha256,
        changed_at = excluded.changed_at
    WHERE excluded.revision > fleet_rows.revision
"""
_MARK = f"(node_id, {_SERIES}) DO UPDATE SET marks = fleet_dirty.marks + 1"
_ONCE = "DO NOTHING"
_MOVE_CURSOR = "(node_id, boot) DO UPDATE SET cursor = excluded.cursor WHERE excluded.cursor > fleet_cursors.cursor"
_PUT_REPORT = """
    (node_id) DO UPDATE SET
        boot = excluded.boot, last_seen = excluded.last_seen, skew_ms = excluded.skew_ms, lag = excluded.lag,
        generation = excluded.generation, reported = excluded.reported
"""


def cursors_of(streams: Iterable[tuple[str, int]]) -> Steps[dict[tuple[str, int], int]]:
    """The cursor of each stream (node, boot) that the hub knows."""
    found = yield Ask(_CURSORS_OF, (msgspec.json.encode(list(streams)).decode(),))
    return {(node_id, boot): cursor for node_id, boot, cursor in found}


def put(
    *, rows: Values, dirty: Values, records: Values, baselines: Values, cursors: Values, reports: Values
) -> Steps[None]:
    """Put in what is new, or has come further than what is there. No two rows, marks, cursors or reports of one key."""
    changes = (
        (ROWS, _PUT_ROW, rows),
        (DIRTY, _MARK, dirty),
        (RECORDS, _ONCE, records),
        (BASELINES, _ONCE, baselines),
        (CURSORS, _MOVE_CURSOR, cursors),
        (REPORTS, _PUT_REPORT, reports),
    )
    # In the order of the values, so that two hubs that write to the same rows never wait for each other.
    for table, conflict, values in changes:
        yield Put(table, conflict, sorted(values))
