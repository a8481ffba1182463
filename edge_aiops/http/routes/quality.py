"""Data quality: reports, checks on demand, and what is expected of each feature."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, field

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.observe.quality.report import QualityReport
from edge_aiops.observe.quality.schema import ModelSchema

ENDPOINTS = Endpoints("monitoring", role="node")


class QualityQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which reports, by when they were made, in milliseconds since the epoch."""

    model_version: str | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class QualityAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The quality of the data of a model."""

    latest: list[QualityReport]
    """Of each version, the newest first."""
    history: list[QualityReport]
    """The newest first."""


class QualityCheckRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What to check: all versions and the configured span up to now, where nothing else is said."""

    model_version: str | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)


class VersionQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Of one version, or of all."""

    model_version: str | None = None


@ENDPOINTS.get("/monitoring/quality/{modelName}", query=QualityQuery, answer=QualityAnswer)
async def get_quality(request: web.Request, query: QualityQuery) -> QualityAnswer:
    """The quality of a model's data: the latest report of each version, and earlier ones."""
    monitoring, name = request.app[NODE].monitoring, request.match_info["modelName"]
    latest = await monitoring.quality.latest_by_version(name, query.model_version)
    if not latest:
        await monitoring.known(name, query.model_version)  # raises for an unknown one
    return QualityAnswer(
        latest=latest,
        history=await monitoring.quality.history(
            name, query.model_version, from_ms=query.from_ms, until_ms=query.until_ms, limit=query.limit
        ),
    )


@ENDPOINTS.post(
    "/monitoring/quality/{modelName}/check", body=QualityCheckRequest, optional=True, answer=list[QualityReport]
)
async def check_quality(request: web.Request, body: QualityCheckRequest) -> list[QualityReport]:
    """Check the quality of a model's data now; a report for each version."""
    monitoring, name = request.app[NODE].monitoring, request.match_info["modelName"]
    quality = monitoring.quality
    await monitoring.catch_up()
    return [
        await quality.check(name, version, from_ms=body.from_ms, until_ms=body.until_ms)
        for version in quality.versions(name, body.model_version)
    ]


@ENDPOINTS.get("/monitoring/quality/{modelName}/schema", query=VersionQuery, answer=list[ModelSchema])
async def get_expectations(request: web.Request, query: VersionQuery) -> list[ModelSchema]:
    """What is expected of each feature of a model, and where that comes from; for each version."""
    quality, name = request.app[NODE].monitoring.quality, request.match_info["modelName"]
    return [await quality.schema(name, version) for version in quality.versions(name, query.model_version)]
