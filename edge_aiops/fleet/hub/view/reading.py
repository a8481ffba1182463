"""Reads the merged windows of the fleet that a question is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.fleet.hub.node_table import nodes
from edge_aiops.fleet.hub.nodes import KnownNode, chosen, directory
from edge_aiops.fleet.hub.rows import BASELINES, DIRTY, RECORDS, REPORTS
from edge_aiops.fleet.hub.view.alerts import Record
from edge_aiops.fleet.hub.view.pieces import Piece
from edge_aiops.fleet.hub.view.selection import DAY_MS, HOUR_MS, Selection, Stretch, stretches
from edge_aiops.fleet.hub.view.status import Report, lost_by_node
from edge_aiops.fleet.hub.windows import LATE, MERGED, NODE_WINDOWS, REST, WHOLE
from edge_aiops.observe.series import Kind
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database

NODES_AT_ONCE = 100
"""Nodes whose windows are read in one statement: few megabytes, so that nobody waits for long."""
MOST_WINDOWS = 100_000
"""Of single nodes in one answer, some 300 MB."""
MOST_BASELINES = 64
"""That are kept in memory."""


class Reading:
    """Windows of all nodes, of a group or of single nodes, and the baselines that they are on."""

    def __init__(self, database: Database, *, most_windows: int = MOST_WINDOWS) -> None:
        self._database = database
        self._most_windows = most_windows
        self._baselines: dict[str, Baseline] = {}

    async def span(self, selection: Selection, kinds: Collection[Kind], node_ids: Sequence[str] | None) -> list[Piece]:
        """Everything in the span, once; of these nodes, or of the selection's group, or of all."""
        parts = [*stretches(selection.from_ms, selection.until_ms)]
        return [piece for part in parts for piece in await self.stretch(selection, kinds, part, node_ids)]

    async def stretch(
        self, selection: Selection, kinds: Collection[Kind], stretch: Stretch, node_ids: Sequence[str] | None
    ) -> list[Piece]:
        """Everything in a part of a span. What nodes that were offline for long have only by the day is in hours as
        the rest of the days that the hours are of."""
        found = await self.windows(selection, kinds, stretch, node_ids)
        if stretch.width_ms == HOUR_MS:
            days = Stretch(DAY_MS, stretch.from_ms - stretch.from_ms % DAY_MS, -(-stretch.until_ms // DAY_MS) * DAY_MS)
            found += await self.windows(selection, kinds, days, node_ids, part=REST)
        return found

    async def windows(
        self,
        selection: Selection,
        kinds: Collection[Kind],
        stretch: Stretch,
        node_ids: Sequence[str] | None,
        *,
        part: str = WHOLE,
    ) -> list[Piece]:
        """The windows of one width alone. Raises `TooLarge` for more of single nodes than fit into memory."""
        if node_ids is None:
            return await self._read(_merged(selection, kinds, stretch, part))
        found: list[Piece] = []
        for some in _some(node_ids):
            found += await self._read(_of_nodes(selection, kinds, stretch, part, some))
            if len(found) > self._most_windows:
                raise TooLarge(
                    f"these nodes have more than {self._most_windows:,} windows in this span; select a group, which is "
                    "merged already, or fewer nodes, or a shorter span"
                )
        return found

    async def first_day(self, selection: Selection, kinds: Collection[Kind]) -> int | None:
        """The beginning of the first day that is kept of a model's merged windows; None without any."""
        day = MERGED.c
        query = select(func.min(day.start_ms)).where(
            day.model_name == selection.model_name, day.kind.in_(kinds), day.width_ms == DAY_MS
        )

        async def work(connection: AsyncConnection) -> int | None:
            first: int | None = (await connection.execute(query)).scalar()
            return first

        return await self._database.read(work)

    async def by_nodes(
        self, selection: Selection, kinds: Collection[Kind], node_ids: Sequence[str]
    ) -> AsyncIterator[list[Piece]]:
        """Everything in the span, some nodes after the other, so that not all is in memory at once."""
        for some in _some(node_ids):
            yield await self.span(selection, kinds, some)

    async def nodes(self) -> Mapping[str, KnownNode]:
        """All nodes by id."""
        return await self._database.read(directory)

    async def node_ids(self, selection: Selection, *, group: str | None = None) -> list[str]:
        """The nodes that a selection names by label or id, and of these those that are in `group` now.

        Raises `InvalidInput` for an id that no node has.
        """
        fitting = chosen(group=group, wanted_labels=selection.labels)
        named = select(nodes.c.id).where(nodes.c.id.in_(selection.nodes))

        async def work(connection: AsyncConnection) -> list[str]:
            known = set((await connection.execute(named)).scalars())
            for node_id in selection.nodes:
                if node_id not in known:
                    raise InvalidInput.of("node", f"no node has the id {node_id[:80]!r}; see GET /fleet/nodes")
            found = (await connection.execute(fitting)).scalars()
            return sorted(node_id for node_id in found if not known or node_id in known)

        return await self._database.read(work)

    async def baselines(self, digests: Iterable[str]) -> dict[str, Baseline]:
        """Those of these baselines that nodes have brought, and that can be read."""
        wanted = set(digests) - {""}
        found = {digest: self._baselines[digest] for digest in wanted & self._baselines.keys()}
        if missing := wanted - found.keys():
            query = select(BASELINES.c.sha256, BASELINES.c.content).where(BASELINES.c.sha256.in_(missing))

            async def work(connection: AsyncConnection) -> list[tuple[str, bytes]]:
                return [(digest, content) for digest, content in await connection.execute(query)]

            found |= await asyncio.to_thread(_read_baselines, await self._database.read(work))
            kept = self._baselines if len(self._baselines) < MOST_BASELINES else {}
            self._baselines = {**kept, **found}
        return found

    async def alerts(self, since_ms: int, node_ids: Sequence[str] | None, limit: int) -> list[Record]:
        """The records of alerts since then, the newest first, at most so many."""
        columns = (RECORDS.c.node_id, RECORDS.c.id, RECORDS.c.at_ms, RECORDS.c.body)
        query = (
            select(*columns)
            .where(RECORDS.c.kind == "alert", RECORDS.c.at_ms >= since_ms)
            .order_by(RECORDS.c.at_ms.desc())
            .limit(limit)
        )
        chosen = [query] if node_ids is None else [query.where(RECORDS.c.node_id.in_(some)) for some in _some(node_ids)]

        async def work(connection: AsyncConnection) -> list[Record]:
            return [Record(*row) for one in chosen for row in await connection.execute(one)]

        return await self._database.read(work)

    async def reports(self) -> list[Report]:
        """How each node was at its last push, and what it has lost."""
        query = (
            select(REPORTS.c.node_id, REPORTS.c.last_seen, REPORTS.c.skew_ms, REPORTS.c.lag, REPORTS.c.generation,
                   func.coalesce(LATE.c.rows, 0))
            .outerjoin(LATE, LATE.c.node_id == REPORTS.c.node_id)
        )  # fmt: skip
        dropped = select(RECORDS.c.node_id, RECORDS.c.body).where(RECORDS.c.kind == "dropped")

        async def work(connection: AsyncConnection) -> list[Report]:
            lost = lost_by_node([(node_id, body) for node_id, body in await connection.execute(dropped)])
            return [Report(*row, *lost.get(row[0], (0, 0))) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def unmerged(self) -> int:
        """Windows of nodes that have rows which are in no merged window yet."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(select(func.count()).select_from(DIRTY))).scalar_one()

        return await self._database.read(work)

    async def models(self, since_ms: int) -> list[str]:
        """The names of the models of which there are days since then."""
        day = MERGED.c
        query = select(day.model_name).distinct().where(day.width_ms == DAY_MS, day.start_ms >= since_ms - DAY_MS)

        async def work(connection: AsyncConnection) -> list[str]:
            return sorted(name for (name,) in await connection.execute(query))

        return await self._database.read(work)

    async def _read(self, query: Select[Any]) -> list[Piece]:
        async def work(connection: AsyncConnection) -> list[Piece]:
            found = await connection.execute(query)  # all of it is here now
            return await asyncio.to_thread(lambda: [Piece(*row) for row in found])

        return await self._database.read(work)


def _some(node_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for place in range(0, len(node_ids), NODES_AT_ONCE):
        yield node_ids[place : place + NODES_AT_ONCE]


def _merged(selection: Selection, kinds: Collection[Kind], stretch: Stretch, part: str) -> Select[Any]:
    query = _query(MERGED, selection, kinds, stretch, part, MERGED.c.group_name, MERGED.c.nodes)
    return query if selection.group is None else query.where(MERGED.c.group_name == selection.group)


def _of_nodes(
    selection: Selection, kinds: Collection[Kind], stretch: Stretch, part: str, node_ids: Collection[str]
) -> Select[Any]:
    query = _query(NODE_WINDOWS, selection, kinds, stretch, part, NODE_WINDOWS.c.node_id, literal(1))
    if selection.group is not None:
        query = query.where(NODE_WINDOWS.c.group_name == selection.group)
    return query.where(NODE_WINDOWS.c.node_id.in_(node_ids))


def _query(
    table: Any, selection: Selection, kinds: Collection[Kind], stretch: Stretch, part: str, owner: Any, nodes: Any
) -> Select[Any]:
    key = (table.c.kind, table.c.model_name, table.c.model_version, table.c.deployment, table.c.baseline)
    query = select(owner, *key, table.c.width_ms, table.c.start_ms, table.c.n, nodes, table.c.summary).where(
        table.c.model_name == selection.model_name,
        table.c.kind.in_(kinds),
        table.c.part == part,
        table.c.width_ms == stretch.width_ms,
        table.c.start_ms >= stretch.from_ms,
        table.c.start_ms < stretch.until_ms,
    )
    if selection.model_version is not None:
        query = query.where(table.c.model_version == selection.model_version)
    return query


def _read_baselines(rows: Iterable[tuple[str, bytes]]) -> dict[str, Baseline]:
    found: dict[str, Baseline] = {}
    for digest, content in rows:
        try:
            found[digest] = Baseline.from_bytes(content)
        except UnreadableSummary:
            continue  # a newer node's; its windows are listed as on a baseline that this hub cannot read
    return found
