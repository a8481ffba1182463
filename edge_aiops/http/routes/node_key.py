"""A node's key: exchanged for a new one, as an operator of the device wants it."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from edge_aiops.http.endpoint import NODE, Endpoints

ENDPOINTS = Endpoints("fleet", role="node")


class KeyRotated(Struct, frozen=True, kw_only=True, rename="camel"):
    """The node has a new key, and its hub knows."""

    node_id: str


@ENDPOINTS.post("/node/key/rotate", answer=KeyRotated)
async def rotate_key(request: web.Request) -> KeyRotated:
    """Exchange the key with which this node shows its hub who it is. Both keys sign, and the old one is deleted."""
    node = request.app[NODE]
    await node.rotate_key()
    return KeyRotated(node_id=node.status().node_id)
