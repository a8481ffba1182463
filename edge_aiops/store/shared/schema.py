"""What every table of the hub's database shares: one catalogue of tables, one way to name constraints."""

from __future__ import annotations

from sqlalchemy import MetaData

HEAD = "0009"
"""The newest revision in `migrations/versions`. Kept here so that an up-to-date start need not import Alembic."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""Collects the tables as the modules that own them define them; migrations need names that never vary."""
