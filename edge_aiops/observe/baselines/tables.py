"""The tables of `edge_aiops.observe.baselines` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

BASELINES_TABLES: tuple[str, ...] = (
    # `origin` is the digest of the metadata that a baseline was made from, so that it is made but once; `features`
    # the names and kinds by part, so that baselines can be listed without reading their statistics.
    """
    CREATE TABLE baseline (
        number INTEGER PRIMARY KEY,
        model_name TEXT NOT NULL,
        model_version TEXT,
        source TEXT NOT NULL,
        origin TEXT,
        description TEXT NOT NULL,
        warnings TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        withdrawn_ms INTEGER,
        row_count INTEGER NOT NULL,
        features TEXT NOT NULL,
        inputs BLOB,
        outputs BLOB,
        outcomes BLOB
    ) STRICT
    """,
    "CREATE INDEX baseline_by_model ON baseline (model_name, number)",
)
