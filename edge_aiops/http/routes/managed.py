"""What a node that follows a hub on another machine refuses: what to serve is said at the hub."""

from __future__ import annotations

from typing import NoReturn

from aiohttp import web

from edge_aiops.base.errors import Conflict
from edge_aiops.http.endpoint import NODE, Endpoints

ENDPOINTS = Endpoints("models", role="managed")

REFUSED = (
    ("POST", "/models"),
    ("PUT", "/models/{name}/{version}/artifact"),
    ("DELETE", "/models/{name}/{version}"),
    ("POST", "/models/{name}/{version}/retry"),
    ("POST", "/Model"),
    ("PUT", "/UploadModelBlob"),
)


async def refuse(request: web.Request) -> NoReturn:
    """Refused: the models of this node are managed by its hub."""
    hub = request.app[NODE].hub_url
    raise Conflict(
        f"the models of this node are managed by its hub; ask that: {hub}{request.path}, or "
        f"`edge-aiops model ... --url {hub}`"
    )


for _method, _path in REFUSED:
    getattr(ENDPOINTS, _method.lower())(_path)(refuse)
