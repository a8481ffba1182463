"""What SQLite needs to be a safe database for the hub: pragmas, explicit transactions, one owner of the file."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreCorrupt, StoreError, StoreLocked

BEGIN = "edge_aiops_begin"
"""Execution option: the statement that begins a connection's transaction; empty for none. Default: BEGIN."""

_PRAGMAS = {
    "busy_timeout": "5000",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "temp_store": "MEMORY",
    "mmap_size": "0",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
}


def prepare(engine: Engine) -> None:
    """Make each new connection of `engine` durable, and the beginning and the end of each transaction explicit."""
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "reset", _reset)


@contextmanager
def owned(file: Path) -> Iterator[None]:
    """Own the database `file` while the block runs. Raises `StoreLocked` when another process does.

    SQLite before 3.51.3 can corrupt a write-ahead log that two processes reset at the same instant.
    """
    with file.with_name(file.name + ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreLocked(f"{file} is in use by another hub; stop it, or use another data folder") from error
        yield


def translated(error: DBAPIError) -> EdgeAiopsError:
    """`error` of a transaction as one of ours."""
    said = str(error.orig)
    if "disk is full" in said or "No space left" in said:
        return StorageFull("the hub's disk is full; free some space", retry_after_s=30)
    if "malformed" in said or "not a database" in said:
        return StoreCorrupt(f"the hub's database is damaged ({said}); restore a backup")
    return StoreError(f"the hub's database refused: {said}")


def _set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    # The driver would else begin transactions by itself, at the first statement that writes.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        if (mode := cursor.fetchone()) != ("wal",):
            raise StoreError(f"the file system of the hub's database does not allow write-ahead logging (got {mode})")
        for name, value in _PRAGMAS.items():
            cursor.execute(f"PRAGMA {name}={value}")
    finally:
        cursor.close()


def _reset(connection: Any, _record: object, _state: object) -> None:
    # SQLAlchemy would else roll back after each transaction, which takes a change of threads.
    if connection.driver_connection.in_transaction:
        connection.rollback()


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get(BEGIN, "BEGIN"):
        driver: Any = connection.connection.dbapi_connection
        try:
            # Past SQLAlchemy's cursors: with them it takes three changes of threads.
            driver.run_async(lambda raw: raw.execute(statement))
        except sqlite3.Error as error:
            raise DBAPIError(statement, None, error) from error
