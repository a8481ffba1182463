"""The catalogue of models: names, versions, and the generation that every change raises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of `edge_aiops.registry.catalogue`, at generation 0."""
    catalogue = op.create_table(
        "catalogue",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue"),
    )
    op.bulk_insert(catalogue, [{"id": 1, "generation": 0}])
    op.create_table(
        "models",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("last_deployment", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_models"),
    )
    op.create_table(
        "model_versions",
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("deployment_version", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("framework", sa.String(64), nullable=False),
        sa.Column("task_type", sa.String(128)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("model_name", "model_version", name="pk_model_versions"),
        sa.ForeignKeyConstraint(["model_name"], ["models.name"], name="fk_model_versions_model_name"),
        sa.UniqueConstraint("model_name", "deployment_version", name="uq_model_versions_model_name"),
    )
    op.create_index("ix_model_versions_sha256", "model_versions", ["sha256"])
    op.create_index(
        "ix_model_versions_production",
        "model_versions",
        ["model_name"],
        unique=True,
        sqlite_where=sa.text("stage = 'production'"),
        postgresql_where=sa.text("stage = 'production'"),
    )
