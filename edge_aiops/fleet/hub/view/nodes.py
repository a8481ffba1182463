"""What the hub knows of its nodes, as far as the view of the fleet is concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.rows import REPORTS
from edge_aiops.fleet.hub.view.selection import Selection
from edge_aiops.store.shared.database import Database


class FleetNode(Struct, frozen=True, kw_only=True, rename="camel"):
    """One node."""

    node_id: str
    name: str
    group: str
    labels: dict[str, str]
    status: str
    """`active`, `revoked` or `quarantined`."""
    status_reason: str
    joined_at: int


def chosen(nodes: Mapping[str, FleetNode], selection: Selection) -> Sequence[str] | None:
    """The ids of the nodes that a selection names by label or id; None where it names none, which is all of them.

    Raises `InvalidInput` for an id that no node has.
    """
    if not selection.by_node:
        return None
    for number, node_id in enumerate(selection.nodes):
        if node_id not in nodes:
            raise InvalidInput.of(f"node[{number}]", f"no node has the id {node_id[:80]!r}; see GET /fleet/nodes")
    candidates = selection.nodes or tuple(nodes)
    wanted = selection.labels.items()
    return sorted(node_id for node_id in candidates if wanted <= nodes[node_id].labels.items())


async def directory(database: Database) -> Mapping[str, FleetNode]:
    """All nodes that have ever pushed, by id."""
    query = select(REPORTS.c.node_id, REPORTS.c.last_seen)

    async def work(connection: AsyncConnection) -> Mapping[str, FleetNode]:
        return {
            node_id: FleetNode(
                node_id=node_id,
                name="",
                group="default",
                labels={},
                status="active",
                status_reason="",
                joined_at=last_seen,
            )
            for node_id, last_seen in await connection.execute(query)
        }

    return await database.read(work)
