"""A node's database file: written through one writer, read by read-only connections."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import InvalidInput, StoreCorrupt, StoreError, Unavailable
from edge_aiops.store.local.connection import Synchronous, open_reader, translated, was_interrupted
from edge_aiops.store.local.file import DatabaseFile
from edge_aiops.store.local.recovery import Quarantined, flush
from edge_aiops.store.local.schema import Schema
from edge_aiops.store.local.thread import WorkThread
from edge_aiops.store.local.writer import Unit, Writer

T = TypeVar("T")


class LocalDatabase:
    """One file. `open` and `close` it in the same event loop."""

    def __init__(self, file: DatabaseFile, thread: WorkThread) -> None:
        self.path = file.path
        self._file = file
        self._thread = thread
        self._writer = Writer(file, thread)

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
        file = DatabaseFile(path, schema, clock=clock, synchronous=synchronous, max_bytes=max_bytes)
        thread = WorkThread(f"writer-{path.stem}")
        try:
            await thread.run(file.open)
        except BaseException:
            await thread.run(file.close)
            await thread.stop()
            raise
        return cls(file, thread)

    @property
    def quarantined(self) -> Quarantined | None:
        """What was set aside since the start, if the file was found damaged."""
        return self._file.quarantined

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

        After `timeout_s` the query is interrupted, so that it cannot hold the log's end, and `Unavailable` raised;
        it is interrupted as well when the caller is cancelled. `InvalidInput` for a value that SQLite cannot take.
        Where the query meets damage, twice, the file is set aside and its successor asked.
        """
        for _ in range(2):
            generation = self._file.generation
            try:
                return await self._rows(sql, parameters, timeout_s)
            except StoreCorrupt as error:
                reason = str(error.__cause__)
        await self._writer.replace(generation, reason)
        return await self._rows(sql, parameters, timeout_s)

    async def _rows(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object], timeout_s: float
    ) -> list[tuple[Any, ...]]:
        ends_at = time.monotonic() + timeout_s
        cancelled = False

        def connected() -> sqlite3.Connection:
            with self._file.naming:
                connection = open_reader(self.path, expired=lambda: cancelled or time.monotonic() > ends_at)
                try:
                    # From here on the connection has the log that belongs to the file.
                    connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
                except BaseException:
                    connection.close()
                    raise
            return connection

        try:
            async with aiosqlite.Connection(connected, iter_chunk_size=64) as connection:
                try:
                    return list(await connection.execute_fetchall(sql, parameters))  # type: ignore[arg-type]  # its stub knows no mappings
                except asyncio.CancelledError:
                    cancelled = True
                    raise
        except sqlite3.Error as error:
            if was_interrupted(error):
                raise Unavailable(
                    f"the query took over {timeout_s:g} s; ask for a shorter span, or raise journal.read_timeout"
                ) from error
            raise translated(error, self.path) from error
        except UnicodeDecodeError as error:  # a message of SQLite that quotes a damaged schema
            raise StoreCorrupt(f"{self.path} is damaged: its schema is no text") from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise InvalidInput(f"the query has a value that no row can have: {error}") from error

    async def checkpoint(self) -> None:
        """Fold the log into the file, as far as readers allow."""
        await self._writer.checkpoint()

    async def close(self) -> None:
        """Write what waits, fold the log, and close in order."""
        await self._writer.stop()
        await self._thread.run(self._file.close)
        await self._thread.stop()


def backup(path: Path, target: Path) -> None:
    """Copy a consistent snapshot of the database `path` to the new file `target`, also while it is written to.

    Blocking. Raises `StoreError` where `target` exists or the file cannot be read; a partial copy is removed.
    """
    if target.exists():
        raise StoreError(f"{target} exists; choose another place")
    if not path.is_file():
        raise StoreError(f"there is no database {path}")
    try:
        with closing(open_reader(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        flush(target)
        flush(target.parent)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error):
            raise translated(error, path) from error
        raise
