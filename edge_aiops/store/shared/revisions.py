"""Brings a database to this program's revision; imports Alembic only when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import StoreError
from edge_aiops.store.shared import postgresql
from edge_aiops.store.shared.schema import HEAD

MIGRATIONS = Path(__file__).parent / "migrations"
"""Alembic's script directory."""

_version = table("alembic_version", column("version_num"))


async def outdated(connection: AsyncConnection) -> bool:
    """Whether the database is at another revision than this program."""
    return await connection.run_sync(stored_revision) != HEAD


async def upgrade(connection: AsyncConnection) -> None:
    """Apply the revisions that are missing. Raises `StoreError` when the database is of a newer program."""
    await connection.run_sync(_upgrade)


def stored_revision(connection: Connection) -> str | None:
    """The database's revision; None for an empty database."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(MIGRATIONS)
    if connection.dialect.name == "postgresql":
        postgresql.alone(connection)
    # Read again: from now on no other process can be at the same work.
    stored = stored_revision(connection)
    known = [script.revision for script in scripts.walk_revisions()]
    if stored is not None and stored not in known:
        raise StoreError(f"the hub's database is at revision {stored!r}, newer than this program; update edge-aiops")
    context = MigrationContext.configure(connection)
    with Operations.context(context):
        for script in reversed(list(scripts.iterate_revisions("head", stored or "base"))):
            script.module.upgrade()
            context.stamp(scripts, script.revision)
