"""The one writer of a database file: everything that waits becomes one transaction.

A unit of work is a function of the connection. It runs on the writer's thread, inside the transaction of its
group, in a savepoint of its own: one that raises takes back only itself. There is no waiting window: a group is
what arrived while the group before was being written, so a lone unit pays for its own fsync and nothing else.
A caller that is cancelled has still submitted its unit; group mates never notice. A unit may run twice, where
the first run met a damaged file that was replaced; of the first, nothing is left.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from edge_aiops.base.errors import StoreError, Unavailable
from edge_aiops.store.local.connection import is_damage, translated
from edge_aiops.store.local.file import DatabaseFile
from edge_aiops.store.local.thread import WorkThread

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
    error: BaseException


class Writer:
    """Owns the write connection of one file; made, used and stopped in one event loop."""

    def __init__(self, file: DatabaseFile, thread: WorkThread, *, max_waiting: int = 10_000) -> None:
        self._file = file
        self._thread = thread
        self._max_waiting = max_waiting
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._writing = False
        self._stopped: asyncio.Future[None] | None = None
        self._unfolded = 0
        self._quiet: asyncio.TimerHandle | None = None

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """Let `unit` join the next group; the future is done when the group is on disk.

        Raises `Unavailable` when too much waits and `StoreError` after `stop`. The future raises what the unit
        raised, or `StorageFull`, `StoreCorrupt` or `StoreError`.
        """
        name = self._file.path.name
        if self._stopped is not None:
            raise StoreError(f"{name} is closed")
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable(f"{name}: {len(self._waiting)} writes are waiting for the disk")
        done: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Waiting(unit, done))
        self._write_soon()
        return done

    async def checkpoint(self) -> None:
        """Fold the log into the file and cut it to nothing; where a reader still needs it, as far as that allows."""
        await self._thread.run(partial(self._fold, "TRUNCATE"))

    async def replace(self, generation: int, reason: str) -> None:
        """As `DatabaseFile.replace`. Raises `StorageFull` or `StoreError` where that fails."""
        try:
            await self._thread.run(partial(self._file.replace, generation, reason))
        except (sqlite3.Error, OSError) as error:
            raise self._said_of_file(error) from error

    async def stop(self) -> None:
        """Write what waits, then end, even if the caller is cancelled. The file stays open for the caller to close."""
        if self._stopped is None:
            self._stopped = self._loop.create_future()
            self._rest()
        await asyncio.shield(self._stopped)

    def _write_soon(self) -> None:
        if not self._writing:
            self._writing = True
            # All that becomes ready in this pass of the loop shares the group.
            self._loop.call_soon(self._write_group)

    def _write_group(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        group, self._waiting = self._waiting, []
        units = [waiting.unit for waiting in group]
        self._thread.start(lambda: self._written(units), partial(self._settle, group))

    def _settle(self, group: list[_Waiting], outcomes: list[Any] | None, error: BaseException | None) -> None:
        # The boundary that keeps the writer alive: whatever it was, every caller of the group is told.
        settled = [_Failed(self._said_of_file(error)) for _ in group] if error is not None else outcomes or []
        for waiting, outcome in zip(group, settled, strict=True):
            if waiting.done.done():
                continue
            if isinstance(outcome, _Failed):
                waiting.done.set_exception(outcome.error)
            else:
                waiting.done.set_result(outcome)
        self._writing = False
        self._rest()

    def _rest(self) -> None:
        """Go on to what comes next after a group, or at the end."""
        if self._waiting:
            self._write_soon()
        elif self._stopped is None:
            if self._unfolded:
                self._quiet = self._loop.call_later(IDLE_S, self._fold_quietly)
        elif not self._writing and not self._stopped.done():
            if self._quiet is not None:
                self._quiet.cancel()
            self._stopped.set_result(None)

    def _fold_quietly(self) -> None:
        self._quiet = None
        self._thread.start(partial(self._fold, "PASSIVE"), _nothing)

    def _said(self, error: BaseException) -> BaseException:
        if isinstance(error, sqlite3.Error):
            return translated(error, self._file.path)
        if isinstance(error, StopIteration):  # no future takes one
            return RuntimeError(f"a unit of work raised {error!r}")
        return error

    def _said_of_file(self, error: BaseException) -> BaseException:
        return StoreError(f"{self._file.path.name}: {error}") if isinstance(error, OSError) else self._said(error)

    # Below runs on the writer's thread.

    def _written(self, units: list[Unit[Any]]) -> list[Any]:
        try:
            outcomes = self._commit(units)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._file.replace(self._file.generation, str(error))
            outcomes = self._commit(units)
        self._unfolded += 1
        if self._unfolded >= CHECKPOINT_COMMITS:
            self._fold("PASSIVE")
        return outcomes

    def _commit(self, units: list[Unit[Any]]) -> list[Any]:
        connection = self._file.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._outcome(connection, unit) for unit in units]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _outcome(self, connection: sqlite3.Connection, unit: Unit[Any]) -> Any:
        connection.execute("SAVEPOINT unit")
        try:
            outcome = unit(connection)
        except Exception as error:
            # On a full disk SQLite gives up the whole transaction; on a damaged file nobody should go on.
            if not connection.in_transaction or is_damage(error):
                raise
            connection.execute("ROLLBACK TO unit")
            outcome = _Failed(self._said(error))
        connection.execute("RELEASE unit")
        return outcome

    def _fold(self, mode: str) -> None:
        self._unfolded = 0
        try:
            connection = self._file.connection
            # A fold never waits for a reader: the next one takes what this one leaves.
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            finally:
                connection.execute("PRAGMA busy_timeout = 5000")
        except (sqlite3.Error, OSError):
            # What was committed stays committed: the log just grows until a later fold succeeds.
            logger.exception("%s: the log could not be folded into the file", self._file.path.name)


def _nothing(result: object, error: BaseException | None) -> None:
    """Nobody waits for a fold, and it logs what goes wrong itself."""
