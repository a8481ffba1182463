"""The model repository of the Open Inference Protocol, and what of Triton's other extensions there is to say."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, NotFound
from edge_aiops.http.endpoint import NODE, SETTINGS, Endpoints
from edge_aiops.http.oip import parameters
from edge_aiops.http.oip.messages import IndexedModel, IndexRequest, RepositoryRequest
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine

ENDPOINTS = Endpoints("open inference protocol", role="node")

_LEVELS = ("error", "warning", "info", "debug")


@ENDPOINTS.post("/v2/repository/index", body=IndexRequest, optional=True, answer=list[IndexedModel])
async def index(request: web.Request, body: IndexRequest) -> list[IndexedModel]:
    """Every model version of this node, and whether it can answer."""
    engine = request.app[NODE].engine
    deployments = sorted(engine.deployments, key=lambda deployment: (deployment.name, deployment.deployment_version))
    found = await asyncio.gather(*(_indexed(engine, deployment) for deployment in deployments))
    return [model for model in found if model.state == "READY" or not body.ready]


@ENDPOINTS.post("/v2/repository/models/{name}/load", body=RepositoryRequest, optional=True, answer=dict[str, Any])
async def load(request: web.Request, body: RepositoryRequest) -> dict[str, Any]:
    """Load the version of a model that answers, before the first request needs it."""
    parameters.refuse_overrides(body.parameters or {})
    await request.app[NODE].engine.load(request.match_info["name"])
    return {}


@ENDPOINTS.post("/v2/repository/models/{name}/unload", body=RepositoryRequest, optional=True, answer=dict[str, Any])
async def unload(request: web.Request, body: RepositoryRequest) -> dict[str, Any]:
    """Give the memory of all versions of a model back. One is loaded again when it is next needed."""
    engine, name = request.app[NODE].engine, request.match_info["name"]
    engine.choose(name)
    for deployment in engine.deployments:
        if deployment.name == name:
            engine.unload(name, deployment.version)
    return {}


@ENDPOINTS.get("/v2/logging", answer=dict[str, Any])
async def log_settings(request: web.Request) -> dict[str, Any]:
    """What is logged, in Triton's words."""
    shown = _LEVELS.index(request.app[SETTINGS].log.level)
    levels = {f"log_{level}": place <= shown for place, level in enumerate(_LEVELS[:3])}
    return {"log_file": "", **levels, "log_verbose_level": int(shown == len(_LEVELS) - 1), "log_format": "default"}


@ENDPOINTS.get("/v2/trace/setting", answer=dict[str, Any])
@ENDPOINTS.get("/v2/models/{name}/trace/setting", answer=dict[str, Any])
async def trace_settings(request: web.Request) -> dict[str, Any]:
    """What is traced: nothing, because every inference is an event anyway."""
    if "name" in request.match_info:
        request.app[NODE].engine.choose(request.match_info["name"])
    return {"trace_level": ["OFF"]}


async def shared_memory(request: web.Request) -> list[Any]:
    """The regions of shared memory that are registered: none."""
    return []


async def shared_memory_region(request: web.Request) -> None:
    """Not found: there is no shared memory with clients."""
    raise NotFound(f"there is no region {request.match_info['region'][:100]!r}; {parameters.NO_SHARED_MEMORY}")


@ENDPOINTS.post("/v2/logging")
async def change_logging(request: web.Request) -> None:
    """Refused: what is logged is set before the start."""
    raise InvalidInput("logging cannot be changed while the server runs; set log.level before it starts")


@ENDPOINTS.post("/v2/trace/setting")
@ENDPOINTS.post("/v2/models/{name}/trace/setting")
async def change_tracing(request: web.Request) -> None:
    """Refused: there is no tracing."""
    raise InvalidInput("there is no tracing to set; every inference is an event, see GET /events")


async def change_shared_memory(request: web.Request) -> None:
    """Refused: there is no shared memory with clients."""
    raise InvalidInput(parameters.NO_SHARED_MEMORY)


for _folder in ("/v2/systemsharedmemory", "/v2/cudasharedmemory"):
    ENDPOINTS.get(f"{_folder}/status", answer=list[Any])(shared_memory)
    ENDPOINTS.get(f"{_folder}/region/{{region}}/status")(shared_memory_region)
    ENDPOINTS.post(f"{_folder}/region/{{region}}/register")(change_shared_memory)
    ENDPOINTS.post(f"{_folder}/region/{{region}}/unregister")(change_shared_memory)
    ENDPOINTS.post(f"{_folder}/unregister")(change_shared_memory)


async def _indexed(engine: Engine, deployment: Deployment) -> IndexedModel:
    state, reason = "READY", ""
    try:
        await engine.check(deployment.name, deployment.version)
    except EdgeAiopsError as error:
        state, reason = "UNAVAILABLE", error.message
    return IndexedModel(name=deployment.name, version=deployment.version, state=state, reason=reason)
