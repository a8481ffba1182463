"""The tables of `edge_aiops.observe.drift` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

DRIFT_TABLES: tuple[str, ...] = ()
