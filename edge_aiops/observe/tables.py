"""The file `monitoring.db`: windows and what follows from them. All but what people said can be made anew."""

from __future__ import annotations

from edge_aiops.observe.alerts.tables import ALERTS_TABLES
from edge_aiops.observe.baselines.tables import BASELINES_TABLES
from edge_aiops.observe.drift.tables import DRIFT_TABLES
from edge_aiops.observe.outgoing import OUTGOING_TABLES
from edge_aiops.observe.quality.tables import QUALITY_TABLES
from edge_aiops.store.local import Schema

_WINDOWS = (
    """
    CREATE TABLE series (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        deployment_version INTEGER NOT NULL,
        baseline INTEGER NOT NULL,
        UNIQUE (kind, model_name, model_version, deployment_version, baseline)
    ) STRICT
    """,
    """
    CREATE TABLE window (
        series INTEGER NOT NULL REFERENCES series (number),
        width_ms INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        summary BLOB NOT NULL,
        UNIQUE (series, width_ms, start_ms)
    ) STRICT
    """,
    """
    CREATE TABLE fresh (
        series INTEGER NOT NULL REFERENCES series (number),
        width_ms INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        summary BLOB,
        PRIMARY KEY (width_ms, series, start_ms)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE position (stage TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT",
)
_CONFIG = ("CREATE TABLE config (scope TEXT PRIMARY KEY, body BLOB NOT NULL, updated_ms INTEGER NOT NULL) STRICT",)

MONITORING_SCHEMA = Schema(
    name="monitoring",
    application_id=0x4544474D,
    # What people made stands last: it is salvaged first.
    migrations=(
        (
            *_WINDOWS,
            *OUTGOING_TABLES,
            *QUALITY_TABLES,
            *DRIFT_TABLES,
            *ALERTS_TABLES,
            *BASELINES_TABLES,
            *_CONFIG,
        ),
    ),
)
