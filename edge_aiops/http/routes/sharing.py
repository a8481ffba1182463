"""Model files that a node gives to its neighbours."""

from __future__ import annotations

from aiohttp import web

from edge_aiops.base.errors import NotFound
from edge_aiops.http import artifacts
from edge_aiops.http.endpoint import NODE, Endpoints

ENDPOINTS = Endpoints("fleet", role="managed")


@ENDPOINTS.get("/artifacts/{sha256}", media_type="application/octet-stream")
async def artifact(request: web.Request) -> web.StreamResponse:
    """A model file of this node by its digest, or a range of it, where `fleet.share_artifacts` is set; who asks
    verifies it."""
    sha256 = request.match_info["sha256"]
    path = request.app[NODE].shared_artifact(sha256)
    if path is None:
        raise NotFound("this node has no such artifact, or gives none away (fleet.share_artifacts)")
    return artifacts.file(path, sha256)
