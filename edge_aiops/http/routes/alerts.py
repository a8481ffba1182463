"""Alerts: what is wrong, and who has seen it."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.observe.alerts.alert import Alert, AlertPage, Status
from edge_aiops.observe.alerts.records import AlertFilter
from edge_aiops.observe.alerts.rule import Severity

ENDPOINTS = Endpoints("alerts", role="node")


class AlertQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which alerts, and how many."""

    model_name: str | None = None
    severity: Severity | None = None
    status: Status | Literal["active"] | None = None
    acknowledged: bool | None = None
    cursor: Annotated[str, Meta(max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Acknowledgement(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Who has seen an alert."""

    acknowledged_by: Annotated[str, Meta(min_length=1, max_length=128)]
    note: Annotated[str, Meta(max_length=2_000)] | None = None


@ENDPOINTS.get("/monitoring/alerts", query=AlertQuery, answer=AlertPage)
async def list_alerts(request: web.Request, query: AlertQuery) -> AlertPage:
    """Alerts, newest first, in pages: send `nextCursor` as `cursor` for the next.

    `status=active` means pending or firing.
    """
    wanted = AlertFilter(
        model_name=query.model_name, severity=query.severity, status=query.status, acknowledged=query.acknowledged
    )
    return await request.app[NODE].monitoring.alerts.page(wanted, cursor=query.cursor, limit=query.limit)


@ENDPOINTS.get("/monitoring/alerts/{id}", answer=Alert)
async def get_alert(request: web.Request) -> Alert:
    """One alert."""
    return await request.app[NODE].monitoring.alerts.get(request.match_info["id"])


@ENDPOINTS.post("/monitoring/alerts/{id}/acknowledge", body=Acknowledgement, answer=Alert)
async def acknowledge_alert(request: web.Request, body: Acknowledgement) -> Alert:
    """Note that somebody has seen an alert: it is not repeated any more. Saying so twice changes nothing."""
    return await request.app[NODE].monitoring.alerts.acknowledge(
        request.match_info["id"], by=body.acknowledged_by, note=body.note
    )
