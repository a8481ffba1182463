"""How connections are opened, and what SQLite's errors mean to us."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreCorrupt, StoreError

Synchronous = Literal["full", "normal"]

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FULL = {sqlite3.SQLITE_FULL}
_PRIMARY_CODE = 0xFF


def open_writer(path: Path, *, synchronous: Synchronous = "full", max_bytes: int | None = None) -> sqlite3.Connection:
    """The one connection that writes and checkpoints `path`; at `max_bytes` writes get `StorageFull`."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"{path}: SQLite answered journal_mode={mode}; the folder must be on a local file system")
        for pragma in (
            f"synchronous = {synchronous.upper()}",
            "wal_autocheckpoint = 0",
            "busy_timeout = 5000",
            "mmap_size = 0",
            "temp_store = MEMORY",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "cell_size_check = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if max_bytes is not None:
            (page_size,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count = {max(max_bytes // page_size, 64)}")
    except BaseException:
        connection.close()
        raise
    return connection


def reader_uri(path: Path) -> str:
    """The URI by which read-only connections open `path`."""
    return f"{path.absolute().as_uri()}?mode=ro"


def translated(error: sqlite3.Error, path: Path) -> EdgeAiopsError:
    """What an error of SQLite means to a caller."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in _CORRUPT:
        return StoreCorrupt(f"{path} is damaged ({error}); it is set aside at the next start")
    if code in _FULL:
        return StorageFull(
            f"no space left for {path.name} ({error}); free some disk, or lower journal.max_bytes",
            retry_after_s=5,
        )
    return StoreError(f"{path.name}: {error}")
