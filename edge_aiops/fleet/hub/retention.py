"""Deletes what the hub need not keep, and never what is counted nowhere else.

A node's day is closed once nothing of it has come for as long as rows are kept: then its rows go, and its sum stays.
What comes for a closed day all the same, such as a row that grew, cannot be told from what is in the sum already: it
is not counted, and that is.

Where a hub above is to have everything, an hour stays until it has it; at the longest as long as days.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock, SteadyClock
from edge_aiops.fleet.hub.rollup import LABELS, Ages
from edge_aiops.fleet.hub.rows import DIRTY, ROWS
from edge_aiops.fleet.hub.windows import DAY_MS, FIVE_MINUTES_MS, HOUR_MS, NODE_WINDOWS, WHOLE
from edge_aiops.store.shared.bulk import Each, execute_all
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, fence

DAYS_OF_A_SLICE = 200
ROWS_OF_A_SLICE = 1_000

_SERIES = ("kind", "model_name", "model_version", "deployment", "baseline")
_OF = " AND ".join(f"{name} = ?" for name in ("node_id", *_SERIES))
_CLOSE = f"""
    UPDATE fleet_node_windows SET closed = true WHERE {_OF} AND width_ms = {DAY_MS} AND start_ms = ?
"""
# What has come since the day was chosen is newer, and stays until it is counted as late.
_FORGET = f"DELETE FROM fleet_rows WHERE {_OF} AND start_ms >= ? AND start_ms < ? AND changed_at < ?"
_PLACE = {"sqlite": "rowid", "postgresql": "ctid"}


def _same(other: str) -> str:
    return " AND ".join(f"{other}.{name} = it.{name}" for name in (*_SERIES, "width_ms", "start_ms"))


_IS_GONE = f"NOT EXISTS (SELECT 1 FROM fleet_merged AS of_group WHERE {_same('of_group')})"
_RECORD_IS_GONE = """
    NOT EXISTS (SELECT 1 FROM fleet_records AS record
        WHERE record.node_id = it.node_id AND record.kind = it.kind AND record.id = it.id)
"""
_RECORDS = "'alert', 'feedback', 'sample', 'rollout', 'dropped'"


class HubRetention:
    """The hub's retention; one replica at a time does it."""

    def __init__(self, database: Database, *, clock: Clock, ages: Ages, forwards: bool = False) -> None:
        """`forwards`: whether this hub pushes to one above it."""
        self._database = database
        self._clock = clock
        self._steady = SteadyClock(clock)
        self._ages = ages
        self._forwards = forwards

    async def round(self, lease: Lease) -> None:
        """Delete, in slices, what has come of age; nothing as long as the clock cannot be believed."""
        if not self._steady.is_steady():
            return
        now_ms, ages = self._clock.now_ms(), self._ages
        for growing, age in ((False, ages.rows), (True, ages.label_rows)):
            while await self._close(lease, growing=growing, before_ms=now_ms - age):
                pass
        # A day more, in which what came in time is merged.
        hours = now_ms - ages.hours - DAY_MS
        closed = f"""
            EXISTS (SELECT 1 FROM fleet_node_windows AS day WHERE day.closed AND day.part = 'whole'
                AND day.width_ms = {DAY_MS} AND day.start_ms = it.start_ms - it.start_ms % {DAY_MS}
                AND day.node_id = it.node_id AND {" AND ".join(f"day.{name} = it.{name}" for name in _SERIES)})
        """
        for table, which, before_ms in (
            ("fleet_merged", f"it.width_ms = {FIVE_MINUTES_MS}", now_ms - ages.rows - DAY_MS),
            ("fleet_merged", f"it.width_ms = {HOUR_MS} AND {self._is_above(now_ms - ages.days)}", hours),
            ("fleet_node_windows", f"it.width_ms = {HOUR_MS} AND {closed}", hours),
            ("fleet_merged", f"it.width_ms = {DAY_MS}", now_ms - ages.days),
            ("fleet_node_windows", f"it.width_ms = {DAY_MS} AND it.closed", now_ms - ages.days),
        ):
            await self._delete(lease, table, f"{which} AND it.start_ms < {before_ms}")
        await self._delete(lease, "fleet_forwarded", f"it.start_ms < {hours} AND {_IS_GONE}")
        old = f"it.at_ms < {now_ms - ages.days} AND it.received_at < {now_ms - ages.days}"
        await self._delete(lease, "fleet_records", f"it.kind IN ({_RECORDS}) AND {old}")
        await self._delete(lease, "fleet_forwarded_records", _RECORD_IS_GONE)

    def _is_above(self, given_up_ms: int) -> str:
        """That the hub above has all of an hour, or will never have it."""
        if not self._forwards:
            return "true"
        return f"""
            (it.start_ms < {given_up_ms} OR EXISTS (SELECT 1 FROM fleet_forwarded AS up WHERE {_same("up")}
                AND up.revision >= (SELECT sum(of_group.revision) FROM fleet_merged AS of_group
                    WHERE {_same("of_group")} AND of_group.part = it.part)))
        """

    async def _close(self, lease: Lease, *, growing: bool, before_ms: int) -> bool:
        """Close some days; gives whether there may be more."""

        async def close(connection: AsyncConnection) -> int:
            await fence(connection, lease)
            days = (await connection.execute(_quiet_days(growing, before_ms))).all()
            closing = [tuple(day) for day in days]
            forgotten = [(*day, day[-1] + DAY_MS, before_ms) for day in closing]
            await execute_all(connection, [Each(_CLOSE, closing), Each(_FORGET, forgotten)])
            return len(closing)

        return await self._database.change(close) == DAYS_OF_A_SLICE

    async def _delete(self, lease: Lease, table: str, which: str) -> None:
        place = _PLACE[self._database.dialect]
        some = f"SELECT it.{place} FROM {table} AS it WHERE {which} LIMIT {ROWS_OF_A_SLICE}"

        async def delete(connection: AsyncConnection) -> int:
            await fence(connection, lease)
            return (await connection.execute(text(f"DELETE FROM {table} WHERE {place} IN ({some})"))).rowcount

        while await self._database.change(delete) == ROWS_OF_A_SLICE:
            pass


def _quiet_days(growing: bool, before_ms: int) -> Any:
    """Days of nodes that ended before a moment, that are merged, and of which nothing has come since that moment."""
    day = NODE_WINDOWS.c
    of_labels = day.kind.in_(LABELS)

    def of_day(table: Any) -> ColumnElement[bool]:
        same = [table.c[name] == day[name] for name in ("node_id", *_SERIES)]
        return and_(*same, table.c.start_ms >= day.start_ms, table.c.start_ms < day.start_ms + DAY_MS)

    return (
        select(day.node_id, *(day[name] for name in _SERIES), day.start_ms)
        .distinct()
        .where(
            day.part == WHOLE,
            day.width_ms == DAY_MS,
            not_(day.closed),
            of_labels if growing else not_(of_labels),
            day.start_ms < before_ms - DAY_MS,
            not_(exists().where(of_day(DIRTY))),
            not_(exists().where(of_day(ROWS), ROWS.c.changed_at >= before_ms)),
        )
        .limit(DAYS_OF_A_SLICE)
    )
