"""How devices become nodes of this hub, and how operators look after them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict
from edge_aiops.fleet.hub import boots, nodes, tokens
from edge_aiops.fleet.hub.attempts import Attempts
from edge_aiops.fleet.hub.boots import Pushing, Verdict, shut_out
from edge_aiops.fleet.hub.last_pushes import NodeState, with_last_pushes
from edge_aiops.fleet.hub.node_table import nodes as _nodes
from edge_aiops.fleet.hub.nodes import KnownNode, NodeChange, NodeEvent, NodeStatus
from edge_aiops.fleet.hub.sessions import Caller, Sessions, verify
from edge_aiops.fleet.hub.tokens import JoinToken, NewToken, TokenRequest
from edge_aiops.fleet.messages.identity import (
    PIN_DIGITS,
    Joined,
    JoinRequest,
    Rotated,
    RotateRequest,
    join_proof,
    rotate_proof,
)
from edge_aiops.store.shared.bulk import Steps
from edge_aiops.store.shared.database import Database

T = TypeVar("T")

TOKENS_KEPT_MS = 7 * 24 * 3_600_000
"""For so long a token is shown after it has expired."""


class Enrolment:
    """Tokens and nodes of one hub. `root` gives the root metadata that a node trusts from the join on."""

    def __init__(
        self, database: Database, sessions: Sessions, *, root: Callable[[], Awaitable[bytes]], clock: Clock
    ) -> None:
        self.sessions = sessions
        self.attempts = Attempts(clock)
        self._database = database
        self._root = root
        self._clock = clock

    async def create_token(self, wanted: TokenRequest) -> NewToken:
        """Make a join token."""
        pin, now_ms = hashlib.sha256(await self._root()).hexdigest()[:PIN_DIGITS], self._clock.now_ms()

        async def work(connection: AsyncConnection) -> NewToken:
            await tokens.remove_old(connection, before_ms=now_ms - TOKENS_KEPT_MS)
            return await tokens.create(connection, wanted, pin=pin, now_ms=now_ms)

        return await self._database.change(work)

    async def token_for(self, node_id: str) -> str:
        """A token with which only this node can join, once, within minutes."""
        return (await self.create_token(TokenRequest(uses=1, node_id=node_id))).token

    async def tokens(self) -> list[JoinToken]:
        """Every token, the newest first."""
        return await self._database.read(tokens.listed)

    async def delete_token(self, token_id: str) -> JoinToken:
        """Make a token worthless. Raises `NotFound`."""
        return await self._database.change(lambda work: tokens.remove(work, token_id))

    async def join(self, request: JoinRequest) -> Joined:
        """Make a device a node, or say again to one whose answer was lost that it is one.

        The token is used in the same transaction. Raises `Unauthenticated` for a token or a proof that is not valid,
        `NodeRevoked` and `NodeQuarantined` for a node that was shut out, and `Conflict` for an id that is another's.
        """
        verify(request.public_key, request.proof, join_proof(request.node_id, request.public_key, request.token))
        root, now_ms = (await self._root()).decode(), self._clock.now_ms()
        group = await self._database.change(lambda work: _join(work, request, now_ms=now_ms))
        self.sessions.look_again()
        return Joined(node_id=request.node_id, group=group, root=root)

    async def rotate(self, caller: Caller, request: RotateRequest) -> Rotated:
        """Put a node's new key in the place of its old one; both have signed.

        Where the new one is there already, the answer was lost. Raises `Unauthenticated`.
        """
        signed, now_ms = rotate_proof(caller.node_id, request.public_key), self._clock.now_ms()
        verify(request.public_key, request.proof, signed)

        async def work(connection: AsyncConnection) -> None:
            old = select(_nodes.c.public_key).where(_nodes.c.id == caller.node_id).with_for_update()
            if (known := (await connection.execute(old)).scalar_one()) == request.public_key:
                return
            verify(known, request.signature, signed)
            this = update(_nodes).where(_nodes.c.id == caller.node_id)
            await connection.execute(this.values(public_key=request.public_key))
            await nodes.end_sessions(connection, caller.node_id, "rotated", now_ms=now_ms)
            await nodes.note_event(connection, caller.node_id, "rotated", "the node has a new key", now_ms=now_ms)

        await self._database.change(work)
        self.sessions.look_again()
        return Rotated(node_id=caller.node_id)

    async def nodes(
        self,
        *,
        status: NodeStatus | None = None,
        group: str | None = None,
        labels: dict[str, str] | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[NodeState]:
        """Nodes that fit, by id, from the one after `after` on."""
        fitting = nodes.chosen(status=status, group=group, wanted_labels=labels)

        async def work(connection: AsyncConnection) -> list[NodeState]:
            return await with_last_pushes(connection, await nodes.page(connection, fitting, after=after, limit=limit))

        return await self._database.read(work)

    async def node(self, node_id: str) -> tuple[NodeState, list[NodeEvent]]:
        """One node, and what happened to it last. Raises `NotFound`."""

        async def work(connection: AsyncConnection) -> tuple[NodeState, list[NodeEvent]]:
            [state] = await with_last_pushes(connection, [await nodes.get(connection, node_id)])
            return state, await nodes.history(connection, node_id)

        return await self._database.read(work)

    async def change(self, node_id: str, wanted: NodeChange) -> KnownNode:
        """Change a node's name, group or labels. Raises `NotFound`."""
        return await self._database.change(lambda work: nodes.change(work, node_id, wanted))

    async def revoke(self, node_id: str, *, reason: str) -> KnownNode:
        """Shut a node out. Raises `NotFound`."""
        return await self._membership(
            lambda work: nodes.put_status(work, node_id, "revoked", reason=reason, now_ms=self._clock.now_ms())
        )

    async def release(self, node_id: str) -> KnownNode:
        """Let a node in again that is revoked or in quarantine. Raises `NotFound`."""
        return await self._membership(
            lambda work: nodes.put_status(work, node_id, "active", reason="", now_ms=self._clock.now_ms())
        )

    async def forget(self, node_id: str) -> KnownNode:
        """Forget a node; what it pushed stays. Raises `NotFound`."""
        return await self._membership(lambda work: nodes.forget(work, node_id, now_ms=self._clock.now_ms()))

    def admit(self, pushing: Sequence[Pushing]) -> Steps[list[Verdict | None]]:
        """Whether pushes count, within the transaction that takes them in; see `boots`."""
        return boots.admit(pushing)

    async def note(self, pushing: Sequence[Pushing]) -> list[Verdict]:
        """Note processes that are not the last noted of their node, and whether their pushes count; see `boots`."""
        verdicts = await self._database.change(
            lambda connection: boots.note_boots(connection, pushing, now_ms=self._clock.now_ms())
        )
        if any(not isinstance(verdict, str) for verdict in verdicts):
            self.sessions.look_again()
        return verdicts

    async def _membership(self, work: Callable[[AsyncConnection], Awaitable[KnownNode]]) -> KnownNode:
        node = await self._database.change(work)
        self.sessions.look_again()
        return node


