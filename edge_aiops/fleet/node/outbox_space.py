"""Keeps the outbox within its bytes, for weeks without a hub: first resolution goes, then details, never a count.

Over half of its bytes new windows are an hour wide, over four fifths a day. Over nine tenths it deletes what the hub
has, then samples, feedback and distributions that it does not have, the oldest first; each loss is told.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from edge_aiops.base.clock import Clock, SteadyClock
from edge_aiops.fleet.messages.records import Dropped
from edge_aiops.fleet.node.outbox_records import drop
from edge_aiops.fleet.node.outbox_rows import COUNTS
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.store.local import LocalDatabase

ROW_BYTES = 250
"""What a row takes beside its summary."""
KEPT_MS = 7 * 86_400_000
"""How long what the hub has is kept."""
SLICE = 500
MOST_SHARE_BY_AGE = 0.2
"""Of what the hub has, what one pass deletes for its age at the most, in case the clock is wrong."""

WIDE, WIDEST, FULL, SPARE = 0.5, 0.8, 0.9, 0.02
"""Shares of the bytes: from which windows are wider, from which something has to go, and how much beyond goes then."""

_WAITS = """
    SELECT count(*), coalesce(sum(size), 0) FROM outgoing_row WHERE revision > acknowledged
    UNION ALL SELECT count(*), coalesce(sum(size), 0) FROM outgoing_record WHERE acknowledged = 0
"""
_KEPT = """
    SELECT count(*), coalesce(sum(size), 0) FROM outgoing_row WHERE stream IS NOT NULL
    UNION ALL SELECT count(*), coalesce(sum(size), 0) FROM outgoing_record WHERE stream IS NOT NULL
"""
_OLDEST = """
    SELECT min(at_ms) FROM (
        SELECT start_ms AS at_ms FROM (
            SELECT start_ms FROM outgoing_row WHERE revision > acknowledged ORDER BY priority, number LIMIT 1
        )
        UNION ALL
        SELECT at_ms FROM (
            SELECT at_ms FROM outgoing_record WHERE acknowledged = 0 ORDER BY priority, number LIMIT 1
        )
    )
"""
_HAD_ROWS = """
    DELETE FROM outgoing_row WHERE number IN (
        SELECT number FROM outgoing_row
        WHERE stream IS NOT NULL AND acknowledged_ms < :before_ms AND revision <= acknowledged
            AND boot NOT IN (SELECT value FROM json_each(:growing))
        ORDER BY number LIMIT :most
    )
"""
_HAD_RECORDS = """
    DELETE FROM outgoing_record WHERE number IN (
        SELECT number FROM outgoing_record
        WHERE stream IS NOT NULL AND acknowledged_ms < :before_ms
            AND NOT (kind = 'baseline' AND EXISTS (
                SELECT 1 FROM outgoing_series JOIN outgoing_row ON series = outgoing_series.number WHERE baseline = id
            ))
        ORDER BY number LIMIT :most
    )
"""
_FORGET_STREAMS = """
    DELETE FROM outgoing_stream WHERE stream NOT IN (SELECT stream FROM outgoing_row WHERE stream IS NOT NULL)
        AND stream NOT IN (SELECT stream FROM outgoing_record WHERE stream IS NOT NULL)
"""
_FORGET_SERIES = """
    DELETE FROM outgoing_series WHERE NOT EXISTS (SELECT 1 FROM outgoing_row WHERE series = outgoing_series.number)
"""
_LEAST_ROWS = """
    SELECT outgoing_row.number, priority, size, kind, revision - acknowledged, start_ms, start_ms + width_ms
    FROM outgoing_row JOIN outgoing_series ON outgoing_series.number = series
    WHERE revision > acknowledged AND priority > :counts AND boot NOT IN (SELECT value FROM json_each(:growing))
    ORDER BY priority DESC, outgoing_row.number LIMIT :most
"""
_LEAST_RECORDS = """
    SELECT number, priority, size, kind, 1, at_ms, at_ms FROM outgoing_record
    WHERE acknowledged = 0 AND kind IN ('feedback', 'sample') ORDER BY priority DESC, number LIMIT :most
