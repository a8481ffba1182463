"""Listens: binds the address first, so that what starts next can be told it, and stops within a deadline."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.log import access_logger

from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import HttpSettings

SHUTDOWN_TIMEOUT_S = 10.0
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
    runner = web.AppRunner(
        app,
        access_log=access_logger if access_log else None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, sock, backlog=_BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
