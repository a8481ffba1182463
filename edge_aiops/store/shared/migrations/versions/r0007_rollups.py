"""Merged windows of the fleet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of `edge_aiops.fleet.hub.windows`."""
    op.create_table(
        "fleet_node_windows",
        sa.Column("node_id", sa.String(32), nullable=False),
        *_window(),
        *_sums(),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("node_id", *_WINDOW, name="pk_fleet_node_windows"),
    )
    op.create_index("ix_fleet_node_windows_start_ms", "fleet_node_windows", ["start_ms", "width_ms"])
    op.create_table(
        "fleet_merged",
        *_window(),
        *_sums(),
        sa.Column("nodes", sa.Integer, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*_WINDOW, name="pk_fleet_merged"),
    )
    op.create_index("ix_fleet_merged_change", "fleet_merged", ["change"])
    op.create_index("ix_fleet_merged_model_name", "fleet_merged", ["model_name", "kind", "width_ms", "start_ms"])
    op.create_table(
        "fleet_due",
        *_window(),
        sa.Column("marks", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*_WINDOW, name="pk_fleet_due"),
    )
    op.create_table(
        "fleet_late",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", name="pk_fleet_late"),
    )


_WINDOW = (
    *("group_name", "kind", "model_name", "model_version", "deployment", "baseline"),
    *("part", "width_ms", "start_ms"),
)


def _window() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("group_name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("model_name", sa.String(128), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("deployment", sa.BigInteger, nullable=False),
        sa.Column("baseline", sa.String(64), nullable=False),
        sa.Column("part", sa.String(8), nullable=False),
        sa.Column("width_ms", sa.BigInteger, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
    )


def _sums() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("summary", sa.LargeBinary, nullable=False),
    )
