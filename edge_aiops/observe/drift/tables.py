"""The tables of `edge_aiops.observe.drift` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

DRIFT_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE drift_watch (
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        role TEXT NOT NULL,
        baseline INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
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
)
