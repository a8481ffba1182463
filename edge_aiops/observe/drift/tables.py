"""The tables of `edge_aiops.observe.drift` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

DRIFT_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE drift_watch (
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        role TEXT NOT NULL,
        baseline INTEGER NOT NULL,
        watch BLOB NOT NULL,
        PRIMARY KEY (model_name, model_version, role, baseline)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE drift_state (
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        drift_type TEXT NOT NULL,
        baseline INTEGER NOT NULL,
        confirmed INTEGER NOT NULL,
        streak INTEGER NOT NULL,
        PRIMARY KEY (model_name, model_version, drift_type)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE drift_run (
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        checked_ms INTEGER NOT NULL,
        PRIMARY KEY (model_name, model_version)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE drift_result (
        number INTEGER PRIMARY KEY,
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        drift_type TEXT NOT NULL,
        checked_ms INTEGER NOT NULL,
        superseded INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX drift_result_by_model ON drift_result (model_name, checked_ms)",
    "CREATE INDEX drift_result_by_type ON drift_result (model_name, superseded, model_version, drift_type, number)",
)

_OF_VERSIONS = ("drift_watch", "drift_state", "drift_run")


def forget_others(connection: sqlite3.Connection, versions: Collection[tuple[str, str]]) -> None:
    """Keep evidence, confirmation and the time of the last check of these model versions only."""
    kept = json.dumps(sorted(versions))
    for table in _OF_VERSIONS:
        connection.execute(
            f"DELETE FROM {table} WHERE (model_name, model_version) NOT IN "
            "(SELECT value ->> 0, value ->> 1 FROM json_each(?))",
            (kept,),
        )
