"""Notifiers: where alerts are sent to, and what became of that."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.observe.alerts.deliveries import DeliveryFilter, DeliveryPage, DeliveryStatus
from edge_aiops.observe.alerts.outbox import NotifierStatus, TestResult

ENDPOINTS = Endpoints("notifiers", role="node")


class NotifierList(Struct, frozen=True, kw_only=True, rename="camel"):
    """The configured notifiers."""

    notifiers: list[NotifierStatus]


class NotificationQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which notifications, and how many."""

    notifier: str | None = None
    status: DeliveryStatus | None = None
    cursor: Annotated[str, Meta(max_length=18)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


@ENDPOINTS.get("/monitoring/notifiers", answer=NotifierList)
async def list_notifiers(request: web.Request) -> NotifierList:
    """The configured notifiers and how they are. `PUT /monitoring/config` configures them."""
    return NotifierList(notifiers=request.app[NODE].monitoring.outbox.status())


@ENDPOINTS.post("/monitoring/notifiers/{name}/test", answer=TestResult)
async def test_notifier(request: web.Request) -> TestResult:
    """Send a made-up alert to one notifier at once, and say what came of it."""
    return await request.app[NODE].monitoring.outbox.test(request.match_info["name"])


@ENDPOINTS.get("/monitoring/notifications", query=NotificationQuery, answer=DeliveryPage)
async def list_notifications(request: web.Request, query: NotificationQuery) -> DeliveryPage:
    """What was sent to notifiers, newest first, in pages: send `nextCursor` as `cursor` for the next.

    `waiting` is still to be delivered, `dead` was given up.
    """
    wanted = DeliveryFilter(notifier=query.notifier, status=query.status)
    return await request.app[NODE].monitoring.outbox.page(wanted, cursor=query.cursor, limit=query.limit)
