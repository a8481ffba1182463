"""Join tokens, nodes, and the hub's secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of `edge_aiops.fleet.hub`: secrets, tokens, nodes, their labels and events, ended sessions."""
    op.create_table(
        "hub_secrets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_hub_secrets"),
    )
    op.create_table(
        "join_tokens",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("node_group", sa.String(64), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("node_id", sa.String(32)),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("uses_left", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_join_tokens"),
        sa.UniqueConstraint("sha256", name="uq_join_tokens_sha256"),
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("node_group", sa.String(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("joined_with", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_at", sa.BigInteger, nullable=False),
        sa.Column("status_reason", sa.String(512), nullable=False),
        sa.Column("session", sa.BigInteger, nullable=False),
        sa.Column("boots", sa.JSON, nullable=False),
        sa.Column("boot_session", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
    )
    op.create_index("ix_nodes_node_group", "nodes", ["node_group"])
    op.create_index("ix_nodes_status", "nodes", ["status"])
    op.create_table(
        "node_labels",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("value", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "name", name="pk_node_labels"),
    )
    op.create_index("ix_node_labels_name", "node_labels", ["name"])
    op.create_table(
        "node_events",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("detail", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "id", name="pk_node_events"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.Column("up_to", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node_id", name="pk_ended_sessions"),
    )
    op.create_index("ix_ended_sessions_at", "ended_sessions", ["at"])
