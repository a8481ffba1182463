"""The connections of a server: how many there may be, and how long a slow client is waited for.

A client that is slow harms only itself. It gets a bounded time for its headers, for its body (see `json` and `body`)
and for taking its answer, and is not read from while it does not take what it was answered. Over
`http.max_connections`, a few more are accepted for health checks alone, and the rest is told to come again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.log import access_logger

from edge_aiops.base.errors import Overloaded
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import problems
from edge_aiops.http.direct import DirectAnswers, DirectHandler

HEADERS_TIMEOUT_S = 15.0
"""How long a new connection may take to send the headers of its first request."""
KEEPALIVE_TIMEOUT_S = 75.0
"""How long a connection may wait for its next request, headers included."""
HEALTH_PATHS = frozenset({"/livez", "/readyz", "/status", "/metrics", "/v2/health/live", "/v2/health/ready"})
SURPLUS = 32
"""Connections over `http.max_connections` that may ask for these."""
LEAST_BYTES = 64 * 1024
"""What a client must take of its answer within `http.write_timeout`, or all of it."""
_LOOKS = 4
"""How often in that time it is looked at."""
_REFUSED_FOR_S = 2.0
"""How long a refused client has to read why."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connections:
    """All open connections of one server."""

    def __init__(
        self, server: web.Server, settings: HttpSettings, direct: Mapping[str, DirectAnswers], *, access_log: bool
    ) -> None:
        self.server = server
        self.settings = settings
        # aiohttp takes None for no access log, which its annotation does not say.
        self.access_log: logging.Logger = access_logger if access_log else None  # type: ignore[assignment]
        # What is answered directly leaves no line in aiohttp's access log.
        self.direct = {} if access_log else direct
        self.open: set[Connection] = set()

    def __call__(self) -> Connection:
        """A connection that is about to be made."""
        return Connection(self)

    async def patrol(self) -> None:
        """End those that do not take their answers, for ever."""
        while True:
            await asyncio.sleep(self.settings.write_timeout / _LOOKS)
            now = asyncio.get_running_loop().time()
            for connection in list(self.open):
                connection.end_if_stuck(now)

    def refusal(self, path: str = "/") -> web.Response:
        """The answer to what is too much."""
        response = problems.from_error(
            Overloaded(f"{self.settings.max_connections} connections are open already (http.max_connections)"),
            path=path,
        )
        response.force_close()
        return response


class Connection(DirectHandler):
    """A connection that answers what is no HTTP as problem+json, and that does not wait for ever."""

    __slots__ = ("_all", "_handle", "_headers_due", "_stuck_since", "_surplus", "_unsent", "_wire")

    def __init__(self, all_: Connections) -> None:
        super().__init__(
            all_.server,
            all_.direct,
            loop=asyncio.get_running_loop(),
            access_log=all_.access_log,
            keepalive_timeout=KEEPALIVE_TIMEOUT_S,
        )
        self._all = all_
        self._handle: Handler = all_.server.request_handler
        self._request_handler = self._answered  # there is no public name for it
        self._surplus = False
        self._headers_due: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        self._unsent = 0
        self._stuck_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        most = self._all.settings.max_connections
        if len(self._all.open) >= most + SURPLUS:
            self._refuse(transport)
            return
        self._surplus = len(self._all.open) >= most
        if self._surplus:
            self._direct = {}
        self._all.open.add(self)
        self._wire = transport
        super().connection_made(transport)
        self._headers_due = self._loop.call_later(HEADERS_TIMEOUT_S, self._close_if_unheard)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._all.open.discard(self)
        if self._headers_due is not None:
            self._headers_due.cancel()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    def end_if_stuck(self, now: float) -> None:
        """End the connection if its client has taken too little of what it was sent for too long."""
        assert self._wire is not None
        unsent = self._wire.get_write_buffer_size()
        if not unsent:
            self._stuck_since = None
        elif self._stuck_since is None or self._unsent - unsent >= LEAST_BYTES:
            self._unsent, self._stuck_since = unsent, now
        elif now - self._stuck_since >= self._all.settings.write_timeout:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already, so that no other can be sent")
        if status < 500:
            response = problems.problem(status, "invalid_input", " ".join((message or "this is no HTTP").split()))
        else:
            response = problems.from_bug(exc, path=request.path)
        response.force_close()
        return response

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.writing_paused:
            # Who sends request after request and takes no answer would fill the memory with answers.
            await self._drain_helper()
        if self._surplus and request.path not in HEALTH_PATHS:
            return self._all.refusal(request.path)
        try:
            response = await self._handle(request)
        except web.HTTPException as error:  # raised before our middleware: an Expect that nobody knows
            response = problems.from_http(error, path=request.path)
            response.force_close()
        if self._surplus:
            response.force_close()
        return response

    def _refuse(self, transport: asyncio.Transport) -> None:
        response = self._all.refusal()
        assert isinstance(response.body, bytes)
        lines = [
            f"HTTP/1.1 {response.status} {response.reason}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
            f"Content-Length: {len(response.body)}",
            "Connection: close",
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode("ascii") + response.body)
        self.force_close()  # so that nothing is made of what it sends
        transport.write_eof()
        self._loop.call_later(_REFUSED_FOR_S, transport.abort)

    def _close_if_unheard(self) -> None:
        if not self._request_count:  # there is no public name for it
            self.force_close()
