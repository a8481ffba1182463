"""Marks of windows of nodes in the order of their keys alone."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Take away when a window was marked: nothing asks for it any more, and its index cost each push a write."""
    op.drop_index("ix_fleet_dirty_since", "fleet_dirty")
    op.drop_column("fleet_dirty", "since")
