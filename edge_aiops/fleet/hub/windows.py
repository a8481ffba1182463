"""Merged windows: of each node by hour and day, and of each group of nodes by five minutes, hour and day.

A window holds all rows of its width and of narrower ones, so windows of one width are never counted twice, and the
days together are everything. A node that was offline for long has rows of an hour, or of a day: they are in no
narrower window. What is in no hour is also kept apart, as the `rest` of its day: so the hours and the rests, too, are
everything, and that is what a hub pushes to the hub above it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from edge_aiops.fleet.hub.rows import series_columns, window_columns
from edge_aiops.store.shared.schema import metadata

WHOLE = "whole"
REST = "rest"

FIVE_MINUTES_MS = 300_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

NODE_WINDOWS = Table(
    "fleet_node_windows",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("group_name", String(64), primary_key=True),
    *series_columns(),
    Column("part", String(8), primary_key=True),
    *window_columns(),
    Column("revision", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("summary", LargeBinary, nullable=False),
    # Of a day whose rows are deleted: it never changes any more.
    Column("closed", Boolean, nullable=False),
    Index("ix_fleet_node_windows_start_ms", "start_ms", "width_ms"),
)
"""One node's hours and days."""

MERGED = Table(
    "fleet_merged",
    metadata,
    Column("group_name", String(64), primary_key=True),
    *series_columns(),
    # `whole`, or `rest` for what a day has and its hours have not.
    Column("part", String(8), primary_key=True),
    *window_columns(),
    # The sum of the rows' revisions; it only grows.
    Column("revision", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("summary", LargeBinary, nullable=False),
    # Of the roll-up that wrote it last; who remembers the highest it saw reads on from there.
    Column("change", BigInteger, nullable=False),
    Index("ix_fleet_merged_change", "change"),
    Index("ix_fleet_merged_model_name", "model_name", "kind", "width_ms", "start_ms"),
)
"""All nodes of a group together."""

DUE = Table(
    "fleet_due",
    metadata,
    Column("group_name", String(64), primary_key=True),
    *series_columns(),
    Column("part", String(8), primary_key=True),
    *window_columns(),
    Column("marks", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
)
"""Windows of groups that must be merged anew."""

LATE = Table(
    "fleet_late",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)
"""Rows that came after their day was closed, and were not counted; damaged ones as well."""
