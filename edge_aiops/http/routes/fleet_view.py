"""The fleet as a whole: metrics, drift, quality, outliers and alerts of any part of it; see docs/fleet/view.md."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.view.alerts import FleetAlert
from edge_aiops.fleet.hub.view.answers import DriftAnswer, MetricsAnswer, OutliersAnswer, QualityAnswer
from edge_aiops.fleet.hub.view.selection import MOST_NODES, Selection, labels_of, span_of
from edge_aiops.fleet.hub.view.status import FleetStatus
from edge_aiops.http.endpoint import HUB, SETTINGS, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.observe.alerts.alert import Status
from edge_aiops.observe.alerts.rule import Severity
from edge_aiops.observe.granularity import Granularity

ENDPOINTS = Endpoints("fleet", role="hub")

Share = Annotated[float, Meta(gt=0, lt=1)]


class SelectionQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which nodes and which span: by default all nodes, and the last 24 hours. `label` and `node` may be repeated."""

    model_version: str | None = None
    group: str | None = None
    label: Annotated[str, Meta(description="name=value; several with commas, or repeated: all of them")] | None = None
    node: Annotated[str, Meta(description="id of a node; repeated: any of them")] | None = None
    since: Moment | None = None
    until: Moment | None = None
    last: Annotated[str, Meta(description="how far back, such as 24h or 7d; instead of since")] | None = None


class MetricsQuery(SelectionQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """As above, and how wide the windows of the series are."""

    granularity: Granularity = "hourly"


class QualityQuery(SelectionQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """As above, and which baseline."""

    baseline: Annotated[str, Meta(description="SHA-256; else the one of most rows")] | None = None


class DriftQuery(QualityQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """As above, and how it is decided."""

    alpha: Annotated[Share, Meta(description="false discovery rate over the features")] = 0.05
    min_effect: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="least index; by default hub.drift_min_effect")
    ] = None
    one_look: Annotated[bool, Meta(description="the span alone decides, once")] = False
    evidence_since: Annotated[Moment | None, Meta(description="when the evidence begins")] = None


class OutliersQuery(QualityQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """As above, and what counts."""

    alpha: Annotated[Share, Meta(description="share of false ones among those found, at most")] = 0.05
    min_effect: Annotated[float, Meta(ge=0, description="least index of a feature")] = 0.1
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 50


class AlertsQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which alerts: those that changed in the last 7 days, where nothing else is said."""

    model_name: str | None = None
    severity: Severity | None = None
    status: Status | None = None
    group: str | None = None
    label: Annotated[str, Meta(description="name=value; several with commas, or repeated: all of them")] | None = None
    node: Annotated[str, Meta(description="id of a node; repeated: any of them")] | None = None
    since: Moment | None = None
    last: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class FleetAlerts(Struct, frozen=True, kw_only=True, rename="camel"):
    """Alerts, newest first."""

    alerts: list[FleetAlert]
    found: int
    """How many there are, those beyond `limit` too."""


@ENDPOINTS.get("/fleet/status", answer=FleetStatus)
async def status(request: web.Request) -> FleetStatus:
    """The fleet in numbers, and the nodes to look after."""
    hub = request.app[HUB]
    silent_after_ms = round(request.app[SETTINGS].hub.silent_after * 1000)
    return await hub.view.status(await hub.registry.generation(), silent_after_ms)


@ENDPOINTS.get("/fleet/metrics/{modelName}", query=MetricsQuery, answer=MetricsAnswer)
async def metrics(request: web.Request, query: MetricsQuery) -> MetricsAnswer:
    """How a model performs on all nodes together, or on some: by version, and over time."""
    return await request.app[HUB].view.metrics(_selection(request, query), query.granularity)


@ENDPOINTS.get("/fleet/drift/{modelName}", query=DriftQuery, answer=DriftAnswer)
async def drift(request: web.Request, query: DriftQuery) -> DriftAnswer:
    """Whether a model has drifted on all nodes together, or on some. A span that ends before now, with `until`, is
    decided by itself, as is one with `oneLook`."""
    min_effect = request.app[SETTINGS].hub.drift_min_effect if query.min_effect is None else query.min_effect
    return await request.app[HUB].view.drift(
        _selection(request, query),
        alpha=query.alpha,
        min_effect=min_effect,
        one_look=query.one_look or query.until is not None,
        evidence_since=query.evidence_since,
        baseline=query.baseline,
    )


@ENDPOINTS.get("/fleet/quality/{modelName}", query=QualityQuery, answer=QualityAnswer)
async def quality(request: web.Request, query: QualityQuery) -> QualityAnswer:
    """The quality of the data that a model gets on all nodes together, or on some."""
    return await request.app[HUB].view.quality(_selection(request, query), baseline=query.baseline)


@ENDPOINTS.get("/fleet/outliers/{modelName}", query=OutliersQuery, answer=OutliersAnswer)
async def outliers(request: web.Request, query: OutliersQuery) -> OutliersAnswer:
    """Which nodes differ from the others: by features, error rate, latency and accuracy."""
    return await request.app[HUB].view.outliers(
        _selection(request, query, by_node=True),
        alpha=query.alpha,
        min_effect=query.min_effect,
        limit=query.limit,
        baseline=query.baseline,
    )


@ENDPOINTS.get("/fleet/alerts", query=AlertsQuery, answer=FleetAlerts)
async def alerts(request: web.Request, query: AlertsQuery) -> FleetAlerts:
    """Alerts of nodes, and the hub's own, each as it stands now."""
    asked = SelectionQuery(group=query.group, since=query.since, last=query.last or (None if query.since else "7d"))
    found = await request.app[HUB].view.alerts(_selection(request, asked, model_name=query.model_name))
    wanted = [
        alert for alert in found if query.severity in (None, alert.severity) and query.status in (None, alert.status)
    ]
    return FleetAlerts(alerts=wanted[: query.limit], found=len(wanted))


def _selection(
    request: web.Request, query: SelectionQuery, *, model_name: str | None = None, by_node: bool = False
) -> Selection:
    labels, nodes = labels_of(request.query.getall("label", [])), tuple(request.query.getall("node", []))
    if len(nodes) > MOST_NODES:
        raise InvalidInput.of("node", f"{len(nodes)} are more than {MOST_NODES}; select them by label or group")
    span = span_of(
        query.since,
        query.until,
        query.last,
        now_ms=request.app[HUB].view.now_ms,
        by_node=by_node or bool(labels or nodes),
        hours_kept_ms=round(request.app[SETTINGS].hub.hours_max_age * 1000),
    )
    return Selection(
        model_name=request.match_info.get("modelName", model_name),
        model_version=query.model_version,
        group=query.group,
        labels=labels,
        nodes=nodes,
        **span._asdict(),
    )
