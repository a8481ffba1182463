"""What the hub knows of its nodes from their last pushes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.fleet.hub.nodes import KnownNode
from edge_aiops.fleet.hub.rows import REPORTS
from edge_aiops.fleet.messages.push import Reported


class LastPush(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a node was when it last pushed."""

    at: int
    """When, by the hub's clock."""
    skew_ms: int
    """The node's clock minus the hub's."""
    lag: int
    """Rows and records that waited on the node."""
    reported: Reported


class NodeState(KnownNode, frozen=True, kw_only=True, rename="camel"):
    """A node, and how it was when it last pushed."""

    last_push: LastPush | None
    """Null for a node that joined and never pushed."""


_decoder = msgspec.json.Decoder(Reported)


async def with_last_pushes(connection: AsyncConnection, nodes: Sequence[KnownNode]) -> list[NodeState]:
    """These nodes, each with its last push."""
    columns = (REPORTS.c.node_id, REPORTS.c.last_seen, REPORTS.c.skew_ms, REPORTS.c.lag, REPORTS.c.reported)
    wanted = select(*columns).where(REPORTS.c.node_id.in_([node.node_id for node in nodes]))
    pushes = {
        node_id: LastPush(at=at, skew_ms=skew_ms, lag=lag, reported=_decoder.decode(reported))
        for node_id, at, skew_ms, lag, reported in await connection.execute(wanted)
    }
    return [NodeState(**structs.asdict(node), last_push=pushes.get(node.node_id)) for node in nodes]
