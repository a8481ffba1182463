"""Reads the merged windows of the fleet that a question is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.fleet.hub.node_table import nodes
from edge_aiops.fleet.hub.nodes import KnownNode, chosen, directory
from edge_aiops.fleet.hub.rows import BASELINES, DIRTY, RECORDS, REPORTS
from edge_aiops.fleet.hub.view.alerts import Record
from edge_aiops.fleet.hub.view.pieces import Piece
from edge_aiops.fleet.hub.view.selection import DAY_MS, HOUR_MS, Selection, Stretch, stretches
from edge_aiops.fleet.hub.view.status import Report, lost_by_node
from edge_aiops.fleet.hub.windows import LATE, MERGED, REST, WHOLE
from edge_aiops.observe.series import Kind
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.bulk import Rows, fetch_all
from edge_aiops.store.shared.database import Database

NODES_AT_ONCE = 100
"""Nodes whose windows are read in one statement: few megabytes, so that nobody waits for long."""
MOST_WINDOWS = 100_000
"""Of single nodes in one answer, some 300 MB."""
MOST_BASELINES = 64
"""That are kept in memory."""

_PIECE = """
    node_id, kind, model_name, model_version, deployment, baseline, width_ms, start_ms, n, 1, summary
"""
_NODE_WINDOW = "node_id, kind, baseline, summary"
_OF_NODES = {
    "sqlite": """
        SELECT {columns} FROM json_each(?) AS node CROSS JOIN fleet_node_windows
        WHERE node_id = node.value AND {where}
    """,
    # Node by node, each by its part of the primary key. Of a list of ids it would go through all keys of these nodes,
    # or of these days.
    "postgresql": """
        SELECT it.* FROM unnest(?::text[]) AS node (id) CROSS JOIN LATERAL (
            SELECT {columns} FROM fleet_node_windows WHERE node_id = node.id AND {where} OFFSET 0
        ) AS it
    """,
}


class Reading:
    """Windows of all nodes, of a group or of single nodes, and the baselines that they are on."""

    def __init__(self, database: Database, *, most_windows: int = MOST_WINDOWS) -> None:
        self._database = database
        self._most_windows = most_windows
        self._baselines: dict[str, Baseline] = {}

    async def span(self, selection: Selection, kinds: Collection[Kind], node_ids: Sequence[str] | None) -> list[Piece]:
        """Everything in the span, once; of these nodes, or of the selection's group, or of all."""
        return [
            piece
            for stretch, part in _parts(selection)
            for piece in await self.windows(selection, kinds, stretch, node_ids, part=part)
        ]

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
            rows = await self._of_nodes(_PIECE, selection, kinds, stretch, part, some)
            found += await asyncio.to_thread(_pieces, rows)
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
    ) -> AsyncIterator[Rows]:
        """Everything in the span, some nodes after the other, so that not all is in memory at once: the id,
        the kind, the baseline and the summary of each window."""
        for some in _some(node_ids):
            yield [
                row
                for stretch, part in _parts(selection)
                for row in await self._of_nodes(_NODE_WINDOW, selection, kinds, stretch, part, some)
            ]

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

    async def _of_nodes(
        self,
        columns: str,
        selection: Selection,
        kinds: Collection[Kind],
        stretch: Stretch,
        part: str,
        node_ids: Sequence[str],
    ) -> Rows:
        """Windows of nodes, read with the least work for each: there may be hundreds of thousands."""
        where, values = _conditions(selection, kinds, stretch, part)
        statement = _OF_NODES[self._database.dialect].format(columns=columns, where=where)
        ids = list(node_ids) if self._database.dialect == "postgresql" else msgspec.json.encode(node_ids).decode()
        return await self._database.read(lambda connection: fetch_all(connection, statement, (ids, *values)))

    async def _read(self, query: Select[Any]) -> list[Piece]:
        async def work(connection: AsyncConnection) -> list[Piece]:
            found = await connection.execute(query)  # all of it is here now
            return await asyncio.to_thread(lambda: [Piece(*row) for row in found])

        return await self._database.read(work)


def _some(node_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for place in range(0, len(node_ids), NODES_AT_ONCE):
        yield node_ids[place : place + NODES_AT_ONCE]


def _pieces(rows: Rows) -> list[Piece]:
    return [Piece._make(row) for row in rows]


def _parts(selection: Selection) -> Iterator[tuple[Stretch, str]]:
    """The stretches of a span. What nodes that were offline for long have only by the day is in hours as the rest of
    the days that the hours are of."""
    for stretch in stretches(selection.from_ms, selection.until_ms):
        yield stretch, WHOLE
        if stretch.width_ms == HOUR_MS:
            first, last = stretch.from_ms - stretch.from_ms % DAY_MS, -(-stretch.until_ms // DAY_MS) * DAY_MS
            yield Stretch(DAY_MS, first, last), REST


def _merged(selection: Selection, kinds: Collection[Kind], stretch: Stretch, part: str) -> Select[Any]:
    of = MERGED.c
    key = (of.kind, of.model_name, of.model_version, of.deployment, of.baseline)
    query = select(of.group_name, *key, of.width_ms, of.start_ms, of.n, of.nodes, of.summary).where(
        of.model_name == selection.model_name,
        of.kind.in_(kinds),
        of.part == part,
        of.width_ms == stretch.width_ms,
        of.start_ms >= stretch.from_ms,
        of.start_ms < stretch.until_ms,
    )
    if selection.model_version is not None:
        query = query.where(of.model_version == selection.model_version)
    return query if selection.group is None else query.where(of.group_name == selection.group)


def _conditions(
    selection: Selection, kinds: Collection[Kind], stretch: Stretch, part: str
) -> tuple[str, tuple[Any, ...]]:
    """What windows must be, with the values of its placeholders."""
    where = f"""
        model_name = ? AND kind IN ({", ".join("?" * len(kinds))}) AND part = ?
        AND width_ms = ? AND start_ms >= ? AND start_ms < ?
    """
    values = (selection.model_name, *kinds, part, *stretch)
    for column, wanted in (("model_version", selection.model_version), ("group_name", selection.group)):
        if wanted is not None:
            where, values = f"{where} AND {column} = ?", (*values, wanted)
    return where, values


def _read_baselines(rows: Iterable[tuple[str, bytes]]) -> dict[str, Baseline]:
    found: dict[str, Baseline] = {}
    for digest, content in rows:
        try:
            found[digest] = Baseline.from_bytes(content)
        except UnreadableSummary:
            continue  # a newer node's; its windows are listed as on a baseline that this hub cannot read
    return found
