"""Where nodes push what they have counted; see docs/fleet/protocol.md."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.base.settings import HttpSettings
from edge_aiops.fleet.hub.checks import check
from edge_aiops.fleet.hub.sessions import Caller
from edge_aiops.fleet.messages.push import MEDIA_TYPE, MOST_BODY_BYTES, Push, Pushed, WentBack
from edge_aiops.http import json
from edge_aiops.http.direct import Direct
from edge_aiops.http.endpoint import CALLER, HUB, SETTINGS, Endpoints, bearer_of
from edge_aiops.http.problems import MEDIA_TYPE as PROBLEM
from edge_aiops.http.problems import Problem

ENDPOINTS = Endpoints("fleet", role="hub")

_AT_ONCE_BYTES = 64 * 1024
"""Up to this size a push is read on the event loop; to hand it to a thread would take longer."""

_DECODER = msgspec.msgpack.Decoder(Push)


class WentBackProblem(Problem, frozen=True, kw_only=True, omit_defaults=True):
    """The hub was restored from a backup: push again what is above these cursors."""

    fleet: WentBack


def _shown(said: Pushed | WentBack | web.Response) -> Pushed | web.Response:
    if not isinstance(said, WentBack):
        return said
    problem = WentBackProblem(
        type="urn:edge-aiops:went_back",
        title="Conflict",
        status=409,
        detail="this hub has less than it acknowledged, it was restored from a backup; push again from these cursors",
        code="went_back",
        fleet=said,
    )
    return web.Response(body=msgspec.json.encode(problem), status=409, content_type=PROBLEM)


def _begin(app: web.Application, headers: Mapping[str, str], body: bytes) -> asyncio.Future[Any]:
    bearer = bearer_of(headers)
    if len(body) > _AT_ONCE_BYTES or (caller := app[HUB].enrolment.sessions.known(bearer)) is None:
        return asyncio.ensure_future(_checked(app, bearer, headers, body))
    _check_type(headers)
    return app[HUB].ingest.submit(caller.node_id, _read(body), session=caller.session)


async def _checked(app: web.Application, bearer: str, headers: Mapping[str, str], body: bytes) -> Pushed | web.Response:
    caller = await app[HUB].enrolment.sessions.check(bearer)
    _check_type(headers)
    return await _taken_in(app, caller, body)


@ENDPOINTS.post("/fleet/push", caller="node", upload=True, answer=Pushed, direct=Direct(_begin, _shown))
async def push(request: web.Request) -> Pushed | web.Response:
    """Windows and records of a node, as msgpack; gzip and deflate are understood. The answer comes when all of it is
    on disk. 409 says that the hub has less than the node was told, and how much it has."""
    _check_type(request.headers)
    return await _taken_in(request.app, request[CALLER], await _body(request))


async def _taken_in(app: web.Application, caller: Caller, body: bytes) -> Pushed | web.Response:
    pushed = _read(body) if len(body) <= _AT_ONCE_BYTES else await asyncio.to_thread(_read, body)
    return _shown(await app[HUB].ingest.push(caller.node_id, pushed, session=caller.session))


def _check_type(headers: Mapping[str, str]) -> None:
    given = headers.get("Content-Type", "nothing").partition(";")[0].strip().lower()
    if given != MEDIA_TYPE:
        raise InvalidInput(f"the body must be {MEDIA_TYPE}, not {given}")


async def _body(request: web.Request) -> bytes:
    """The body without its compression, of which no more is undone than may come."""
    settings: HttpSettings = request.app[SETTINGS].http
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_timeout):
            while part := await request.content.readany():
                size += len(part)
                if size > MOST_BODY_BYTES:
                    raise TooLarge(f"the push is larger than {MOST_BODY_BYTES} bytes; push fewer rows at a time")
                parts.append(part)
    except TimeoutError:
        # Not 400: there is nothing wrong with the rows, so the node must not set them apart.
        late = f"the push did not arrive within {settings.body_timeout} (http.body_timeout)"
        raise web.HTTPRequestTimeout(text=late) from None
    except web.RequestPayloadError as error:
        raise json.unreadable(error) from error
    return b"".join(parts)


def _read(body: bytes) -> Push:
    try:
        pushed = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise json.invalid(error) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the push is not msgpack: {error}") from error
    check(pushed)
    return pushed
