"""Inference events and feedback."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http import json
from edge_aiops.http.endpoint import NODE, SETTINGS, Endpoints
from edge_aiops.journal.events import EventPage, Feedback, InferenceEvent
from edge_aiops.journal.querying import EventFilter

ENDPOINTS = Endpoints("events", role="node")

Moment = Annotated[int, Meta(ge=0, lt=2**48)]
"""Milliseconds since the epoch, up to the year 10889, as far as an inference id can say."""


class EventQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which events, and how many. Times are milliseconds since the epoch."""

    model_name: str | None = None
    model_version: str | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)
    labelled: bool | None = None
    cursor: Annotated[str, Meta(max_length=18)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class FeedbackRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What became known of an event; what is left out, or null, stays as it was."""

    actual_outcome: Raw = field(default_factory=lambda: Raw(b"null"))
    """Any JSON: a class, a number, or an object such as `{"label": "positive"}`, which may also come as a string."""
    correct: bool | None = None
    """Derived from the outcome where it is left out and the prediction has a class."""
    feedback_timestamp: Moment | None = None
    """Milliseconds since the epoch; now, if left out."""


@ENDPOINTS.get("/events", query=EventQuery, answer=EventPage)
async def list_events(request: web.Request, query: EventQuery) -> EventPage:
    """Inference events, newest first, in pages: send `nextCursor` as `cursor` for the next."""
    wanted = EventFilter(
        model_name=query.model_name,
        model_version=query.model_version,
        from_ms=query.from_ms,
        until_ms=query.until_ms,
        labelled=query.labelled,
    )
    return await request.app[NODE].journal.page(wanted, cursor=query.cursor, limit=query.limit)


@ENDPOINTS.get("/events/{id}", answer=InferenceEvent)
async def get_event(request: web.Request) -> InferenceEvent:
    """One inference event."""
    return await request.app[NODE].journal.get(request.match_info["id"])


@ENDPOINTS.patch("/events/{id}", body=FeedbackRequest, answer=InferenceEvent)
async def label_event(request: web.Request, body: FeedbackRequest) -> InferenceEvent:
    """Feedback: merge what became known into an event. Nothing that was known before is lost."""
    actual: Raw | UnsetType = UNSET
    if bytes(body.actual_outcome) != b"null":
        actual = json.unwrapped(body.actual_outcome, "actualOutcome", request.app[SETTINGS].http)
    if actual is UNSET and body.correct is None:
        raise InvalidInput("send actualOutcome, correct, or both")
    feedback = Feedback(
        actual_outcome=actual,
        correct=UNSET if body.correct is None else body.correct,
        feedback_timestamp=UNSET if body.feedback_timestamp is None else body.feedback_timestamp,
    )
    return await request.app[NODE].journal.label(request.match_info["id"], feedback)
