"""Every statement of the roll-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import and_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.fleet.hub.merging import Merged, Part
from edge_aiops.fleet.hub.rows import BASELINES, DIRTY, ROWS
from edge_aiops.fleet.hub.windows import DAY_MS, DUE, FIVE_MINUTES_MS, HOUR_MS, LATE, MERGED, NODE_WINDOWS
from edge_aiops.store.shared.bulk import Each, execute_all, fetch_all

PARTS_AT_ONCE = 500


class Series(NamedTuple):
    """What a window is of."""

    kind: str
    model_name: str
    model_version: str
    deployment: int
    baseline: str


Place = tuple[str, Series, int]
"""A node, a series, and when an hour or a day begins."""


class Mark(NamedTuple):
    """A window of a node that has rows which are not merged."""

    node_id: str
    series: Series
    width_ms: int
    start_ms: int
    marks: int

    @property
    def hour(self) -> Place:
        """The hour that it begins in."""
        return self.node_id, self.series, self.start_ms - self.start_ms % HOUR_MS

    @property
    def day(self) -> Place:
        """The day that it begins in."""
        return self.node_id, self.series, self.start_ms - self.start_ms % DAY_MS


class Row(NamedTuple):
    """A row to merge."""

    node_id: str
    group: str
    series: Series
    width_ms: int
    start_ms: int
    received_at: int
    part: Part


class NodeWindow(NamedTuple):
    """A window of a node."""

    node_id: str
    group: str
    series: Series
    part: str
    width_ms: int
    start_ms: int


class Due(NamedTuple):
    """A window of a group."""

    group: str
    series: Series
    part: str
    width_ms: int
    start_ms: int


_PLACES = {
    "sqlite": """
        WITH place AS (SELECT value ->> 0 AS node_id, value ->> 1 AS kind, value ->> 2 AS model_name,
            value ->> 3 AS model_version, value ->> 4 AS deployment, value ->> 5 AS baseline, value ->> 6 AS from_ms
            FROM json_each(?))
    """,
    "postgresql": """
        WITH place AS (SELECT value ->> 0 AS node_id, value ->> 1 AS kind, value ->> 2 AS model_name,
            value ->> 3 AS model_version, (value ->> 4)::bigint AS deployment, value ->> 5 AS baseline,
            (value ->> 6)::bigint AS from_ms
            FROM jsonb_array_elements(?::text::jsonb) AS value)
    """,
}
_SERIES = "kind, model_name, model_version, deployment, baseline"
_SAME = " AND ".join(f"it.{name} = place.{name}" for name in ("node_id", *_SERIES.split(", ")))
_ROW = """
    SELECT it.node_id, it.group_name, it.kind, it.model_name, it.model_version, it.deployment, it.baseline,
        it.width_ms, it.start_ms, it.received_at, it.revision, it.n, it.summary
"""
_ROWS_OF_HOURS = f"""
    {_ROW} FROM place JOIN fleet_rows AS it ON {_SAME} AND it.width_ms IN ({FIVE_MINUTES_MS}, {HOUR_MS})
        AND it.start_ms >= place.from_ms AND it.start_ms < place.from_ms + {HOUR_MS}
"""
_ROWS_OF_DAYS = f"""
    {_ROW} FROM place JOIN fleet_rows AS it ON {_SAME} AND it.width_ms = {DAY_MS} AND it.start_ms = place.from_ms
"""
_ROWS_OF_OLD_DAYS = f"""
    {_ROW} FROM place JOIN fleet_rows AS it ON {_SAME} AND it.width_ms IN ({FIVE_MINUTES_MS}, {HOUR_MS})
        AND it.start_ms >= place.from_ms AND it.start_ms < place.from_ms + {DAY_MS}
"""
_HOURS_OF_DAYS = f"""
    SELECT it.node_id, it.group_name, it.kind, it.model_name, it.model_version, it.deployment, it.baseline,
        it.part, it.width_ms, it.start_ms, it.revision, it.n, it.rows, it.summary
    FROM place JOIN fleet_node_windows AS it ON {_SAME}
        AND (it.part = 'rest' OR it.width_ms = {HOUR_MS})
        AND it.start_ms >= place.from_ms AND it.start_ms < place.from_ms + {DAY_MS}
"""
_CLOSED = f"""
    SELECT DISTINCT it.node_id, it.kind, it.model_name, it.model_version, it.deployment, it.baseline, it.start_ms
    FROM place JOIN fleet_node_windows AS it ON {_SAME}
        AND it.part = 'whole' AND it.width_ms = {DAY_MS} AND it.start_ms = place.from_ms AND it.closed
