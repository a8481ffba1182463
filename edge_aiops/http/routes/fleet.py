"""What a hub offers its nodes: the state it wants of them, and the files for it."""

from __future__ import annotations

from aiohttp import web

from edge_aiops.fleet.messages.desired import DesiredState
from edge_aiops.http import artifacts
from edge_aiops.http.endpoint import HUB, Endpoints

ENDPOINTS = Endpoints("fleet", role="hub")

_FOR_EVER = "public, max-age=31536000, immutable"


@ENDPOINTS.get("/fleet/desired", caller="node", answer=DesiredState)
async def desired(request: web.Request) -> web.Response:
    """The complete state that a node should be in. Send the ETag of the last one as If-None-Match: 304 says that
    it still holds."""
    wanted = await request.app[HUB].signing.desired()
    headers = {"ETag": f'"{wanted.etag}"', "Content-Type": "application/json"}
    if request.if_none_match and any(tag.value in (wanted.etag, "*") for tag in request.if_none_match):
        return web.Response(status=304, headers={"ETag": headers["ETag"]})
    return web.Response(body=wanted.body, headers=headers)


@ENDPOINTS.get("/fleet/tuf/{name}", caller="node")
async def metadata(request: web.Request) -> web.Response:
    """Signed metadata of The Update Framework: `timestamp.json`, or `snapshot`, `targets` or `root` by version, such as
    `1.root.json`."""
    name = request.match_info["name"]
    body = await request.app[HUB].signing.document(name)
    cached = "no-store" if name == "timestamp.json" else _FOR_EVER
    return web.Response(body=body, headers={"Cache-Control": cached, "Content-Type": "application/json"})


@ENDPOINTS.get("/artifacts/{sha256}", caller="node", media_type="application/octet-stream")
async def artifact(request: web.Request) -> web.StreamResponse:
    """A model file by its digest; it never changes. `Range` and `If-Range` are heeded; the entity tag is the digest.

    With `hub.redirect_artifacts` the answer is 302 with the address of the file in the object store."""
    return await artifacts.answer(request, await request.app[HUB].registry.artifact(request.match_info["sha256"]))
