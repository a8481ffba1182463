"""What happens to a damaged file: it is set aside whole, what still reads is copied, and the node starts.

A marker file stands beside an open database and is removed when it is closed in order. Where it is found at
boot, the file is checked first. A damaged database costs history, never service.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from edge_aiops.store.local.connection import reader_uri
from edge_aiops.store.local.schema import Schema

CHECK_LIMIT_S = 1.5
"""A check that takes longer counts as passed: a large journal must not keep the node from its work."""
SALVAGE_LIMIT_S = 2.0
_PROGRESS_STEPS = 10_000
_BATCH_ROWS = 500

logger = logging.getLogger(__name__)


class Quarantined(NamedTuple):
    """A file that was set aside: where to, why, and how many rows were copied to its successor."""

    folder: Path
    reason: str
    salvaged_rows: int


class OpenMarker:
    """Tells at boot whether the last owner closed the file in order."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".open")

    @property
    def present(self) -> bool:
        """Whether the last owner died with the file open."""
        return self._path.exists()

    def set(self) -> None:
        """From here on the file is open."""
        self._path.touch()
        flush(self._path.parent)

    def clear(self) -> None:
        """The file was closed in order."""
        self._path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the file or folder on the disk, not only in the kernel's memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damage(path: Path) -> str | None:
    """What is wrong with the file, by `quick_check`; None if nothing was found in `CHECK_LIMIT_S` seconds."""
    give_up_at = time.monotonic() + CHECK_LIMIT_S
    try:
        connection = sqlite3.connect(path)
        try:
            connection.set_progress_handler(lambda: time.monotonic() > give_up_at, _PROGRESS_STEPS)
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return None
        return str(error)
    return None if answer == "ok" else str(answer)


def set_aside(path: Path, *, now_ms: int) -> Path:
    """Move the database, its log and its index together into `quarantine/`; gives the new folder."""
    folder = path.parent / "quarantine" / f"{path.stem}-{now_ms}"
    folder.mkdir(parents=True)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.move(part, folder / part.name)
    return folder


def salvage(damaged: Path, target: sqlite3.Connection, schema: Schema) -> int:
    """Copy the rows of `damaged` that still read into `target`, newest first, for `SALVAGE_LIMIT_S` seconds at most."""
    give_up_at = time.monotonic() + SALVAGE_LIMIT_S
    tables = [name for (name,) in target.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    try:
        source = sqlite3.connect(reader_uri(damaged), uri=True)
    except sqlite3.Error:
        return 0
    try:
        source.set_progress_handler(lambda: time.monotonic() > give_up_at, _PROGRESS_STEPS)
        # Small tables first: a node's identity is worth more than its last event.
        return sum(_copied(source, target, table, order) for table in reversed(tables) for order in ("DESC", "ASC"))
    finally:
        source.close()
        logger.info(
            "salvage of the %s database took %.1f s",
            schema.name,
            time.monotonic() - give_up_at + SALVAGE_LIMIT_S,
        )


def _copied(source: sqlite3.Connection, target: sqlite3.Connection, table: str, order: str) -> int:
    before = target.total_changes
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN IMMEDIATE")
    try:
        rows = source.execute(f"SELECT * FROM {table} ORDER BY rowid {order}")
        places = ", ".join("?" * len(rows.description))
        insert = f"INSERT OR IGNORE INTO {table} VALUES ({places})"
        while batch := rows.fetchmany(_BATCH_ROWS):
            target.executemany(insert, batch)
    except sqlite3.Error as error:
        logger.warning("salvage of table %s (%s) ended: %s", table, order, error)
    target.execute("COMMIT")
    target.execute("PRAGMA foreign_keys = ON")
    return target.total_changes - before