"""


class Use(NamedTuple):
    """What the outbox takes."""

    waiting: int
    """Rows and records that the hub does not have."""
    waiting_bytes: int
    kept_bytes: int
    """Of those that it has."""
    oldest_ms: int | None
    width_ms: int
    """How wide new windows should be."""


class _Least(NamedTuple):
    """Something that may go."""

    number: int
    priority: int
    size: int
    kind: str
    items: int
    from_ms: int
    until_ms: int


class Space:
    """The bytes of one outbox."""

    def __init__(self, database: LocalDatabase, *, steady: SteadyClock, clock: Clock, most_bytes: int) -> None:
        self._database = database
        self._steady = steady
        self._clock = clock
        self._most_bytes = most_bytes

    async def keep(self, growing: Collection[int]) -> Use:
        """Delete what has to go, but no row of the boots in `growing`; gives what is taken then."""
        now_ms = self._clock.now_ms()
        if self._steady.is_steady():
            (kept, _), (records, _) = await self._database.read(_KEPT)
            most = max(int((kept + records) * MOST_SHARE_BY_AGE), SLICE)
            await self._forget(now_ms - KEPT_MS, growing, most=most)
        use = await self._use()
        while self._over(use) > 0 and await self._forget(2**62, growing, most=SLICE):
            use = await self._use()
        while (over := self._over(use)) > 0:
            # Some more than has to go, so that losses are told in few records, which take room themselves.
            given_up = await self._give_up(over + int(SPARE * self._most_bytes), growing)
            use = await self._use()
            if not given_up or self._over(use) >= over:
                break
        return use

    def _over(self, use: Use) -> int:
        return use.waiting_bytes + use.kept_bytes - int(FULL * self._most_bytes)

    async def _use(self) -> Use:
        (rows, row_bytes), (records, record_bytes) = await self._database.read(_WAITS)
        (kept, kept_bytes), (kept_records, kept_record_bytes) = await self._database.read(_KEPT)
        ((oldest_ms,),) = await self._database.read(_OLDEST)
        waiting_bytes = row_bytes + record_bytes + ROW_BYTES * (rows + records)
        share = waiting_bytes / self._most_bytes
        return Use(
            waiting=rows + records,
            waiting_bytes=waiting_bytes,
            kept_bytes=kept_bytes + kept_record_bytes + ROW_BYTES * (kept + kept_records),
            oldest_ms=oldest_ms,
            width_ms=WIDTH_MS["daily"] if share >= WIDEST else WIDTH_MS["hourly"] if share >= WIDE else 0,
        )

    async def _forget(self, before_ms: int, growing: Collection[int], *, most: int) -> int:
        """Delete up to `most` rows and records that the hub has; gives how many."""
        said = {"before_ms": before_ms, "growing": json.dumps(list(growing)), "most": SLICE}

        def unit(connection: sqlite3.Connection) -> int:
            deleted = connection.execute(_HAD_ROWS, said).rowcount + connection.execute(_HAD_RECORDS, said).rowcount
            if deleted:
                connection.execute(_FORGET_STREAMS)
                connection.execute(_FORGET_SERIES)
            return deleted

        deleted = 0
        while deleted < most and (more := await self._database.write(unit)):
            deleted += more
        return deleted

    async def _give_up(self, over: int, growing: Collection[int]) -> int:
        """Delete some of what is worth least, `over` bytes at the most; gives how many rows and records."""

        def unit(connection: sqlite3.Connection) -> int:
            said = {"counts": COUNTS, "growing": json.dumps(list(growing)), "most": SLICE}
            rows = [_Least(*row) for row in connection.execute(_LEAST_ROWS, said)]
            records = [_Least(*row) for row in connection.execute(_LEAST_RECORDS, {"most": SLICE})]
            worst = max((one.priority for one in (*rows, *records)), default=0)
            table, found = (
                ("outgoing_row", rows) if rows and rows[0].priority == worst else ("outgoing_record", records)
            )
            doomed: list[_Least] = []
            freed = 0
            for one in found:
                if one.priority != worst or freed >= over:
                    break
                doomed.append(one)
                freed += one.size + ROW_BYTES
            connection.executemany(f"DELETE FROM {table} WHERE number = ?", [(one.number,) for one in doomed])
            for kind in {one.kind for one in doomed}:
                of_kind = [one for one in doomed if one.kind == kind]
                drop(connection, _dropped(kind, of_kind), at_ms)
            return len(doomed)

        at_ms = self._clock.now_ms()
        return await self._database.write(unit)


def _dropped(kind: str, lost: Collection[_Least]) -> Dropped:
    return Dropped(
        reason="space",
        kind=kind,
        rows=len(lost),
        items=sum(one.items for one in lost),
        from_ms=min(one.from_ms for one in lost),
        until_ms=max(one.until_ms for one in lost),
    )
