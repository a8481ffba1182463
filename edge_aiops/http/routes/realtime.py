"""How models do just now."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.observe.overview import Overview, realtime_of
from edge_aiops.observe.realtime import RealtimeMetrics

ENDPOINTS = Endpoints("monitoring", role="node")


class OverviewQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Of which model; of all if left out."""

    model_name: str | None = None


class RealtimeAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The sliding window of each version of a model."""

    model_name: str
    versions: list[RealtimeMetrics]


@ENDPOINTS.get("/monitoring/metrics/{modelName}/realtime", answer=RealtimeAnswer)
async def realtime_metrics(request: web.Request) -> RealtimeAnswer:
    """The last five minutes of each version of a model, as of now; one without requests has counts of 0."""
    name = request.match_info["modelName"]
    return RealtimeAnswer(model_name=name, versions=await realtime_of(request.app[NODE].monitoring, name))


@ENDPOINTS.get("/monitoring/overview", query=OverviewQuery, answer=Overview)
async def overview_of_models(request: web.Request, query: OverviewQuery) -> Overview:
    """What one looks at first: the last five minutes of each model version, its drift and quality, firing alerts."""
    return await request.app[NODE].measuring.overview(query.model_name)
