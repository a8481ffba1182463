"""What nodes have pushed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of `edge_aiops.fleet.hub.rows`."""
    op.create_table(
        "fleet_rows",
        sa.Column("node_id", sa.String(32), nullable=False),
        *_window(),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("summary", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("group_name", sa.String(64), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", *_WINDOW, "boot", name="pk_fleet_rows"),
    )
    op.create_index("ix_fleet_rows_start_ms", "fleet_rows", ["start_ms"])
    op.create_table(
        "fleet_cursors",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", "boot", name="pk_fleet_cursors"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fleet_records",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", "kind", "id", name="pk_fleet_records"),
    )
    op.create_index("ix_fleet_records_kind", "fleet_records", ["kind", "at_ms"])
    op.create_table(
        "fleet_baselines",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_fleet_baselines"),
    )
    op.create_table(
        "fleet_dirty",
        sa.Column("node_id", sa.String(32), nullable=False),
        *_window(),
        sa.Column("marks", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", *_WINDOW, name="pk_fleet_dirty"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fleet_dirty_since", "fleet_dirty", ["since"])
    op.create_table(
        "fleet_reports",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("skew_ms", sa.BigInteger, nullable=False),
        sa.Column("lag", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("reported", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("node_id", name="pk_fleet_reports"),
        sqlite_with_rowid=False,
    )


_WINDOW = ("kind", "model_name", "model_version", "deployment", "baseline", "width_ms", "start_ms")


def _window() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("model_name", sa.String(128), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("deployment", sa.BigInteger, nullable=False),
        sa.Column("baseline", sa.String(64), nullable=False),
        sa.Column("width_ms", sa.BigInteger, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
    )
