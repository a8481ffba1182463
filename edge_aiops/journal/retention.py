"""Keeps the journal within its age, size and number of rows, in slices that let predictions through.

No clock purges data: one pass deletes at most a fifth of the rows for their age, and none while the wall clock
has moved against the monotonic one since the pass before.
"""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from typing import NamedTuple

from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import JournalSettings
from edge_aiops.store.local import LocalDatabase

SLICE_ROWS = 1_000
MAX_SHARE_BY_AGE = 0.2
CLOCK_TOLERANCE_MS = 60_000

logger = logging.getLogger(__name__)


class _Extent(NamedTuple):
    rows: int
    first: int
    used_bytes: int


class Retention:
    """Deletes the oldest events that the settings no longer keep."""

    def __init__(self, database: LocalDatabase, *, clock: Clock, settings: JournalSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._offset_ms = self._wall_minus_monotonic_ms()

    async def run(self) -> int:
        """One pass; gives the number of events deleted."""
        extent = await self._database.write(_extent)
        doomed = max(
            await self._too_old(extent),
            extent.rows - self._settings.max_rows,
            self._over_size(extent),
        )
        if doomed <= 0:
            return 0
        deleted = 0
        while deleted < doomed:
            slice_rows = min(SLICE_ROWS, doomed - deleted)
            count = await self._database.write(partial(_delete_oldest, rows=slice_rows))
            if count == 0:
                break
            deleted += count
        await self._database.write(lambda connection: connection.execute("PRAGMA incremental_vacuum").fetchall())
        await self._database.checkpoint()
        logger.info("retention deleted the %d oldest events", deleted)
        return deleted

    async def _too_old(self, extent: _Extent) -> int:
        if self._clock_jumped() or extent.rows == 0:
            return 0
        limit = max(int(extent.rows * MAX_SHARE_BY_AGE), 1)
        before_ms = self._clock.now_ms() - int(self._settings.max_age * 1000)
        # Places are in order of arrival: the old ones are the first ones, up to the first that is young.
        rows = await self._database.read(
            "SELECT count(*) FROM (SELECT at_ms FROM event ORDER BY place LIMIT ?) WHERE at_ms < ?",
            (limit, before_ms),
        )
        return int(rows[0][0])

    def _over_size(self, extent: _Extent) -> int:
        excess = extent.used_bytes - self._settings.max_bytes
        if excess <= 0:
            return 0
        return max(int(extent.rows * excess / extent.used_bytes), 1)

    def _clock_jumped(self) -> bool:
        moved = abs(self._wall_minus_monotonic_ms() - self._offset_ms)
        if moved > CLOCK_TOLERANCE_MS:
            logger.warning("the wall clock moved by %d s: nothing is deleted for its age", moved // 1000)
        return moved > CLOCK_TOLERANCE_MS

    def _wall_minus_monotonic_ms(self) -> int:
        return self._clock.now_ms() - self._clock.ticks_ns() // 1_000_000


def _extent(connection: sqlite3.Connection) -> _Extent:
    first, last = connection.execute("SELECT coalesce(min(place), 0), coalesce(max(place), -1) FROM event").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    # Places are given without gaps except after a failed commit, so this counts without reading the table.
    return _Extent(last - first + 1, first, (pages - free) * page_size)


def _delete_oldest(connection: sqlite3.Connection, rows: int) -> int:
    oldest = "SELECT place FROM event ORDER BY place LIMIT ?"
    connection.execute(f"DELETE FROM feedback WHERE place IN ({oldest})", (rows,))
    return connection.execute(f"DELETE FROM event WHERE place IN ({oldest})", (rows,)).rowcount
