"""The nodes that a hub knows: who they are, and what operators say of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, structs
from sqlalchemy import RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import InvalidInput, NotFound
from edge_aiops.fleet.hub.node_table import ended_sessions, events, labels, nodes
from edge_aiops.fleet.messages.identity import GroupName, LabelName, LabelValue, NodeName

NodeStatus = Literal["active", "quarantined", "revoked"]
EndReason = Literal["revoked", "quarantined", "released", "rotated", "forgotten"]

MOST_LABELS = 64
REMEMBERED_MS = 24 * 3_600_000
"""How long the hub remembers which sessions it ended: far longer than any of them would last."""
_REASON = 512
_EVENTS_SHOWN = 20


class KnownNode(Struct, frozen=True, kw_only=True, rename="camel"):
    """A node."""

    node_id: str
    name: str
    group: str
    labels: dict[str, str]
    status: NodeStatus
    status_at: int
    """Since when."""
    status_reason: str
    joined_at: int


class NodeEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened to a node's membership."""

    node_id: str
    at: int
    what: str
    """`joined`, `rotated`, `quarantined`, `revoked` or `released`."""
    detail: str


class NodeChange(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What to change of a node; what is left out stays."""

    name: NodeName | None = None
    group: GroupName | None = None
    labels: dict[LabelName, LabelValue | None] = {}
    """A label that is null is taken away."""


def chosen(
    *, status: NodeStatus | None = None, group: str | None = None, wanted_labels: dict[str, str] | None = None
) -> Select[Any]:
    """The ids of the nodes that fit, to be used within another statement."""
    found = select(nodes.c.id)
    if status is not None:
        found = found.where(nodes.c.status == status)
    if group is not None:
        found = found.where(nodes.c.node_group == group)
    for name, value in (wanted_labels or {}).items():
        having = select(labels.c.node_id).where(labels.c.name == name, labels.c.value == value)
        found = found.where(nodes.c.id.in_(having))
    return found


async def page(connection: AsyncConnection, fitting: Select[Any], *, after: str, limit: int) -> list[KnownNode]:
    """Nodes among those that `chosen` gave, by id, from the one after `after` on."""
    wanted = select(nodes).where(nodes.c.id.in_(fitting), nodes.c.id > after).order_by(nodes.c.id).limit(limit)
    return await _read(connection, wanted)


async def directory(connection: AsyncConnection) -> dict[str, KnownNode]:
    """All nodes by id."""
    return {node.node_id: node for node in await _read(connection, select(nodes))}


async def get(connection: AsyncConnection, node_id: str) -> KnownNode:
    """One node. Raises `NotFound`."""
    if found := await _read(connection, select(nodes).where(nodes.c.id == node_id)):
        return found[0]
    raise NotFound(f"there is no node {node_id[:80]!r}; `edge-aiops node list` shows them")


async def lock(connection: AsyncConnection, node_id: str) -> None:
    """Have everybody else who wants to change this node wait until this transaction ends."""
    await connection.execute(select(nodes.c.id).where(nodes.c.id == node_id).with_for_update())


async def history(connection: AsyncConnection, node_id: str) -> list[NodeEvent]:
    """What happened to a node last, the newest first."""
    wanted = select(events).where(events.c.node_id == node_id)
    wanted = wanted.order_by(events.c.at.desc(), events.c.id.desc()).limit(_EVENTS_SHOWN)
    found = (await connection.execute(wanted)).mappings()
    return [NodeEvent(node_id=row["node_id"], at=row["at"], what=row["what"], detail=row["detail"]) for row in found]


async def put(connection: AsyncConnection, node_id: str, **values: Any) -> None:
    """Record a new node, or give a known one these values."""
    known = update(nodes).where(nodes.c.id == node_id).values(**values)
    if (await connection.execute(known)).rowcount == 0:
        await connection.execute(
            insert(nodes).values(id=node_id, status_reason="", session=0, boots=[], boot_session=0, **values)
        )


async def change(connection: AsyncConnection, node_id: str, wanted: NodeChange) -> KnownNode:
    """Change a node's name, group and labels. Raises `NotFound`, and `InvalidInput` for too many labels."""
    await lock(connection, node_id)
    node = await get(connection, node_id)
    values = {column: value for column, value in (("name", wanted.name), ("node_group", wanted.group)) if value}
    if wanted.name == "":
        values["name"] = ""
    if values:
        await connection.execute(update(nodes).where(nodes.c.id == node_id).values(**values))
    if wanted.labels:
        merged = {**node.labels, **wanted.labels}
        await put_labels(connection, node_id, {name: value for name, value in merged.items() if value is not None})
    return await get(connection, node_id)


async def put_labels(connection: AsyncConnection, node_id: str, wanted: dict[str, str]) -> None:
    """Give a node these labels, and no others. Raises `InvalidInput` for too many."""
    if len(wanted) > MOST_LABELS:
        raise InvalidInput.of("labels", f"a node has at most {MOST_LABELS}, these are {len(wanted)}")
    await connection.execute(delete(labels).where(labels.c.node_id == node_id))
    if wanted:
        rows = [{"node_id": node_id, "name": name, "value": value} for name, value in wanted.items()]
        await connection.execute(insert(labels), rows)


async def put_status(
    connection: AsyncConnection, node_id: str, status: NodeStatus, *, reason: str, now_ms: int
) -> KnownNode:
    """Shut a node out, or let it in again; its sessions end. Raises `NotFound`."""
    reason = reason[:_REASON]
    await lock(connection, node_id)
    node = await get(connection, node_id)
    values: dict[str, Any] = {"status": status, "status_at": now_ms, "status_reason": reason}
    if status == "active":
        # What its clones did is settled: the next boot that pushes is the one that counts.
        values |= {"boots": [], "boot_session": 0}
    await connection.execute(update(nodes).where(nodes.c.id == node_id).values(**values))
    ended: EndReason = "released" if status == "active" else status
    await end_sessions(connection, node_id, ended, now_ms=now_ms)
    await note_event(connection, node_id, ended, reason, now_ms=now_ms)
    return structs.replace(node, status=status, status_at=now_ms, status_reason=reason)


async def forget(connection: AsyncConnection, node_id: str, *, now_ms: int) -> KnownNode:
    """Forget who a node is; what it pushed stays in the fleet's totals. Raises `NotFound`."""
    await lock(connection, node_id)
    node = await get(connection, node_id)
    await end_sessions(connection, node_id, "forgotten", now_ms=now_ms)
    for table, column in ((nodes, nodes.c.id), (labels, labels.c.node_id), (events, events.c.node_id)):
        await connection.execute(delete(table).where(column == node_id))
    return node


async def end_sessions(connection: AsyncConnection, node_id: str, reason: EndReason, *, now_ms: int) -> None:
    """End every session that the node has open now, on all replicas; see `sessions`."""
    session = (await connection.execute(select(nodes.c.session).where(nodes.c.id == node_id))).scalar_one()
    old = (ended_sessions.c.node_id == node_id) | (ended_sessions.c.at < now_ms - REMEMBERED_MS)
    await connection.execute(delete(ended_sessions).where(old))
    await connection.execute(insert(ended_sessions).values(node_id=node_id, up_to=session, reason=reason, at=now_ms))


async def note_event(connection: AsyncConnection, node_id: str, what: str, detail: str, *, now_ms: int) -> None:
    """Remember that something happened to a node."""
    event_id = f"{now_ms:013d}-{secrets.token_hex(8)}"
    await connection.execute(
        insert(events).values(node_id=node_id, id=event_id, at=now_ms, what=what, detail=detail[:_REASON])
    )


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """How many nodes have each status that any has."""
    wanted = select(nodes.c.status, func.count().label("found")).group_by(nodes.c.status)
    return {row.status: row.found for row in await connection.execute(wanted)}


async def _read(connection: AsyncConnection, wanted: Select[Any]) -> list[KnownNode]:
    rows: Sequence[RowMapping] = (await connection.execute(wanted)).mappings().all()
    found: dict[str, dict[str, str]] = {row["id"]: {} for row in rows}
    ids = wanted.with_only_columns(nodes.c.id)
    for row in await connection.execute(select(labels).where(labels.c.node_id.in_(ids)).order_by(labels.c.name)):
        found[row.node_id][row.name] = row.value
    return [
        KnownNode(
            node_id=row["id"],
            name=row["name"],
            group=row["node_group"],
            labels=found[row["id"]],
            status=row["status"],
            status_at=row["status_at"],
            status_reason=row["status_reason"],
            joined_at=row["joined_at"],
        )
        for row in rows
    ]
