"""What a node has in memory."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.serving.loaded import LoadedModel

ENDPOINTS = Endpoints("models in memory", role="node")


class VersionQuery(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which version; the one that answers predictions if left out."""

    model_version: str | None = None


@ENDPOINTS.get("/models/loaded", answer=list[LoadedModel])
async def loaded_models(request: web.Request) -> list[LoadedModel]:
    """The models in memory, most recently used last; then those that are being loaded."""
    return request.app[NODE].engine.loaded()


@ENDPOINTS.post("/models/{name}/load", query=VersionQuery, answer=LoadedModel)
async def load_model(request: web.Request, query: VersionQuery) -> LoadedModel:
    """Load a model before the first request needs it."""
    return await request.app[NODE].engine.load(request.match_info["name"], query.model_version)


@ENDPOINTS.post("/models/{name}/unload", query=VersionQuery, answer=list[LoadedModel])
async def unload_model(request: web.Request, query: VersionQuery) -> list[LoadedModel]:
    """Give a model's memory back. It is loaded again when it is next needed. Answers what is still in memory."""
    engine = request.app[NODE].engine
    engine.unload(request.match_info["name"], query.model_version)
    return engine.loaded()
