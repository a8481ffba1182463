"""Copies what still reads of a damaged file into its successor, for a short time."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from itertools import product
from pathlib import Path

from edge_aiops.store.local.connection import open_reader

SALVAGE_LIMIT_S = 2.0
_BATCH_ROWS = 5_000
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""The latter where SQLite's message quotes a damaged schema."""
# Of the header: write-ahead logging, no reserved bytes, the fixed fractions; schema format 4; UTF-8.
_FORMAT = bytes([2, 2, 0, 64, 32, 32])
_SCHEMA_FORMAT = (4).to_bytes(4, "big")
_UTF_8 = (1).to_bytes(4, "big")

logger = logging.getLogger(__name__)


def salvage(damaged: Path, target: sqlite3.Connection) -> int:
    """Copy the rows of `damaged` that still read into `target`; gives their number.

    The last table of the schema comes first, each table newest rows first, for `SALVAGE_LIMIT_S` seconds at most.
    Rows that refer to lost ones are left out. The header of `damaged` is mended, where it has to be.
    """
    give_up_at = time.monotonic() + SALVAGE_LIMIT_S
    with suppress(OSError):
        _mend_header(damaged, *target.execute("PRAGMA page_size").fetchone())
    tables = _tables(target)
    target.execute("PRAGMA foreign_keys = OFF")
    with ExitStack() as stack:
        sources = []
        # Without its log too, which may be another file's.
        for ignore_log in (False, True):
            with suppress(*_UNREADABLE):
                source = open_reader(damaged, expired=lambda: time.monotonic() > give_up_at, ignore_log=ignore_log)
                source.text_factory = _text
                source.execute("PRAGMA cell_size_check = ON")
                sources.append(stack.enter_context(closing(source)))
        for table in reversed(tables):
            # From both ends up to the first bad page.
            any(_copied(source, target, table, order) for source, order in product(sources, ("DESC", "ASC")))
    target.execute("PRAGMA foreign_keys = ON")
    for table in tables:
        _drop_dangling(target, table)
    return sum(target.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def _mend_header(file: Path, page_size: int) -> None:
    """Write the fields that are the same in all our files (SQLite's file format, section 1.3), where one flipped bit
    would keep every row from being read; and make the size in pages invalid, so that SQLite asks the file."""
    with file.open("r+b") as opened:
        header = opened.read(100)
        if len(header) < 100:
            return
        stored_size = (1 if page_size == 65_536 else page_size).to_bytes(2, "big")
        other_change = bytes(255 - byte for byte in header[24:28])
        opened.seek(0)
        opened.write(b"SQLite format 3\0" + stored_size + _FORMAT + header[24:44] + _SCHEMA_FORMAT + header[48:56])
        opened.write(_UTF_8 + header[60:92] + other_change)


def _copied(source: sqlite3.Connection, target: sqlite3.Connection, table: str, order: str) -> bool:
    """Copy a table up to the first row that does not read; whether that was its end."""
    batch: list[tuple[object, ...]] = []
    insert = ""
    complete = True
    try:
        columns = ", ".join(_shared_columns(source, target, table))
        key = ", ".join(f"{column} {order}" for column in _key(target, table))
        rows = source.execute(f"SELECT {columns} FROM {table} ORDER BY {key}")
        insert = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({', '.join('?' * len(rows.description))})"
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                _insert(target, insert, batch)
                batch.clear()
    except _UNREADABLE as error:
        logger.warning("salvage of table %s (%s) ended: %s", table, order, error)
        complete = False
    with suppress(sqlite3.Error):  # full: these rows are lost, the node still starts
        _insert(target, insert, batch)
    return complete


def _insert(target: sqlite3.Connection, insert: str, batch: Sequence[tuple[object, ...]]) -> None:
    if not batch:
        return
    target.execute("BEGIN IMMEDIATE")
    try:
        try:
            target.executemany(insert, batch)
        except sqlite3.IntegrityError:
            for row in batch:
                # A row whose values changed their type is lost, its neighbours are not.
                with suppress(sqlite3.IntegrityError):
                    target.execute(insert, row)
        target.execute("COMMIT")
    finally:
        if target.in_transaction:
            target.execute("ROLLBACK")


def _tables(connection: sqlite3.Connection) -> list[str]:
    statement = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    return [name for (name,) in connection.execute(statement)]


def _shared_columns(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> list[str]:
    """The columns that both have, and the row's number where there is one."""
    known = set(_columns(source, table))
    shared = [column for column in _columns(target, table) if column in known]
    if not shared:
        raise sqlite3.DatabaseError("the table is gone")
    return ["rowid", *shared] if _has_rowid(target, table) else shared


def _columns(connection: sqlite3.Connection, table: str, *, of_key: bool = False) -> list[str]:
    listed = f"SELECT name FROM pragma_table_info(?) {'WHERE pk > 0 ORDER BY pk' if of_key else ''}"
    return [f'"{name}"' for (name,) in connection.execute(listed, (table,))]


def _key(connection: sqlite3.Connection, table: str) -> list[str]:
    return ["rowid"] if _has_rowid(connection, table) else _columns(connection, table, of_key=True)


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    (without,) = connection.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).fetchone()
    return not without


def _drop_dangling(target: sqlite3.Connection, table: str) -> None:
    if _has_rowid(target, table):
        dangling = "SELECT rowid FROM pragma_foreign_key_check(?)"
        target.execute(f"DELETE FROM {table} WHERE rowid IN ({dangling})", (table,))


def _text(value: bytes) -> str | None:
    """Text; nothing where bytes or zeros took its place."""
    try:
        return None if b"\0" in value else value.decode()
    except UnicodeDecodeError:
        return None
