"""Puts together what a node has with its hub: which hub, under which name, with which token."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp

from edge_aiops.base.urls import server_url
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.identity import NodeKeys
from edge_aiops.fleet.node.membership import JoinToken, Membership
from edge_aiops.fleet.node.state import NodeState
from edge_aiops.fleet.node.trust import Trust

Join = str | Callable[[str], Awaitable[str]]
"""A join token that an operator has given; or the hub beside, which makes one for a node id."""

HUB_URL, HUB_ROOT = "hub_url", "hub_root"


async def known_hub(state: NodeState, url: str | None, join: Join | None) -> str | None:
    """The hub to follow: `url`, which is remembered, or else the one of before.

    A node that is given a token of another hub than its own will take what that says, whatever its generation is.
    Raises `InvalidInput` for a text that is no token, or an address at which no hub can be.
    """
    url = None if url is None else server_url(url, field="hub")
    if isinstance(join, str):
        root = await state.remembered(HUB_ROOT)
        if not JoinToken.parse(join).fits(root or b""):
            await state.accept_any_generation()
    if url is None:
        remembered = await state.remembered(HUB_URL)
        return remembered.decode() if remembered else None
    if not callable(join):
        await state.remember(HUB_URL, url.encode())
    return url


async def member(
    hub_url: str, *, state: NodeState, folder: Path, http: aiohttp.ClientSession, join: Join | None, trust: Trust
) -> HubClient:
    """Speaks to the hub as the node in `folder`; `trust` begins where the node joins."""
    node_id = (await state.identity()).node_id

    async def token(join: Join) -> str:
        return join if isinstance(join, str) else await join(node_id)

    async def rooted(root: bytes) -> None:
        await state.remember(HUB_ROOT, root)
        await trust.begin(root)

    membership = Membership(
        hub_url,
        node_id=node_id,
        name=socket.gethostname()[:128],
        keys=NodeKeys(folder),
        http=http,
        token=partial(token, join) if join is not None else None,
        has_root=lambda: trust.has_begun,
        rooted=rooted,
    )
    return HubClient(hub_url, http=http, open_session=membership.open_session)
