"""Where a device becomes a node, and a node shows who it is; see docs/fleet/identity.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from edge_aiops.base.errors import Unauthenticated
from edge_aiops.fleet.messages.identity import (
    Challenge,
    ChallengeRequest,
    Joined,
    JoinRequest,
    Rotated,
    RotateRequest,
    Session,
    SessionRequest,
)
from edge_aiops.http.endpoint import CALLER, HUB, Endpoints

ENDPOINTS = Endpoints("fleet", role="hub")


@ENDPOINTS.post("/fleet/join", body=JoinRequest, answer=Joined)
async def join(request: web.Request, body: JoinRequest) -> Joined:
    """Make a device a node, with a join token. May be repeated: an answer that was lost is given again."""
    with _attempt(request, body.node_id):
        return await request.app[HUB].enrolment.join(body)


@ENDPOINTS.post("/fleet/challenge", body=ChallengeRequest, answer=Challenge)
async def challenge(request: web.Request, body: ChallengeRequest) -> Challenge:
    """What a node must sign to open a session; good for a minute, and for one session."""
    with _attempt(request, body.node_id):
        return await request.app[HUB].enrolment.sessions.challenge(body.node_id)


@ENDPOINTS.post("/fleet/session", body=SessionRequest, answer=Session)
async def session(request: web.Request, body: SessionRequest) -> Session:
    """Open a session of 15 minutes. Send its token as `Authorization: Bearer ...`; after a 401, open another."""
    with _attempt(request, body.node_id):
        return await request.app[HUB].enrolment.sessions.begin(body)


@ENDPOINTS.post("/fleet/rotate", caller="node", body=RotateRequest, answer=Rotated)
async def rotate(request: web.Request, body: RotateRequest) -> Rotated:
    """Put a node's new key in the place of its old one. Its sessions end: open another with the new key."""
    with _attempt(request, request[CALLER].node_id):
        return await request.app[HUB].enrolment.rotate(request[CALLER], body)


@contextmanager
def _attempt(request: web.Request, node_id: str) -> Iterator[None]:
    """Count who fails to show who he is, and refuse who does so too often."""
    attempts, caller = request.app[HUB].enrolment.attempts, (node_id, request.remote or "")
    attempts.check(caller)
    try:
        yield
    except Unauthenticated:
        attempts.failed(caller)
        raise
