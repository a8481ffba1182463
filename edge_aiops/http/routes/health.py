"""Health and state."""

from __future__ import annotations

import time

from aiohttp import web
from msgspec import Struct

from edge_aiops import __version__
from edge_aiops.base.errors import Unavailable
from edge_aiops.http.endpoint import HUB, NODE, PLUGINS, Endpoints
from edge_aiops.hub.status import HubStatus
from edge_aiops.node import NodeStatus
from edge_aiops.plugin.loader import LoadedPlugin

ENDPOINTS = Endpoints("health", role="any")

_STARTED_S = time.monotonic()


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Ready(Struct, frozen=True):
    """Requests will be served."""

    status: str = "ready"


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of this process, role by role."""

    version: str
    uptime_s: float
    node: NodeStatus | None
    hub: HubStatus | None


@ENDPOINTS.get("/livez", answer=Alive)
async def alive(request: web.Request) -> Alive:
    """Whether the process answers; if not, restart it."""
    return Alive()


@ENDPOINTS.get("/readyz", answer=Ready)
async def ready(request: web.Request) -> Ready:
    """Whether requests will be served; if not (503), send them elsewhere."""
    node = request.app.get(NODE)
    if node is not None and not (status := node.status()).ready:
        raise Unavailable("; ".join(status.reasons))
    return Ready()


@ENDPOINTS.get("/status", answer=Status)
async def status(request: web.Request) -> Status:
    """The state of each role, with reasons where something is not as it should be."""
    node, hub = request.app.get(NODE), request.app.get(HUB)
    return Status(
        version=__version__,
        uptime_s=round(time.monotonic() - _STARTED_S, 3),
        node=node.status() if node else None,
        hub=await hub.status() if hub else None,
    )


@ENDPOINTS.get("/plugins", answer=list[LoadedPlugin])
async def plugins(request: web.Request) -> list[LoadedPlugin]:
    """The plugins that were found: loaded, blocked, or failed with the reason."""
    return request.app[PLUGINS].all()
