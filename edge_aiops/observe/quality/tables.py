"""The tables of `edge_aiops.observe.quality` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

QUALITY_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE quality_report (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        checked_ms INTEGER NOT NULL,
        scheduled INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX quality_report_by_model ON quality_report (model_name, model_version, scheduled, number)",
)
