"""What a hub has pushed to the hub above it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of `edge_aiops.fleet.hub.forwarding`."""
    op.create_table(
        "fleet_upstream",
        sa.Column("one", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_fleet_upstream"),
    )
    op.create_table(
        "fleet_forwarded",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("model_name", sa.String(128), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("deployment", sa.BigInteger, nullable=False),
        sa.Column("baseline", sa.String(64), nullable=False),
        sa.Column("width_ms", sa.BigInteger, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("stream", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            *("kind", "model_name", "model_version", "deployment", "baseline", "width_ms", "start_ms"),
            name="pk_fleet_forwarded",
        ),
    )
    op.create_index("ix_fleet_forwarded_stream", "fleet_forwarded", ["stream", "seq"])
    op.create_table(
        "fleet_forwarded_records",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("stream", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", "kind", "id", name="pk_fleet_forwarded_records"),
    )
    op.create_index("ix_fleet_forwarded_records_stream", "fleet_forwarded_records", ["stream", "seq"])
