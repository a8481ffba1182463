"""The tables of `edge_aiops.observe.baselines` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

BASELINES_TABLES: tuple[str, ...] = ()
