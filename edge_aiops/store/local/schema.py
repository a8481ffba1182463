"""What a database file holds: its mark, its numbered migrations, and how they are applied."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from edge_aiops.base.errors import StoreError


class Schema(NamedTuple):
    """The shape of one kind of file.

    `migrations[i]` holds the statements that lead from version i to version i + 1; they are never edited.
    """

    name: str
    application_id: int
    migrations: tuple[tuple[str, ...], ...]


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring a file to the newest version, all steps in one transaction.

    Raises `StoreError` for a file of another kind or of a newer edge_aiops; such a file is left as it is.
    """
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (mark or version) and mark != schema.application_id:
        raise StoreError(f"the file is not a {schema.name} database of edge_aiops (application_id {mark:#x})")
    newest = len(schema.migrations)
    if version > newest:
        raise StoreError(
            f"the {schema.name} database has version {version}, this edge_aiops knows up to {newest}; "
            "install a newer edge_aiops, or restore a backup"
        )
    if version == newest:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in schema.migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
