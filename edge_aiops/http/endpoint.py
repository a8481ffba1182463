"""Endpoints: a path, a typed request and a typed answer; the same types make the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from aiohttp import web
from msgspec import Struct

from edge_aiops.base.errors import EdgeAiopsError, Unauthenticated
from edge_aiops.base.settings import Settings
from edge_aiops.http import json, problems
from edge_aiops.http.direct import Direct, DirectAnswers
from edge_aiops.plugin.loader import Plugins

if TYPE_CHECKING:
    # Only their types, so that a process imports no role but its own.
    from edge_aiops.fleet.hub.sessions import Caller
    from edge_aiops.hub.hub import Hub
    from edge_aiops.node import Node

NODE: web.AppKey[Node] = web.AppKey("node")
HUB: web.AppKey[Hub] = web.AppKey("hub")
PLUGINS: web.AppKey[Plugins] = web.AppKey("plugins", Plugins)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
DIRECT: web.AppKey[Mapping[str, DirectAnswers]] = web.AppKey("direct")
"""What connections answer directly, by path."""
OPENAPI: web.AppKey[Callable[[], dict[str, Any]]] = web.AppKey("openapi")
"""Makes the OpenAPI document at the first call."""

CALLER: web.RequestKey[Caller] = web.RequestKey("caller")
"""The node that calls, where an endpoint is for nodes only."""
NODE_ID: web.RequestKey[str] = web.RequestKey("node_id", str)

Role = Literal["node", "hub", "any", "managed"]
"""`managed`: a node without a hub beside it."""
Handler = Callable[..., Awaitable[Any]]


class Endpoint(Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    """Gets the request, then the typed body and the typed query, where they are declared; gives the answer: a
    Struct or another JSON value, `Created` around one, or a `web.StreamResponse`."""
    summary: str
    tag: str
    role: Role
    caller: Literal["anyone", "node"] = "anyone"
    """`node`: whoever calls must have a session of a node; the handler finds it in `request[CALLER]`."""
    body: Any = None
    optional: bool = False
    """Whether no body at all stands for an empty object."""
    documented: Any = None
    """The type of the body for the documentation, where it is decoded as a plain object; of an upload, what its JSON
    body is."""
    direct: Direct | None = None
    """Answers without aiohttp's ceremony, where that counts; the same as `handler` otherwise. It sees itself to who may
    call."""
    query: type[Struct] | None = None
    answer: Any = None
    status: int = 200
    """Of a `Created` answer."""
    media_type: str = "application/json"
    """Of the answer."""
    upload: bool = False
    """Whether the body is raw bytes that the handler streams."""
    compatible: bool = False
    """Whether this is an alias for clients of the system that ours succeeds."""


class Created(NamedTuple):
    """An answer for something new: `content` with the endpoint's own status, where a plain answer means 200."""

    content: object


class Endpoints:
    """The endpoints of one module, declared by decorators; what is given here holds for each."""

    def __init__(self, tag: str, *, role: Role, compatible: bool = False) -> None:
        self._common: dict[str, Any] = {"tag": tag, "role": role, "compatible": compatible}
        self.all: list[Endpoint] = []

    def get(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a GET."""
        return self._declared("GET", path, more)

    def post(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a POST."""
        return self._declared("POST", path, more)

    def put(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT."""
        return self._declared("PUT", path, more)

    def patch(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH."""
        return self._declared("PATCH", path, more)

    def delete(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE."""
        return self._declared("DELETE", path, more)

    def _declared(self, method: str, path: str, more: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip()
            self.all.append(
                Endpoint(method=method, path=path, handler=handler, summary=summary, **(self._common | more))
            )
            return handler

        return declare


def aiohttp_handler(endpoint: Endpoint, settings: Settings) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The endpoint as a handler of aiohttp: decodes, calls, encodes, and turns errors into problems."""
    decoder = msgspec.json.Decoder(endpoint.body) if endpoint.body is not None else None
    encode = msgspec.json.Encoder().encode
    handler, wanted_query, nodes_only = endpoint.handler, endpoint.query, endpoint.caller == "node"
    headers = {"Content-Type": endpoint.media_type}

    async def handle(request: web.Request) -> web.StreamResponse:
        arguments: list[Any] = []
        try:
            if nodes_only:
                await _authenticate(request)
            if decoder is not None:
                body = await json.body_bytes(request, settings.http)
                if endpoint.optional and not body:
                    body = b"{}"
                arguments.append(json.decoded(body, decoder, settings.http))
            if wanted_query is not None:
                arguments.append(json.query(request, wanted_query))
            answer = await handler(request, *arguments)
        except EdgeAiopsError as error:
            refusal = problems.from_error(error, path=request.path)
            if request.content.exception() is not None:
                # Nobody can tell where a damaged body ends. Without the end of file aiohttp would wait for one, and log
                # the damage as an error of ours.
                refusal.force_close()
                request.content.feed_eof()
            return refusal
        if isinstance(answer, web.StreamResponse):
            return answer
        if isinstance(answer, Created):
            return web.Response(body=encode(answer.content), status=endpoint.status, headers=headers)
        return web.Response(body=encode(answer), headers=headers)

    return handle


async def _authenticate(request: web.Request) -> None:
    caller = await request.app[HUB].enrolment.sessions.check(bearer_of(request.headers))
    request[CALLER], request[NODE_ID] = caller, caller.node_id


def bearer_of(headers: Mapping[str, str]) -> str:
    """What a node shows of its session. Raises `Unauthenticated` where there is nothing."""
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer:
        raise Unauthenticated(
            "this is for nodes with a session: send Authorization: Bearer ...; see POST /fleet/session"
        )
    return bearer
