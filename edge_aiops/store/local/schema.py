"""What a database file holds: its mark, its numbered migrations, and how they are applied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import NamedTuple

from edge_aiops.base.errors import StoreCorrupt, StoreError

_Shape = frozenset[tuple[str, ...]]


class Schema(NamedTuple):
    """The shape of one kind of file.

    `migrations[i]` holds the statements that lead from version i to version i + 1; they are never edited.
    Tables are salvaged from the last to the first, so the small and precious ones stand last.
    """

    name: str
    application_id: int
    migrations: tuple[tuple[str, ...], ...]


def check(connection: sqlite3.Connection, schema: Schema, *, known_as_ours: bool) -> None:
    """Make sure that a file may be opened as `schema`; nothing is written.

    `known_as_ours`: there is proof beside the header. Raises `StoreError` for a file of another kind or of a newer
    edge_aiops, and `StoreCorrupt` where the file is ours, but its header says something else.
    """
    shapes = _shapes(schema)
    mark, version = _header(connection)
    newest = len(schema.migrations)
    found = _shape(connection)
    if not (mark or version or found):
        return  # new, or its first commit never reached the disk
    if mark != schema.application_id:
        if known_as_ours or any(shape and _names(shape) <= _names(found) for shape in shapes):
            raise StoreCorrupt(f"the header of the {schema.name} database says application_id {mark:#x}")
        raise StoreError(
            f"the file is not a {schema.name} database of edge_aiops (application_id {mark:#x}); "
            "choose another data folder, or move the file away"
        )
    fitting = [number for number, shape in enumerate(shapes) if shape == found]
    if (fitting and version not in fitting) or (version <= newest and not shapes[version] <= found):
        raise StoreCorrupt(f"the header says version {version}, the tables are not those of that version")
    if version > newest:
        raise StoreError(
            f"the {schema.name} database has version {version}, this edge_aiops knows up to {newest}; "
            "install a newer edge_aiops, or restore a backup"
        )


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring a file that passed `check` to the newest version, all steps in one transaction."""
    newest = len(schema.migrations)
    _, version = _header(connection)
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
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _header(connection: sqlite3.Connection) -> tuple[int, int]:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return mark, version


def _shape(connection: sqlite3.Connection) -> _Shape:
    """The columns of all tables, and the indexes. Not their statements, which SQLite may spell anew."""
    columns = connection.execute(
        "SELECT made.name, has.name, has.type FROM sqlite_schema AS made, pragma_table_info(made.name) AS has"
        " WHERE made.type = 'table' AND made.name NOT LIKE 'sqlite_%'"
    )
    indexes = connection.execute("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    return frozenset(columns) | frozenset(indexes)


def _names(shape: _Shape) -> set[str]:
    return {name for name, *_ in shape}


def _shapes(schema: Schema) -> list[_Shape]:
    """The shape of each version, from 0."""
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            shapes = [_shape(connection)]
            for statements in schema.migrations:
                for statement in statements:
                    connection.execute(statement)
                shapes.append(_shape(connection))
    except sqlite3.Error as error:
        raise StoreError(f"a migration of the {schema.name} database is wrong: {error}") from error
    return shapes
