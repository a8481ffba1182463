"""The tables of what leaves the node. They are in this file, so that one transaction counts and passes on; who fills
and empties them is `fleet.node.outbox`, and nobody does where there is no hub."""

from __future__ import annotations

import sqlite3

OUTGOING_TABLES = (
    """
    CREATE TABLE outgoing_series (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        deployment INTEGER NOT NULL,
        baseline TEXT NOT NULL,
        UNIQUE (kind, model_name, model_version, deployment, baseline)
    ) STRICT
    """,
    # `acknowledged`: the revision that the hub has. `held_until_s`: on the monotonic clock of the process `held_by`.
    """
    CREATE TABLE outgoing_row (
        number INTEGER PRIMARY KEY,
        series INTEGER NOT NULL REFERENCES outgoing_series (number),
        boot INTEGER NOT NULL,
        width_ms INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        n INTEGER NOT NULL,
        size INTEGER NOT NULL,
        summary BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        acknowledged INTEGER NOT NULL,
        held_by INTEGER NOT NULL,
        held_until_s INTEGER NOT NULL,
        stream INTEGER,
        seq INTEGER,
        acknowledged_ms INTEGER,
        UNIQUE (series, boot, width_ms, start_ms)
    ) STRICT
    """,
    "CREATE INDEX outgoing_row_waits ON outgoing_row (priority, number, size) WHERE revision > acknowledged",
    "CREATE INDEX outgoing_row_kept ON outgoing_row (stream, seq, acknowledged_ms, size) WHERE stream IS NOT NULL",
    """
    CREATE TABLE outgoing_record (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        size INTEGER NOT NULL,
        body BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        acknowledged INTEGER NOT NULL,
        stream INTEGER,
        seq INTEGER,
        acknowledged_ms INTEGER,
        UNIQUE (kind, id)
    ) STRICT
    """,
    "CREATE INDEX outgoing_record_waits ON outgoing_record (priority, number, size) WHERE acknowledged = 0",
    "CREATE INDEX outgoing_record_kept ON outgoing_record (stream, seq, acknowledged_ms, size)"
    " WHERE stream IS NOT NULL",
    # What the hub has acknowledged of the numbers that each process gave.
    "CREATE TABLE outgoing_stream (stream INTEGER PRIMARY KEY, acknowledged INTEGER NOT NULL) STRICT",
    # What the hub refused.
    """
    CREATE TABLE outgoing_refused (
        number INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        what TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE outgoing_lost (
        reason TEXT PRIMARY KEY,
        row_count INTEGER NOT NULL,
        items INTEGER NOT NULL
    ) STRICT
    """,
)


def forget_rows(connection: sqlite3.Connection) -> None:
    """Delete the rows, which are made anew with the windows, each with the revision that it had."""
    connection.execute("DELETE FROM outgoing_row")
