"""The last five minutes of a model."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from edge_aiops.base.errors import UnknownModel
from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.observe.realtime import RealtimeMetrics

ENDPOINTS = Endpoints("monitoring", role="node")


class RealtimeAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The sliding window of each version of a model."""

    model_name: str
    versions: list[RealtimeMetrics]


@ENDPOINTS.get("/monitoring/metrics/{name}/realtime", answer=RealtimeAnswer)
async def realtime_metrics(request: web.Request) -> RealtimeAnswer:
    """The last five minutes of each version of a model, as of now; one without requests has counts of 0."""
    name, monitoring = request.match_info["name"], request.app[NODE].monitoring
    await monitoring.observer.catch_up()
    known = [version for model, version in monitoring.models if model == name]
    versions = monitoring.realtime.snapshot(name, known)
    if not versions:
        raise UnknownModel(f"this node has no model {name!r}; GET /monitoring/metrics lists those that it has")
    return RealtimeAnswer(model_name=name, versions=versions)


@ENDPOINTS.get("/monitoring/realtime", answer=list[RealtimeMetrics])
async def realtime_of_all(request: web.Request) -> list[RealtimeMetrics]:
    """The last five minutes of every model version that this node serves, as of now."""
    monitoring = request.app[NODE].monitoring
    await monitoring.observer.catch_up()
    versions: dict[str, list[str]] = {}
    for name, version in (*monitoring.models, *monitoring.realtime.models()):
        versions.setdefault(name, []).append(version)
    return [metrics for name in sorted(versions) for metrics in monitoring.realtime.snapshot(name, versions[name])]
