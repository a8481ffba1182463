"""The hub's database: units of work on SQLite or whatever SQLAlchemy can reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreCorrupt, StoreError
from edge_aiops.store.shared import revisions, sqlite
from edge_aiops.store.shared.uninterrupted import uninterrupted

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]


class Database:
    """Runs units of work: functions of a connection, each in a transaction of its own.

    A unit of work that has begun is finished even when its caller is cancelled; it must be short.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Writers of one process queue here: fair, where SQLite's own waiting is not.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()

    @classmethod
    @asynccontextmanager
    async def open(cls, location: Path | str) -> AsyncIterator[Database]:
        """The database at `location`, a SQLite file or an SQLAlchemy URL, brought to this program's revision.

        Raises `StoreLocked` when another process owns the file, `StoreCorrupt` when it is damaged, and
        `StoreError` when a newer program has written it.
        """
        with ExitStack() as held:
            if isinstance(location, Path):
                held.enter_context(sqlite.owned(location))
            engine = _engine(location)
            database = cls(engine)
            try:
                if await database.read(revisions.outdated):
                    await database.change(revisions.upgrade)
                yield database
            finally:
                await uninterrupted(engine.dispose())

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def read(self, work: Work[T]) -> T:
        """What `work` gives; all its queries see the same state."""
        return await uninterrupted(self._run(work))

    async def change(self, work: Work[T]) -> T:
        """What `work` gives, once it is committed and on disk; nothing of it stays when it raises."""
        return await uninterrupted(self._run_in_turn(work))

    async def copy_to(self, file: Path) -> None:
        """Write a consistent copy of a SQLite database to `file`, replacing it; other databases raise `StoreError`."""
        if self.dialect != "sqlite":
            raise StoreError(f"a {self.dialect} database is backed up with its own tools, such as pg_dump")
        partial = file.with_name(file.name + ".partial")
        await asyncio.to_thread(partial.unlink, missing_ok=True)

        async def vacuum(connection: AsyncConnection) -> None:
            await connection.execute(text("VACUUM INTO :file"), {"file": str(partial)})

        await uninterrupted(self._run(vacuum, begin=""))
        await asyncio.to_thread(_replace, partial, file)

    async def _run_in_turn(self, work: Work[T]) -> T:
        async with self._turn:
            # Immediate: a transaction that reads first could else find its snapshot stale when it wants to write.
            return await self._run(work, begin="BEGIN IMMEDIATE")

    async def _run(self, work: Work[T], *, begin: str = "BEGIN") -> T:
        try:
            async with self._engine.execution_options(**{sqlite.BEGIN: begin}).begin() as connection:
                return await work(connection)
        except DBAPIError as error:
            raise _translated(error) from error


def _engine(location: Path | str) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=str(location)) if isinstance(location, Path) else location
    engine = create_async_engine(url, json_serializer=_json, json_deserializer=msgspec.json.decode)
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine.sync_engine)
    return engine


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _replace(partial: Path, file: Path) -> None:
    flush(partial)
    partial.replace(file)


def _translated(error: DBAPIError) -> EdgeAiopsError:
    said = str(error.orig)
    if "disk is full" in said or "No space left" in said:
        return StorageFull("the hub's disk is full; free some space", retry_after_s=30)
    if "malformed" in said or "not a database" in said:
        return StoreCorrupt(f"the hub's database is damaged ({said}); restore a backup")
    return StoreError(f"the hub's database refused: {said}")
