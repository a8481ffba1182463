"""Which process of a node pushes: two that do so in turn are clones of one disk, and are shut out.

A node has one process at a time, and each start has a boot of its own. So where pushes of boot A, B, and again A come,
either there are two nodes, or A's push was long under way and its process is dead by now. What tells them apart is a
session that was opened after B had begun to push: a dead process opens none. A push without that is refused as from a
session that is over (401); who lives opens another and pushes again, and is known for a clone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import EdgeAiopsError, NodeQuarantined, NodeRevoked, Unauthenticated
from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.node_table import nodes as _nodes
from edge_aiops.store.shared.bulk import Ask, Steps, perform

REMEMBERED = 8
"""Boots of each node; so many clones less one may take turns unseen, for one round."""


_COUNTS = ("id", "status", "status_reason", "node_group", "boots", "boot_session")
_SELECT = "SELECT id, status, status_reason, node_group, CAST(boots AS TEXT), boot_session FROM nodes WHERE id IN"
_KNOWN = {
    "sqlite": f"{_SELECT} (SELECT value FROM json_each(?))",
    "postgresql": f"{_SELECT} (SELECT jsonb_array_elements_text(?::text::jsonb))",
}


class Pushing(NamedTuple):
    """Who pushes: a node, its process, and the number of the session in which it does."""

    node_id: str
    boot: int
    session: int


Verdict = str | EdgeAiopsError
"""The node's group, or why its push is refused."""


def admit(pushing: Sequence[Pushing]) -> Steps[list[Verdict | None]]:
    """Whether each of these pushes counts, in their order; None where `note_boots` must be asked first."""
    known = yield from _known({push.node_id for push in pushing})
    return [_verdict(known.get(push.node_id), push) for push in pushing]


async def note_boots(connection: AsyncConnection, pushing: Sequence[Pushing], *, now_ms: int) -> list[Verdict]:
    """Note which processes push; the verdicts in their order. What is refused must be committed all the same.

    A clone's node is in quarantine from then on.
    """
    known = await perform(connection, _known({push.node_id for push in pushing}))
    verdicts: list[Verdict] = []
    for push in pushing:
        verdict = _verdict(known.get(push.node_id), push)
        if verdict is None:
            verdict = await _note_other(connection, known[push.node_id], push, now_ms=now_ms)
        verdicts.append(verdict)
    return verdicts


def _verdict(node: Mapping[str, Any] | None, push: Pushing) -> Verdict | None:
    if node is None:
        return unknown(push.node_id)
    if node["status"] != "active":
        return shut_out(node["status"], push.node_id, node["status_reason"])
    return str(node["node_group"]) if node["boots"][-1:] == [push.boot] else None


def unknown(node_id: str) -> EdgeAiopsError:
    """What to say to a node that is not known (any more)."""
    return Unauthenticated(f"this hub does not know node {node_id}; join it with a token of this hub")


def shut_out(status: str, node_id: str, reason: str) -> EdgeAiopsError:
    """What to say to a node that is revoked or in quarantine."""
    because = f": {reason}" if reason else ""
    if status == "quarantined":
        return NodeQuarantined(
            f"node {node_id} is in quarantine{because}; stop all but one of its machines, then run "
            f"`edge-aiops node release {node_id}` at the hub"
        )
    return NodeRevoked(f"node {node_id} is revoked{because}; `edge-aiops node release {node_id}` at the hub undoes it")


def _known(node_ids: Iterable[str]) -> Steps[dict[str, dict[str, Any]]]:
    """What counts of nodes, by id."""
    found = yield Ask(_KNOWN, (msgspec.json.encode(list(node_ids)).decode(),))
    known = {row[0]: dict(zip(_COUNTS, row, strict=True)) for row in found}
    for node in known.values():
        node["boots"] = msgspec.json.decode(node["boots"])
    return known


async def _note_other(connection: AsyncConnection, node: dict[str, Any], push: Pushing, *, now_ms: int) -> Verdict:
    boots: list[int] = node["boots"]
    if boots and push.session <= node["boot_session"]:
        return Unauthenticated("another process of this node has pushed meanwhile; open another session")
    if push.boot in boots:
        reason = "two machines push under this node's identity, such as clones of one disk"
        await nodes.put_status(connection, push.node_id, "quarantined", reason=reason, now_ms=now_ms)
        node.update(status="quarantined", status_reason=reason)
        return shut_out("quarantined", push.node_id, reason)
    changed = {"boots": [*boots, push.boot][-REMEMBERED:], "boot_session": push.session}
    unchanged = update(_nodes).where(_nodes.c.id == push.node_id, _nodes.c.boot_session == node["boot_session"])
    if (await connection.execute(unchanged.values(**changed))).rowcount == 0:
        return Unauthenticated("another process of this node pushed at the same time; open another session")
    node.update(changed)
    return str(node["node_group"])
