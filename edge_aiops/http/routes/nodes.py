"""What operators do with nodes and join tokens."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.last_pushes import NodeState
from edge_aiops.fleet.hub.nodes import KnownNode, NodeChange, NodeEvent, NodeStatus
from edge_aiops.fleet.hub.tokens import JoinToken, NewToken, TokenRequest
from edge_aiops.fleet.messages.identity import NodeId
from edge_aiops.http.endpoint import HUB, Created, Endpoints

ENDPOINTS = Endpoints("fleet", role="hub")


class NodesQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which nodes. `label` is `name=value`, several with commas between them: a node must have all."""

    status: NodeStatus | None = None
    group: Annotated[str, Meta(max_length=64)] | None = None
    label: Annotated[str, Meta(max_length=4096)] | None = None
    cursor: NodeId | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class NodesPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Some nodes, by id."""

    nodes: list[NodeState]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null at the end."""


class NodeDetails(Struct, frozen=True, kw_only=True, rename="camel"):
    """A node as it last pushed, and what happened to its membership last, the newest first."""

    node: NodeState
    history: list[NodeEvent]


class Revocation(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Why a node is shut out."""

    reason: Annotated[str, Meta(max_length=400)] = ""


@ENDPOINTS.get("/fleet/nodes", query=NodesQuery, answer=NodesPage)
async def list_nodes(request: web.Request, query: NodesQuery) -> NodesPage:
    """The nodes that have joined, each as it last pushed, in pages: send `nextCursor` as `cursor` for the next."""
    found = await request.app[HUB].enrolment.nodes(
        status=query.status,
        group=query.group,
        labels=_labels(query.label),
        after=query.cursor or "",
        limit=query.limit,
    )
    return NodesPage(nodes=found, next_cursor=found[-1].node_id if len(found) == query.limit else None)


@ENDPOINTS.get("/fleet/nodes/{id}", answer=NodeDetails)
async def show_node(request: web.Request) -> NodeDetails:
    """One node."""
    node, history = await request.app[HUB].enrolment.node(request.match_info["id"])
    return NodeDetails(node=node, history=history)


@ENDPOINTS.patch("/fleet/nodes/{id}", body=NodeChange, answer=KnownNode)
async def change_node(request: web.Request, body: NodeChange) -> KnownNode:
    """Change a node's name, group or labels; what is left out stays, a label that is null is taken away."""
    return await request.app[HUB].enrolment.change(request.match_info["id"], body)


@ENDPOINTS.post("/fleet/nodes/{id}/revoke", body=Revocation, optional=True, answer=KnownNode)
async def revoke_node(request: web.Request, body: Revocation) -> KnownNode:
    """Shut a node out, within a second on every replica. It goes on serving what it has."""
    return await request.app[HUB].enrolment.revoke(request.match_info["id"], reason=body.reason)


@ENDPOINTS.post("/fleet/nodes/{id}/release", answer=KnownNode)
async def release_node(request: web.Request) -> KnownNode:
    """Let a node in again that was revoked or is in quarantine."""
    return await request.app[HUB].enrolment.release(request.match_info["id"])


@ENDPOINTS.delete("/fleet/nodes/{id}", answer=KnownNode)
async def forget_node(request: web.Request) -> KnownNode:
    """Forget who a node is; what it has pushed stays in the totals. Answers what was forgotten."""
    return await request.app[HUB].enrolment.forget(request.match_info["id"])


@ENDPOINTS.post("/fleet/tokens", body=TokenRequest, optional=True, answer=NewToken, status=201)
async def create_token(request: web.Request, body: TokenRequest) -> Created:
    """Make a join token. Its text is told now and never again."""
    return Created(await request.app[HUB].enrolment.create_token(body))


@ENDPOINTS.get("/fleet/tokens", answer=list[JoinToken])
async def list_tokens(request: web.Request) -> list[JoinToken]:
    """The join tokens, without their texts, the newest first; those that expired a week ago are gone."""
    return await request.app[HUB].enrolment.tokens()


@ENDPOINTS.delete("/fleet/tokens/{id}", answer=JoinToken)
async def delete_token(request: web.Request) -> JoinToken:
    """Make a join token worthless. Nodes that have joined with it stay."""
    return await request.app[HUB].enrolment.delete_token(request.match_info["id"])


def _labels(said: str | None) -> dict[str, str]:
    labels: dict[str, str] = {}
    for part in (said or "").split(",") if said else ():
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise InvalidInput.of("label", f"{part[:80]!r} is no label; write name=value, such as site=oslo")
        if labels.setdefault(name, value) != value:
            raise InvalidInput.of("label", f"no node has {name[:80]!r} twice; leave one of them out")
    return labels