async def _join(connection: AsyncConnection, request: JoinRequest, *, now_ms: int) -> str:
    """The group of the node that has joined."""
    node_id = request.node_id
    await tokens.lock(connection, request.token)
    await nodes.lock(connection, node_id)
    known = (await connection.execute(select(_nodes).where(_nodes.c.id == node_id))).mappings().one_or_none()
    if known is not None and known["status"] != "active":
        raise shut_out(known["status"], node_id, known["status_reason"])
    same_key = known is not None and known["public_key"] == request.public_key
    if known is not None and same_key and known["joined_with"] == tokens.digest(request.token):
        return str(known["node_group"])
    grant = await tokens.consume(connection, request.token, node_id=node_id, now_ms=now_ms)
    values = {"public_key": request.public_key, "joined_at": now_ms, "joined_with": grant.sha256}
    if known is None:
        values |= {"name": request.name, "node_group": grant.group, "status": "active", "status_at": now_ms}
    elif grant.node_id is None and not same_key:
        raise Conflict(
            f"node {node_id} has joined with another key; make a token for it alone with `edge-aiops hub token create "
            f"--node {node_id}`, or forget it with `edge-aiops node forget {node_id}`"
        )
    elif grant.node_id is None:
        values |= {"node_group": grant.group}
    await nodes.put(connection, node_id, **values)
    if known is None or grant.node_id is None:
        await nodes.put_labels(connection, node_id, grant.labels)
    if known is not None and not same_key:
        await nodes.end_sessions(connection, node_id, "rotated", now_ms=now_ms)
    await nodes.note_event(connection, node_id, "joined", f"with token {grant.sha256[:16]}", now_ms=now_ms)
    return str(known["node_group"] if known is not None and grant.node_id is not None else grant.group)
