"""The tables of `edge_aiops.observe.alerts` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

ALERTS_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE alert (
        id TEXT PRIMARY KEY,
        rule_id TEXT NOT NULL,
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        severity TEXT NOT NULL,
        status TEXT NOT NULL,
        acknowledged INTEGER NOT NULL,
        held_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX active_alert ON alert (rule_id, model_name, model_version) WHERE status != 'resolved'",
    """
    CREATE TABLE notification (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        notifier TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        finished_ms INTEGER,
        last_error TEXT,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX waiting_notification ON notification (notifier) WHERE status = 'waiting'",
    """
    CREATE TABLE gone_notifier (
        name TEXT PRIMARY KEY,
        configuration TEXT NOT NULL,
        reason TEXT NOT NULL,
        since_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE TABLE alert_rule (id TEXT PRIMARY KEY, body BLOB NOT NULL, updated_ms INTEGER NOT NULL) STRICT",
)
