"""Baselines: what the data of a model should look like."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct, field

from edge_aiops.http import json
from edge_aiops.http.body import body_chunks
from edge_aiops.http.endpoint import NODE, SETTINGS, Created, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.observe.baselines.dataset.request import DatasetRequest, format_of
from edge_aiops.observe.baselines.making import BaselineMaking, Of
from edge_aiops.observe.baselines.shown import BaselineDetails, BaselineOverview, details, overview

ENDPOINTS = Endpoints("monitoring", role="node")

Bins = Annotated[int, Meta(ge=2, le=256)]
Column = Annotated[str, Meta(min_length=1)]
Description = Annotated[str, Meta(max_length=1_000)]


class DatasetQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the body is and which of its columns are no features; lists are separated by commas."""

    model_version: str | None = None
    prediction_column: Column | None = None
    confidence_column: Column | None = None
    outcome_column: Column | None = None
    ignore: str = ""
    categorical: str = ""
    bins: Bins = 64
    description: Description = ""
    format: Literal["csv", "jsonl", "parquet"] | None = None


class SpanRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The span of production to freeze, in milliseconds since the epoch; `to` is the first moment after it."""

    from_ms: Moment = field(name="from")
    until_ms: Moment = field(name="to")
    model_version: str | None = None
    description: Description = ""
    bins: Bins = 64


_SPAN = msgspec.json.Decoder(SpanRequest)


@ENDPOINTS.post(
    "/monitoring/baselines/{modelName}",
    query=DatasetQuery,
    documented=SpanRequest,
    upload=True,
    answer=BaselineOverview,
    status=201,
)
async def create_baseline(request: web.Request, query: DatasetQuery) -> Created:
    """Make a baseline: of a dataset, which is the body as CSV, JSON lines or Parquet; or, with a JSON body, of a span
    of production. It is in force from then on."""
    making, name = _making(request), request.match_info["modelName"]
    settings = request.app[SETTINGS].http
    if request.content_type == "application/json" and query.format is None:
        span = json.decoded(await json.body_bytes(request, settings), _SPAN, settings)
        await request.app[NODE].monitoring.catch_up()
        of = Of(model_name=name, model_version=span.model_version, description=span.description)
        made = await making.of_span(of, span.from_ms, span.until_ms, bins=span.bins)
    else:
        wanted = DatasetRequest(
            format=format_of(request.content_type, query.format),
            prediction_column=query.prediction_column,
            confidence_column=query.confidence_column,
            outcome_column=query.outcome_column,
            ignore=_listed(query.ignore),
            categorical=_listed(query.categorical),
            bins=query.bins,
        )
        of = Of(model_name=name, model_version=query.model_version, description=query.description)
        made = await making.of_dataset(of, wanted, body_chunks(request), max_bytes=settings.max_upload_bytes)
    return Created(overview(made.heading, in_force=making.is_in_force(made)))


@ENDPOINTS.get("/monitoring/baselines/{modelName}", answer=list[BaselineOverview])
async def list_baselines(request: web.Request) -> list[BaselineOverview]:
    """The baselines of a model, the newest first."""
    making = _making(request)
    found = await making.of_model(request.match_info["modelName"])
    return [overview(baseline, in_force=making.is_in_force(baseline)) for baseline in found]


@ENDPOINTS.get("/monitoring/baselines/{modelName}/{number}", answer=BaselineDetails)
async def get_baseline(request: web.Request) -> BaselineDetails:
    """One baseline, with the distribution of each feature."""
    making = _making(request)
    found = await making.get(request.match_info["modelName"], request.match_info["number"])
    return await asyncio.to_thread(details, found, in_force=making.is_in_force(found))


@ENDPOINTS.delete("/monitoring/baselines/{modelName}/{number}", answer=BaselineOverview)
async def delete_baseline(request: web.Request) -> BaselineOverview:
    """Delete a baseline; the one before it is in force again. Answers what was deleted."""
    gone = await _making(request).delete(request.match_info["modelName"], request.match_info["number"])
    return overview(gone.heading, in_force=False)


def _making(request: web.Request) -> BaselineMaking:
    return request.app[NODE].monitoring.baseline_making


def _listed(names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names.split(",") if name))
