"""The hub's database: units of work on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import Overloaded, StoreError
from edge_aiops.store.shared import postgresql, revisions, sqlite
from edge_aiops.store.shared.bulk import Steps, perform, transact
from edge_aiops.store.shared.uninterrupted import uninterrupted

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_ATTEMPTS = 4
_REST_S = 0.01
"""Before a transaction is tried again: at random up to twice this, doubled each time."""


class Database:
    """Runs units of work: functions of a connection, each in a transaction of its own.

    A unit of work that has begun is finished even when its caller is cancelled; it must be short. On PostgreSQL one
    that was certainly not committed, because of a deadlock or a lost connection, is done again; so whatever it does
    beside the database it must be able to do twice.
    """

    def __init__(self, engine: AsyncEngine, *, writer: AsyncEngine | None = None) -> None:
        self._engine = engine
        self._writer = writer or engine
        self._reading: dict[str, Any] = postgresql.SNAPSHOT if self.dialect == "postgresql" else {}
        # Immediate: a transaction that reads first could else find its snapshot stale when it wants to write.
        self._writing: dict[str, Any] = {sqlite.BEGIN: "BEGIN IMMEDIATE"}
        # Writers of one process queue here: fair, where SQLite's own waiting is not.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()

    @classmethod
    @asynccontextmanager
    async def open(cls, location: Path | str) -> AsyncIterator[Database]:
        """The database at `location`, a SQLite file or a URL of PostgreSQL, brought to this program's revision.

        Raises `SettingsError` for another URL, `Unavailable` when nothing answers there, `StoreLocked` when another
        process owns the file, `StoreCorrupt` when it is damaged, and `StoreError` when a newer program has written it.
        """
        with ExitStack() as held:
            if isinstance(location, Path):
                held.enter_context(sqlite.owned(location))
            async with _engine(location) as engine, _writer(location, engine) as writer:
                database = cls(engine, writer=writer)
                if await database.read(revisions.outdated):
                    async with _engine(location, limits=False) as patient:
                        await cls(patient).change(revisions.upgrade)
                yield database

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def read(self, work: Work[T]) -> T:
        """What `work` gives; all its queries see the same state."""
        return await uninterrupted(self._run(work, self._reading))

    async def change(self, work: Work[T]) -> T:
        """What `work` gives, once it is committed and on disk; nothing of it stays when it raises.

        But for `Unavailable` from a connection that was lost during the commit: then it may have been committed.
        """
        return await uninterrupted(self._run_in_turn(work))

    async def change_by(self, steps: Callable[[], Steps[T]]) -> T:
        """As `change`, with statements alone, each yielded; what costs the least where it is done often.

        On PostgreSQL `steps` may be called again, for a transaction that was not committed.
        """
        if self.dialect != "sqlite":
            return await self.change(lambda connection: perform(connection, steps()))
        return await uninterrupted(self._transacted(steps))

    async def copy_to(self, file: Path) -> None:
        """Write a consistent copy of a SQLite database to `file`, replacing it; other databases raise `StoreError`."""
        if self.dialect != "sqlite":
            raise StoreError(f"a {self.dialect} database is backed up with its own tools, such as pg_dump")
        partial = file.with_name(file.name + ".partial")
        await asyncio.to_thread(partial.unlink, missing_ok=True)

        async def vacuum(connection: AsyncConnection) -> None:
            await connection.execute(text("VACUUM INTO :file"), {"file": str(partial)})

        await uninterrupted(self._run_once(vacuum, {sqlite.BEGIN: ""}))
        await asyncio.to_thread(_replace, partial, file)

    async def _run_in_turn(self, work: Work[T]) -> T:
        async with self._turn:
            return await self._run(work, self._writing)

    async def _transacted(self, steps: Callable[[], Steps[T]]) -> T:
        try:
            async with self._turn, self._writer.connect() as connection:
                return await transact(connection, steps())
        except DBAPIError as error:
            raise sqlite.translated(error) from error

    async def _run(self, work: Work[T], options: dict[str, Any]) -> T:
        for attempt in range(1, _ATTEMPTS):
            try:
                return await self._run_once(work, options)
            except postgresql.Undone:
                await asyncio.sleep(random.uniform(0, _REST_S * 2**attempt))
        try:
            return await self._run_once(work, options)
        except postgresql.Undone as error:
            raise error.lasting or error from error.__cause__

    async def _run_once(self, work: Work[T], options: dict[str, Any]) -> T:
        changes, committing = options is self._writing, False
        engine = self._writer if changes else self._engine
        try:
            async with engine.execution_options(**options).begin() as connection:
                done = await work(connection)
                committing = changes
            return done
        except PoolTimeout as error:
            raise Overloaded(
                "too many requests wait for the hub's database; try again later", retry_after_s=2
            ) from error
        except (DBAPIError, TimeoutError) as error:
            if self.dialect == "postgresql":
                raise postgresql.translated(error, committing=committing) from error
            if isinstance(error, DBAPIError):
                raise sqlite.translated(error) from error
            raise


@asynccontextmanager
async def _engine(location: Path | str, *, limits: bool = True, **pool: int) -> AsyncIterator[AsyncEngine]:
    codec: dict[str, Any] = {"json_serializer": _json, "json_deserializer": msgspec.json.decode}
    if isinstance(location, Path):
        # Where a transaction has ended there is nothing to reset; see `sqlite.prepare`.
        url = URL.create("sqlite+aiosqlite", database=str(location))
        engine = create_async_engine(url, pool_reset_on_return=None, **pool, **codec)
        sqlite.prepare(engine.sync_engine)
    else:
        engine = postgresql.engine(location, limits=limits, **codec)
    try:
        yield engine
    finally:
        await uninterrupted(engine.dispose())


@asynccontextmanager
async def _writer(location: Path | str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """What changes the database: of SQLite one connection, which forgets the pages that it has read whenever another
    one writes; of PostgreSQL those of `engine`."""
    if isinstance(location, str):
        yield engine
        return
    async with _engine(location, pool_size=1, max_overflow=0) as writer:
        yield writer


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _replace(partial: Path, file: Path) -> None:
    flush(partial)
    partial.replace(file)
