"""Exchanges a node's key for a new one; the old and the new key sign that."""

from __future__ import annotations

import asyncio

import msgspec

from edge_aiops.fleet.messages.identity import RotateRequest, rotate_proof
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.hub_requests import MOST_ANSWER_BYTES, read_bounded, refusal
from edge_aiops.fleet.node.identity import NodeKeys


async def rotate(hub: HubClient, keys: NodeKeys, *, node_id: str) -> None:
    """Have a new key here and at the hub; sessions of the old one end. May be repeated after a lost answer."""
    old, new = await asyncio.gather(asyncio.to_thread(keys.current), asyncio.to_thread(keys.begin_next))
    signed = rotate_proof(node_id, new.public)
    request = RotateRequest(public_key=new.public, proof=new.sign(signed), signature=old.sign(signed))
    body, headers = msgspec.json.encode(request), {"Content-Type": "application/json"}
    async with hub.ask("POST", "/fleet/rotate", data=body, headers=headers) as response:
        if response.status != 200:
            raise refusal(response, await read_bounded(response, MOST_ANSWER_BYTES))
    await asyncio.to_thread(keys.adopt_next)
