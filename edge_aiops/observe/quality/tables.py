"""The tables of `edge_aiops.observe.quality` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

QUALITY_TABLES: tuple[str, ...] = ()
