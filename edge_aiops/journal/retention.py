"""Keeps the journal within its age, size and number of rows, in slices that let predictions through.

No clock purges data. An event is old only if all that arrived before it are; age counts only after the wall clock
has run steadily beside the monotonic one for an hour; and one pass deletes at most a fifth of the events for it.
The newest event always stays, so that places are never given twice.
"""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from typing import NamedTuple

from edge_aiops.base.clock import Clock, SteadyClock
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.following import forget_changes_of
from edge_aiops.store.local import LocalDatabase

SLICE_ROWS = 1_000
SLICE_PAGES = 256
CHANGES_SLICE = 10_000
MAX_SHARE_BY_AGE = 0.2
COUNT_TIMEOUT_S = 60
"""Counting reads an index of the whole journal, from slow flash if need be."""

# Places have gaps after failed commits and salvage, so their difference would count events that never were.
_EXTENT = """
    SELECT (SELECT count(*) FROM event),
           (page_count.page_count - freelist_count.freelist_count) * page_size.page_size
    FROM pragma_page_count AS page_count, pragma_freelist_count AS freelist_count, pragma_page_size AS page_size
"""
_OLD = """
    SELECT count(*) FROM (SELECT place FROM event ORDER BY place LIMIT :most)
    WHERE place < (
        SELECT coalesce(min(place), :none_young)
        FROM (SELECT place, at_ms FROM event ORDER BY place LIMIT :most) WHERE at_ms >= :before_ms
    )
"""
_AFTER_EVERY_PLACE = 2**62

logger = logging.getLogger(__name__)


class _Extent(NamedTuple):
    rows: int
    used_bytes: int


class Retention:
    """Deletes the oldest events that the settings no longer keep."""

    def __init__(self, database: LocalDatabase, *, clock: Clock, settings: JournalSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._steady = SteadyClock(clock)

    async def run(self) -> int:
        """One pass; gives the number of events deleted. What freed pages there are go back to the file system."""
        ((rows, used_bytes),) = await self._database.read(_EXTENT, timeout_s=COUNT_TIMEOUT_S)
        extent = _Extent(rows, used_bytes)
        doomed = max(await self._too_old(extent), extent.rows - self._settings.max_rows, self._over_size(extent))
        deleted = await self._delete(min(doomed, extent.rows - 1))
        if deleted:
            await self._forget_changes()
        if await self._shrink():
            await self._database.checkpoint()
        if deleted:
            logger.info("retention deleted the %d oldest events", deleted)
        return deleted

    async def _too_old(self, extent: _Extent) -> int:
        if not self._steady.is_steady() or extent.rows == 0:
            return 0
        before_ms = self._clock.now_ms() - int(self._settings.max_age * 1000)
        most = max(int(extent.rows * MAX_SHARE_BY_AGE), 1)
        rows = await self._database.read(
            _OLD, {"most": most, "before_ms": before_ms, "none_young": _AFTER_EVERY_PLACE}, timeout_s=COUNT_TIMEOUT_S
        )
        return int(rows[0][0])

    def _over_size(self, extent: _Extent) -> int:
        excess = extent.used_bytes - self._settings.max_bytes
        if excess <= 0:
            return 0
        return max(int(extent.rows * excess / extent.used_bytes), 1)

    async def _delete(self, doomed: int) -> int:
        deleted = 0
        while deleted < doomed:
            slice_rows = min(SLICE_ROWS, doomed - deleted)
            count = await self._database.write(partial(_delete_oldest, rows=slice_rows))
            if count == 0:
                break
            deleted += count
        return deleted

    async def _forget_changes(self) -> None:
        reached: int | None = 0
        while reached is not None:
            reached = await self._database.write(partial(forget_changes_of, after=reached, limit=CHANGES_SLICE))

    async def _shrink(self) -> bool:
        """Give free pages back, those of an earlier pass that was broken off as well; whether there were any."""
        shrunk = False
        while await self._database.write(_vacuum_slice):
            shrunk = True
        return shrunk


def _delete_oldest(connection: sqlite3.Connection, rows: int) -> int:
    # Feedback goes with its event, by the foreign key.
    return connection.execute(
        "DELETE FROM event WHERE place IN (SELECT place FROM event ORDER BY place LIMIT ?)", (rows,)
    ).rowcount


def _vacuum_slice(connection: sqlite3.Connection) -> bool:
    """Whether pages were given back."""
    free = _free_pages(connection)
    connection.execute(f"PRAGMA incremental_vacuum({SLICE_PAGES})").fetchall()
    return _free_pages(connection) < free


def _free_pages(connection: sqlite3.Connection) -> int:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(free)
