"""A node's database file: opened with recovery, written through one writer, read by read-only connections."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import StoreError, Unavailable
from edge_aiops.store.local import recovery
from edge_aiops.store.local.connection import Synchronous, open_writer, reader_uri, translated
from edge_aiops.store.local.recovery import OpenMarker, Quarantined
from edge_aiops.store.local.schema import Schema, migrate
from edge_aiops.store.local.writer import Unit, Writer

T = TypeVar("T")

logger = logging.getLogger(__name__)


class LocalDatabase:
    """One file. `open` and `close` it in the same event loop."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        thread: ThreadPoolExecutor,
        quarantined: Quarantined | None,
    ) -> None:
        self.path = path
        self.quarantined = quarantined
        """What was set aside when the file was opened, if it was damaged."""
        self._connection = connection
        self._thread = thread
        self._writer = Writer(path, connection, thread)

    @classmethod
    async def open(
        cls,
        path: Path,
        schema: Schema,
        *,
        clock: Clock,
        synchronous: Synchronous = "full",
        max_bytes: int | None = None,
    ) -> LocalDatabase:
        """Open `path`, made and migrated as needed; a damaged file is set aside and replaced.

        Raises `StoreError` for a file of another kind or a newer version, which is left as it is.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"writer-{path.stem}")
        try:
            connection, quarantined = await asyncio.get_running_loop().run_in_executor(
                thread, _opened, path, schema, clock, synchronous, max_bytes
            )
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(path, connection, thread, quarantined)

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """As `Writer.submit`."""
        return self._writer.submit(unit)

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in the next group's transaction; its result, once that is on disk."""
        return await self._writer.submit(unit)

    async def read(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] = (), *, timeout_s: float = 5.0
    ) -> list[tuple[Any, ...]]:
        """The rows of a query, by a read-only connection of its own.

        After `timeout_s` the query is interrupted, so that it cannot hold the log's end, and `Unavailable` raised.
        """
        try:
            async with aiosqlite.connect(reader_uri(self.path), uri=True) as connection:
                await connection.execute("PRAGMA query_only = ON")
                try:
                    async with asyncio.timeout(timeout_s):
                        return [tuple(row) for row in await connection.execute_fetchall(sql, parameters)]
                except TimeoutError:
                    await connection.interrupt()
                    raise Unavailable(
                        f"the query took over {timeout_s:g} s; ask for a shorter span, or raise journal.read_timeout"
                    ) from None
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    async def checkpoint(self) -> None:
        """Fold the log into the file."""
        await self._writer.checkpoint()

    async def close(self) -> None:
        """Write what waits, fold the log, and close in order."""
        await self._writer.stop()
        await asyncio.get_running_loop().run_in_executor(self._thread, _closed, self.path, self._connection)
        self._thread.shutdown(wait=False)


def backup(path: Path, target: Path) -> None:
    """Copy a consistent snapshot of the database `path` to the new file `target`, also while it is written to.

    Blocking. Raises `StoreError` where `target` exists or the file cannot be read; a partial copy is removed.
    """
    if target.exists():
        raise StoreError(f"{target} exists; choose another place")
    try:
        with (
            closing(sqlite3.connect(reader_uri(path), uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        recovery.flush(target)
        recovery.flush(target.parent)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise translated(error, path) from error


def _opened(
    path: Path, schema: Schema, clock: Clock, synchronous: Synchronous, max_bytes: int | None
) -> tuple[sqlite3.Connection, Quarantined | None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    marker = OpenMarker(path)
    reason = recovery.damage(path) if marker.present and path.exists() else None
    if reason is None:
        try:
            connection = _writer_of(path, schema, synchronous, max_bytes)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not path.exists():
                raise translated(error, path) from error
            reason = str(error)
        else:
            marker.set()
            return connection, None
    folder = recovery.set_aside(path, now_ms=clock.now_ms())
    connection = _writer_of(path, schema, synchronous, max_bytes)
    marker.set()
    quarantined = Quarantined(folder, reason, recovery.salvage(folder / path.name, connection, schema))
    logger.error(
        "%s is damaged (%s): set aside in %s; %d rows were saved and the node goes on",
        path.name, reason, folder, quarantined.salvaged_rows,
    )  # fmt: skip
    return connection, quarantined


def _writer_of(path: Path, schema: Schema, synchronous: Synchronous, max_bytes: int | None) -> sqlite3.Connection:
    connection = open_writer(path, synchronous=synchronous, max_bytes=max_bytes)
    try:
        migrate(connection, schema)
        # The first read of every table's root finds a file that opens but cannot be used.
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            connection.execute(f"SELECT 1 FROM {table} ORDER BY rowid DESC LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _closed(path: Path, connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.close()
    except sqlite3.Error:
        # The marker stays, so that the next start checks the file.
        logger.exception("%s was not closed in order", path.name)
        connection.close()
    else:
        OpenMarker(path).clear()
