"""Merges what nodes pushed: each node's rows into its hours and days, then the nodes of each group.

A window is always made anew from everything that belongs into it, never added to. So whatever comes late, repeated or
replaced, and wherever a hub dies meanwhile, it ends as if everything had come at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import HubSettings
from edge_aiops.fleet.hub import rollup_sql as sql
from edge_aiops.fleet.hub.merging import Merged, Merger, Part, merge
from edge_aiops.fleet.hub.rollup_sql import Due, Mark, NodeWindow, Series
from edge_aiops.fleet.hub.windows import DAY_MS, FIVE_MINUTES_MS, HOUR_MS, REST, WHOLE
from edge_aiops.observe.series import Kind
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, fence

T = TypeVar("T")

MARKS_OF_A_SLICE = 500
DUE_OF_A_SLICE = 50
WAIT_MS = {FIVE_MINUTES_MS: 10_000, HOUR_MS: 30_000, DAY_MS: 120_000}
"""How long windows of a group wait for more nodes; the wider, the more there is to merge each time."""
RESTS = 3
"""How many times as long as it works it rests while nodes push, so that it goes on, and so do they."""
MOST_REST_S = 2.0
MOST_BASELINES = 64
LABELS = ("labels", "outcomes")
"""Kinds of rows that grow with feedback."""


class Ages(NamedTuple):
    """How long the hub keeps what is merged, in milliseconds."""

    rows: int
    """Rows of nodes, and the five minutes of groups."""
    label_rows: int
    """Rows that grow with feedback, which may come long after."""
    hours: int
    days: int

    @classmethod
    def of(cls, settings: HubSettings) -> Ages:
        """As they are set."""
        ages = (settings.rows_max_age, settings.label_rows_max_age, settings.hours_max_age, settings.days_max_age)
        return cls(*(round(age * 1000) for age in ages))


class RollupStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the roll-up stands."""

    waiting: int
    """Windows of nodes, and of groups, that are not merged yet."""
    without_baseline: int
    """Windows of nodes whose baseline has not come yet; they wait for it."""
    late_rows: int
    """Rows that came after their day was closed: they are not counted."""
    damaged: int
    """Windows that could not be read since this process started."""


