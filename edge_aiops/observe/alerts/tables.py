"""The tables of `edge_aiops.observe.alerts` in monitoring.db, as statements of its first migration."""

from __future__ import annotations

ALERTS_TABLES: tuple[str, ...] = ()
