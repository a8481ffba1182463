"""How connections are opened, and what SQLite's errors mean to us."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreCorrupt, StoreError

Synchronous = Literal["full", "normal"]

PROGRESS_STEPS = 10_000
"""Steps of SQLite's machine between two looks at a deadline; well under a millisecond."""

_PRAGMAS = (
    "wal_autocheckpoint = 0",
    "busy_timeout = 5000",
    "mmap_size = 0",
    "temp_store = MEMORY",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
)
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    # Bytes that the medium does not give back.
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
_PRIMARY_CODE = 0xFF


def open_writer(path: Path, *, synchronous: Synchronous = "full", max_bytes: int | None = None) -> sqlite3.Connection:
    """The one connection that writes and checkpoints `path`; at `max_bytes` writes get `StorageFull`."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"{path}: SQLite answered journal_mode={mode}; the folder must be on a local file system")
        for pragma in (f"synchronous = {synchronous.upper()}", *_PRAGMAS):
            connection.execute(f"PRAGMA {pragma}")
        if max_bytes is not None:
            (page_size,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count = {max(max_bytes // page_size, 64)}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(
    path: Path, *, expired: Callable[[], bool] | None = None, ignore_log: bool = False
) -> sqlite3.Connection:
    """A connection that never writes nor checkpoints; a statement is interrupted once `expired` says so.

    `ignore_log`: read the file as it is, without its log, which is safe only while nobody writes.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if ignore_log else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    if expired is not None:
        connection.set_progress_handler(expired, PROGRESS_STEPS)
    return connection


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is broken: not merely full, locked, or out of reach."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code in _DAMAGE or code & _PRIMARY_CODE in _DAMAGE


def is_damage_at_boot(error: BaseException, path: Path) -> bool:
    """The same for a connection that should be able to write: a header may forbid what the file system allows."""
    if getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_READONLY:
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return is_damage(error)


def was_interrupted(error: sqlite3.Error) -> bool:
    """Whether a statement ended because its time was over."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


def translated(error: sqlite3.Error, path: Path) -> EdgeAiopsError:
    """What an error of SQLite means to a caller, with the error as its cause."""
    said = _translated(error, path)
    said.__cause__ = error
    return said


def _translated(error: sqlite3.Error, path: Path) -> EdgeAiopsError:
    if is_damage(error):
        return StoreCorrupt(f"{path} is damaged: {error}")
    if getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_FULL:
        return StorageFull(
            f"no space left for {path.name} ({error}); free some disk, or lower journal.max_bytes",
            retry_after_s=5,
        )
    return StoreError(f"{path.name}: {error}")
