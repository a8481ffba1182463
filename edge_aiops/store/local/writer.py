"""The one writer of a database file: everything that waits becomes one transaction.

A unit of work is a function of the connection. It runs on the writer's thread, inside the transaction of its
group, in a savepoint of its own: one that raises takes back only itself. There is no waiting window: a group is
what arrived while the group before was being written, so a lone unit pays for its own fsync and nothing else.
A caller that is cancelled has still submitted its unit; group mates never notice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from edge_aiops.base.errors import StoreError, Unavailable
from edge_aiops.store.local.connection import translated

logger = logging.getLogger(__name__)

T = TypeVar("T")
Unit = Callable[[sqlite3.Connection], T]

CHECKPOINT_COMMITS = 500
"""Commits after which the log is folded into the file even though no quiet moment came."""
IDLE_S = 0.5
"""A quiet moment."""


class _Waiting(NamedTuple):
    unit: Unit[Any]
    done: asyncio.Future[Any]


class _Failed(NamedTuple):
    error: Exception


class Writer:
    """Owns the write connection of one file; made, used and stopped in one event loop."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        thread: ThreadPoolExecutor,
        *,
        max_waiting: int = 10_000,
    ) -> None:
        self._path = path
        self._connection = connection
        self._thread = thread
        self._max_waiting = max_waiting
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._closing = False
        self._unfolded = 0
        self._owner = asyncio.get_running_loop().create_task(self._own(), name=f"writer of {path.name}")

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """Let `unit` join the next group; the future is done when the group is on disk.

        Raises `Unavailable` when too much waits and `StoreError` after `stop`. The future raises what the unit
        raised, or `StorageFull`, `StoreCorrupt` or `StoreError`.
        """
        if self._closing:
            raise StoreError(f"{self._path.name} is closed")
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable(f"{self._path.name}: {len(self._waiting)} writes are waiting for the disk")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(unit, done))
        self._arrived.set()
        return done

    async def checkpoint(self) -> None:
        """Fold the log into the file and cut it to nothing."""
        await self._in_thread(self._fold, "TRUNCATE")

    async def stop(self) -> None:
        """Write what waits, then end. The connection stays open for the caller to close."""
        self._closing = True
        self._arrived.set()
        await self._owner

    async def _own(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting and self._unfolded:
                try:
                    await asyncio.wait_for(self._arrived.wait(), IDLE_S)
                except TimeoutError:
                    await self._in_thread(self._fold, "PASSIVE")
            await self._arrived.wait()
            self._arrived.clear()
            if self._waiting:
                await self._write_group()

    async def _write_group(self) -> None:
        group, self._waiting = self._waiting, []
        try:
            outcomes = await self._in_thread(self._commit, [waiting.unit for waiting in group])
        except sqlite3.Error as error:
            outcomes = [_Failed(translated(error, self._path))] * len(group)
        for waiting, outcome in zip(group, outcomes, strict=True):
            if waiting.done.done():
                continue
            if isinstance(outcome, _Failed):
                waiting.done.set_exception(outcome.error)
            else:
                waiting.done.set_result(outcome)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    # Below runs on the writer's thread.

    def _commit(self, units: list[Unit[Any]]) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._outcome(unit) for unit in units]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._unfolded += 1
        if self._unfolded >= CHECKPOINT_COMMITS:
            self._fold("PASSIVE")
        return outcomes

    def _outcome(self, unit: Unit[Any]) -> Any:
        connection = self._connection
        connection.execute("SAVEPOINT unit")
        try:
            outcome = unit(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise  # SQLite gave up the whole transaction, as it does on a full disk
            connection.execute("ROLLBACK TO unit")
            outcome = _Failed(translated(error, self._path) if isinstance(error, sqlite3.Error) else error)
        connection.execute("RELEASE unit")
        return outcome

    def _fold(self, mode: str) -> None:
        self._unfolded = 0
        try:
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            # What was committed stays committed: the log just grows until a later fold succeeds.
            logger.exception("%s: the log could not be folded into the file", self._path.name)
