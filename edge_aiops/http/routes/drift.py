"""Drift: results, checks on demand, and a new beginning after a change was taken care of."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, field

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.observe.drift.result import DriftResult, DriftType

ENDPOINTS = Endpoints("monitoring", role="node")


class DriftQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which results, by when they were made, in milliseconds since the epoch."""

    model_version: str | None = None
    drift_type: DriftType | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class DriftAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a model has drifted."""

    latest: list[DriftResult]
    """The newest result of each version and type on the time up to its check."""
    history: list[DriftResult]
    """Results of checks in the span asked for, newest first."""


class DriftCheckRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What to check: all versions, all types that are enabled, and the configured span up to now, where nothing else is
    said. With `from` or `to`, this one span is judged by itself."""

    model_version: str | None = None
    drift_types: list[DriftType] | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)


class DriftRestart(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Of which version; of all, where none is named."""

    model_version: str | None = None


class Restarted(Struct, frozen=True, kw_only=True, rename="camel"):
    """What begins anew."""

    model_name: str
    model_versions: list[str]


@ENDPOINTS.get("/monitoring/drift/{modelName}", query=DriftQuery, answer=DriftAnswer)
async def get_drift(request: web.Request, query: DriftQuery) -> DriftAnswer:
    """Whether a model has drifted: the latest result of each version and type, and earlier ones."""
    monitoring, name = request.app[NODE].monitoring, request.match_info["modelName"]
    latest = await monitoring.drift.latest_of_each(name, query.model_version, query.drift_type)
    if not latest:
        await monitoring.known(name, query.model_version)  # raises for an unknown one
    return DriftAnswer(
        latest=latest,
        history=await monitoring.drift.history(
            name,
            query.from_ms,
            query.until_ms,
            query.drift_type,
            query.limit,
            model_version=query.model_version,
        ),
    )


@ENDPOINTS.post("/monitoring/drift/{modelName}/check", body=DriftCheckRequest, optional=True, answer=list[DriftResult])
async def check_drift(request: web.Request, body: DriftCheckRequest) -> list[DriftResult]:
    """Check now whether a model has drifted; a result for each version and type."""
    monitoring, name = request.app[NODE].monitoring, request.match_info["modelName"]
    versions = await monitoring.known(name, body.model_version)
    await monitoring.flush()
    return await monitoring.drift.check_versions(
        name, versions, from_ms=body.from_ms, until_ms=body.until_ms, drift_types=body.drift_types
    )


@ENDPOINTS.post("/monitoring/drift/{modelName}/restart", body=DriftRestart, optional=True, answer=Restarted)
async def restart_drift(request: web.Request, body: DriftRestart) -> Restarted:
    """Forget the evidence of drift, after a confirmed change was taken care of. The history stays."""
    monitoring, name = request.app[NODE].monitoring, request.match_info["modelName"]
    versions = await monitoring.known(name, body.model_version)
    await monitoring.flush()
    for version in versions:
        await monitoring.drift.restart(name, version)
    return Restarted(model_name=name, model_versions=versions)
