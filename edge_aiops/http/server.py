"""Listens: binds the address first, so that what starts next can be told it, and stops within a deadline."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web
from aiohttp.log import access_logger

from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import problems
from edge_aiops.http.direct import DirectAnswers, DirectHandler
from edge_aiops.http.endpoint import DIRECT

SHUTDOWN_TIMEOUT_S = 10.0
HEADERS_TIMEOUT_S = 15.0
"""How long a new connection may take to send the headers of its first request."""
KEEPALIVE_TIMEOUT_S = 75.0
"""How long a connection may wait for its next request, headers included."""
_BACKLOG = 1_024


def bound_socket(settings: HttpSettings) -> socket.socket:
    """A socket at `http.host` and `http.port`, not yet listening. Raises `SettingsError` where it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; choose another with --port"
        ) from error
    return sock


def url_of(sock: socket.socket) -> str:
    """The address by which this machine reaches the socket."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def listening(app: web.Application, sock: socket.socket, *, access_log: bool) -> AsyncIterator[None]:
    """Serve `app` on `sock` while the context lasts; then finish the requests under way."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    assert runner.server is not None
    # What is answered directly leaves no line in aiohttp's access log.
    logger, direct = (access_logger, {}) if access_log else (None, app[DIRECT])
    connected = partial(_Connection, runner.server, direct, logger)
    try:
        server = await asyncio.get_running_loop().create_server(connected, sock=sock, backlog=_BACKLOG)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()


class _Connection(DirectHandler):
    """A connection that answers what is no HTTP as problem+json, and that does not wait for ever for headers."""

    __slots__ = ("_headers_due",)

    def __init__(
        self, server: web.Server, direct: Mapping[str, DirectAnswers], access_log: logging.Logger | None
    ) -> None:
        # aiohttp takes None for no access log, which its annotation does not say.
        super().__init__(
            server,
            direct,
            loop=asyncio.get_running_loop(),
            access_log=access_log,
            keepalive_timeout=KEEPALIVE_TIMEOUT_S,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._headers_due = asyncio.get_running_loop().call_later(HEADERS_TIMEOUT_S, self._close_if_unheard)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._headers_due.cancel()
        super().connection_lost(exc)

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

    def _close_if_unheard(self) -> None:
        if not self._request_count:  # there is no public name for it
            self.force_close()