class Rollup:
    """The hub's roll-up; one replica at a time does it.

    `pushing`: whether nodes wait for their pushes to be written; then it leaves most of the processor to them.
    """

    def __init__(
        self, database: Database, *, clock: Clock, ages: Ages, pushing: Callable[[], bool] = lambda: False
    ) -> None:
        self._database = database
        self._clock = clock
        self._ages = ages
        self._pushing = pushing
        self._baselines: dict[str, Baseline] = {}
        self._damaged = 0

    async def round(self, lease: Lease, *, wait: bool = True) -> None:
        """Merge what is marked when it comes by, in slices. `wait`: leave what of groups came too lately for it.

        It goes from node to node, so that what waits of an hour is merged at once.
        """
        last: Mark | None = None
        while last := await self._paced(self._merge_nodes(lease, last)):
            pass
        while await self._merge_groups(lease, wait=wait):
            pass

    async def status(self) -> RollupStatus:
        """Where it stands."""
        waiting, without_baseline, late = await self._database.read(sql.counts)
        return RollupStatus(waiting=waiting, without_baseline=without_baseline, late_rows=late, damaged=self._damaged)

    async def _paced(self, work: Awaitable[T]) -> T:
        """What `work` gives; after a rest that is `RESTS` times as long as it took, where nodes wait."""
        begun_ns = self._clock.ticks_ns()
        done = await work
        if self._pushing():
            await asyncio.sleep(min(MOST_REST_S, RESTS * (self._clock.ticks_ns() - begun_ns) / 1e9))
        return done

    async def _merge_nodes(self, lease: Lease, after: Mark | None) -> Mark | None:
        """One slice of what nodes pushed, beyond `after`; gives the last mark of it, where there may be more."""
        now_ms = self._clock.now_ms()
        marks = await self._database.read(lambda connection: sql.marks(connection, after, MARKS_OF_A_SLICE))
        if not marks:
            return None
        days = {mark.day for mark in marks}
        closed = await self._database.read(lambda connection: sql.closed(connection, days))
        fresh = [mark for mark in marks if mark.day not in closed]
        days -= closed
        old = {day for day in days if day[2] < now_ms - self._ages.hours}
        hours = {mark.hour for mark in fresh if mark.day not in old}
        found = await self._database.read(lambda connection: sql.rows(connection, hours=hours, days=days, old=old))
        stored = await self._database.read(lambda connection: sql.hours(connection, days))
        baselines = await self._baselines_of(mark.series for mark in fresh)
        merged, due = await asyncio.to_thread(self._merged_nodes, found, stored, baselines, now_ms)
        late = [mark for mark in marks if mark.day in closed]

        async def write(connection: AsyncConnection) -> None:
            await fence(connection, lease)
            await sql.put_node_windows(connection, merged)
            await sql.put_due(connection, due, now_ms)
            await sql.drop_late(connection, late, now_ms)
            await sql.unmark(connection, marks)

        await self._database.change(write)
        return marks[-1] if len(marks) == MARKS_OF_A_SLICE else None

    def _merged_nodes(
        self,
        found: Iterable[Sequence[Any]],
        stored: Mapping[NodeWindow, Part],
        baselines: Mapping[str, Baseline],
        now_ms: int,
    ) -> tuple[dict[NodeWindow, Merged], set[Due]]:
        """Windows of nodes, and the windows of groups that they belong to."""
        rows = sql.read(found)
        parts: dict[NodeWindow, list[Part]] = defaultdict(list)
        for row in rows:
            if row.width_ms == DAY_MS or row.received_at >= row.start_ms + self._ages.hours:
                window = NodeWindow(row.node_id, row.group, row.series, REST, DAY_MS, _day(row.start_ms))
            else:
                start_ms = row.start_ms - row.start_ms % HOUR_MS
                window = NodeWindow(row.node_id, row.group, row.series, WHOLE, HOUR_MS, start_ms)
            parts[window].append(row.part)
        merged = self._all_merged(parts, baselines)
        days: dict[NodeWindow, list[Part]] = defaultdict(list)
        for window, part in ({**stored, **{window: _part(window, whole) for window, whole in merged.items()}}).items():
            days[window._replace(part=WHOLE, width_ms=DAY_MS, start_ms=_day(window.start_ms))].append(part)
        merged |= self._all_merged(days, baselines)
        due = {Due(window.group, window.series, window.part, window.width_ms, window.start_ms) for window in merged} | {
            Due(row.group, row.series, WHOLE, FIVE_MINUTES_MS, row.start_ms)
            for row in rows
            if row.width_ms == FIVE_MINUTES_MS and row.start_ms >= now_ms - self._ages.rows
        }
        return merged, due

    def _all_merged(
        self, parts: Mapping[NodeWindow, list[Part]], baselines: Mapping[str, Baseline]
    ) -> dict[NodeWindow, Merged]:
        merged: dict[NodeWindow, Merged] = {}
        for window, found in parts.items():
            whole, damaged = merge(_kind(window.series), baselines.get(window.series.baseline), found)
            self._damaged += damaged
            if whole is not None:
                merged[window] = whole
        return merged

    async def _merge_groups(self, lease: Lease, *, wait: bool) -> bool:
        """One slice of windows of groups; gives whether there may be more."""
        now_ms = self._clock.now_ms()
        before = {width: now_ms - (waited if wait else 0) for width, waited in WAIT_MS.items()}
        due = await self._database.read(lambda connection: sql.due(connection, before, DUE_OF_A_SLICE))
        for window, marks in due:
            await self._paced(self._merge_group(lease, window, marks))
        return len(due) == DUE_OF_A_SLICE

    async def _merge_group(self, lease: Lease, window: Due, marks: int) -> None:
        baselines = await self._baselines_of([window.series])
        merger = Merger(_kind(window.series), baselines.get(window.series.baseline))
        await self._database.read(lambda connection: sql.each_part(connection, window, merger.add))
        self._damaged += merger.damaged
        whole = await asyncio.to_thread(merger.merged)

        async def write(connection: AsyncConnection) -> None:
            await fence(connection, lease)
            if whole is not None:
                await sql.put_merged(connection, window, whole, self._clock.now_ms())
            await sql.settle(connection, window, marks)

        await self._database.change(write)

    async def _baselines_of(self, series: Iterable[Series]) -> dict[str, Baseline]:
        wanted = {one.baseline for one in series} - {""}
        missing = wanted - self._baselines.keys()
        if len(self._baselines) + len(missing) > MOST_BASELINES:
            self._baselines = {digest: self._baselines[digest] for digest in wanted - missing}
        if missing:
            found = await self._database.read(lambda connection: sql.baselines(connection, missing))
            self._baselines |= await asyncio.to_thread(_readable, found)
        return {digest: self._baselines[digest] for digest in wanted & self._baselines.keys()}


def _readable(found: Mapping[str, bytes]) -> dict[str, Baseline]:
    read: dict[str, Baseline] = {}
    for digest, content in found.items():
        try:
            read[digest] = Baseline.from_bytes(content)
        except UnreadableSummary:
            continue  # a newer node's; what is on it counts as damaged
    return read


def _part(window: NodeWindow, merged: Merged) -> Part:
    return Part(window.node_id, merged.revision, merged.n, merged.rows, merged.summary)


def _day(at_ms: int) -> int:
    return at_ms - at_ms % DAY_MS


def _kind(series: Series) -> Kind:
    return cast(Kind, series.kind)