"""
_WINDOW = f"group_name, {_SERIES}, part, width_ms, start_ms"
_PUT_NODE_WINDOW = f"""
    INSERT INTO fleet_node_windows (node_id, {_WINDOW}, revision, n, rows, summary, closed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false)
    ON CONFLICT (node_id, {_WINDOW}) DO UPDATE SET
        revision = excluded.revision, n = excluded.n, rows = excluded.rows, summary = excluded.summary
    WHERE NOT fleet_node_windows.closed
"""
_PUT_DUE = f"""
    INSERT INTO fleet_due ({_WINDOW}, marks, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
    ON CONFLICT ({_WINDOW}) DO UPDATE SET marks = fleet_due.marks + 1
"""
_PUT_MERGED = f"""
    INSERT INTO fleet_merged ({_WINDOW}, revision, n, rows, nodes, summary, change)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ({_WINDOW}) DO UPDATE SET
        revision = excluded.revision, n = excluded.n, rows = excluded.rows, nodes = excluded.nodes,
        summary = excluded.summary, change = excluded.change
    WHERE excluded.revision >= fleet_merged.revision
"""
_OF_MARK = " AND ".join(f"{name} = ?" for name in ("node_id", *_SERIES.split(", "), "width_ms", "start_ms"))
_OF_WINDOW = " AND ".join(f"{name} = ?" for name in _WINDOW.split(", "))
_UNMARK = f"DELETE FROM fleet_dirty WHERE {_OF_MARK} AND marks = ?"
_SETTLE = f"DELETE FROM fleet_due WHERE {_OF_WINDOW} AND marks = ?"
_DROP_LATE = f"DELETE FROM fleet_rows WHERE {_OF_MARK}"
_COUNT_LATE = f"""
    INSERT INTO fleet_late (node_id, rows, last_at)
    SELECT node_id, count(*), ? FROM fleet_rows WHERE {_OF_MARK} GROUP BY node_id
    ON CONFLICT (node_id) DO UPDATE SET rows = fleet_late.rows + excluded.rows, last_at = excluded.last_at
"""


async def marks(connection: AsyncConnection, after: Mark | None, limit: int) -> list[Mark]:
    """Marks whose baseline is there, from the one after `after` on, in the order of their keys."""
    known = select(BASELINES.c.sha256).where(BASELINES.c.sha256 == DIRTY.c.baseline).exists()
    query = select(DIRTY).where(or_(DIRTY.c.baseline == "", known))
    if after is not None:
        query = query.where(tuple_(*DIRTY.primary_key.columns) > tuple_(*_key(after)))
    found = await connection.execute(query.order_by(*DIRTY.primary_key.columns).limit(limit))
    return [
        Mark(node_id, Series(*series), width_ms, start_ms, count)
        for node_id, *series, width_ms, start_ms, count in found
    ]


async def closed(connection: AsyncConnection, days: Iterable[Place]) -> set[Place]:
    """Those of these days that are closed."""
    found = await _at(connection, _CLOSED, days)
    return {(node_id, Series(*series), start_ms) for node_id, *series, start_ms in found}


async def rows(
    connection: AsyncConnection, *, hours: Iterable[Place], days: Iterable[Place], old: Iterable[Place]
) -> list[Sequence[Any]]:
    """The rows of hours, those that are as wide as days, and all others of old days; `read` reads them."""
    return [
        row
        for statement, places in ((_ROWS_OF_HOURS, hours), (_ROWS_OF_DAYS, days), (_ROWS_OF_OLD_DAYS, old))
        for row in await _at(connection, statement, places)
    ]


def read(found: Iterable[Sequence[Any]]) -> list[Row]:
    """What `rows` found. There may be thousands, so this is for a thread."""
    return [
        Row(node_id, group, Series(*series), width_ms, start_ms, received_at, Part(node_id, revision, n, 1, summary))
        for node_id, group, *series, width_ms, start_ms, received_at, revision, n, summary in found
    ]


async def hours(connection: AsyncConnection, days: Iterable[Place]) -> dict[NodeWindow, Part]:
    """The hours of days, and their rests, as they were merged last."""
    found = await _at(connection, _HOURS_OF_DAYS, days)
    return {
        NodeWindow(node_id, group, Series(*series), part, width_ms, start_ms): Part(node_id, revision, n, count, data)
        for node_id, group, *series, part, width_ms, start_ms, revision, n, count, data in found
    }


async def baselines(connection: AsyncConnection, digests: Iterable[str]) -> dict[str, bytes]:
    """The bytes of those of these baselines that are there."""
    query = select(BASELINES.c.sha256, BASELINES.c.content).where(BASELINES.c.sha256.in_(list(digests)))
    return {found.sha256: found.content for found in await connection.execute(query)}


async def put_node_windows(connection: AsyncConnection, merged: Mapping[NodeWindow, Merged]) -> None:
    """Put in windows of nodes; days that are closed stay as they are."""
    values = [
        (node_id, group, *series, part, width_ms, start_ms, whole.revision, whole.n, whole.rows, whole.summary)
        for (node_id, group, series, part, width_ms, start_ms), whole in merged.items()
    ]
    await execute_all(connection, [Each(_PUT_NODE_WINDOW, values)])


async def put_due(connection: AsyncConnection, windows: Iterable[Due], now_ms: int) -> None:
    """Mark windows of groups."""
    values = [(*_flat(window), now_ms) for window in windows]
    await execute_all(connection, [Each(_PUT_DUE, values)])


async def unmark(connection: AsyncConnection, seen: Iterable[Mark]) -> None:
    """Take marks away, unless they were set again since they were seen."""
    # In the order in which pushes mark them, so that neither waits for the other.
    await execute_all(connection, [Each(_UNMARK, sorted((*_key(mark), mark.marks) for mark in seen))])


async def drop_late(connection: AsyncConnection, late: Iterable[Mark], now_ms: int) -> None:
    """Delete the rows of these windows, and count them as late."""
    keys = [_key(mark) for mark in late]
    await execute_all(connection, [Each(_COUNT_LATE, [(now_ms, *key) for key in keys]), Each(_DROP_LATE, keys)])


async def due(connection: AsyncConnection, before: Mapping[int, int], limit: int) -> list[tuple[Due, int]]:
    """The oldest windows of groups that were marked before the moment that is given for their width; with marks."""
    waited = [and_(DUE.c.width_ms == width_ms, DUE.c.since <= at_ms) for width_ms, at_ms in before.items()]
    found = await connection.execute(select(DUE).where(or_(*waited)).order_by(DUE.c.since).limit(limit))
    return [
        (Due(group, Series(*series), part, width_ms, start_ms), count)
        for group, *series, part, width_ms, start_ms, count, _ in found
    ]


async def each_part(connection: AsyncConnection, window: Due, take: Callable[[list[Part]], None]) -> None:
    """Give everything that a window of a group is merged from to `take`, in a thread, some parts at a time."""
    group, series, part, width_ms, start_ms = window
    source = ROWS if width_ms == FIVE_MINUTES_MS else NODE_WINDOWS
    count = literal(1) if source is ROWS else NODE_WINDOWS.c.rows
    query = select(source.c.node_id, source.c.revision, source.c.n, count, source.c.summary).where(
        source.c.group_name == group,
        *(source.c[name] == value for name, value in series._asdict().items()),
        source.c.width_ms == width_ms,
        source.c.start_ms == start_ms,
        *(() if source is ROWS else (NODE_WINDOWS.c.part == part,)),
    )
    async with connection.stream(query) as found:
        async for some in found.partitions(PARTS_AT_ONCE):
            await asyncio.to_thread(take, [Part(*row) for row in some])


async def put_merged(connection: AsyncConnection, window: Due, whole: Merged, now_ms: int) -> None:
    """Put in a window of a group, unless what is there has more.

    The number of the change is higher than every number before, also than those of windows that are deleted.
    """
    last = (await connection.execute(select(func.max(MERGED.c.change)))).scalar() or 0
    values = (*_flat(window), whole.revision, whole.n, whole.rows, whole.owners, whole.summary, max(last + 1, now_ms))
    await execute_all(connection, [Each(_PUT_MERGED, [values])])


async def settle(connection: AsyncConnection, window: Due, seen: int) -> None:
    """Take the mark of a window of a group away, unless it was set again since."""
    await execute_all(connection, [Each(_SETTLE, [(*_flat(window), seen)])])


async def counts(connection: AsyncConnection) -> tuple[int, int, int]:
    """Windows that are not merged; those of them whose baseline is not there; rows that came too late."""
    known = select(BASELINES.c.sha256).where(BASELINES.c.sha256 == DIRTY.c.baseline).exists()
    dirty = select(func.count()).select_from(DIRTY)
    without = dirty.where(DIRTY.c.baseline != "", ~known)
    merged = select(func.count()).select_from(DUE)
    late = select(func.coalesce(func.sum(LATE.c.rows), 0))
    marked, baseline, waiting, dropped = [
        int((await connection.execute(query)).scalar_one()) for query in (dirty, without, merged, late)
    ]
    return marked - baseline + waiting, baseline, dropped


async def _at(connection: AsyncConnection, statement: str, places: Iterable[Place]) -> Sequence[Sequence[Any]]:
    """What a statement gives for places."""
    wanted = [(node_id, *series, from_ms) for node_id, series, from_ms in places]
    if not wanted:
        return ()
    dialect = connection.dialect.name
    return await fetch_all(connection, _PLACES[dialect] + statement, (msgspec.json.encode(wanted).decode(),))


def _flat(window: Due) -> tuple[Any, ...]:
    return (window.group, *window.series, window.part, window.width_ms, window.start_ms)


def _key(mark: Mark) -> tuple[Any, ...]:
    return (mark.node_id, *mark.series, mark.width_ms, mark.start_ms)
