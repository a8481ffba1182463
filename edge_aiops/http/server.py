"""Listens: binds the address first, so that what starts next can be told it, and stops within a deadline."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http.connections import SURPLUS, Connections
from edge_aiops.http.endpoint import DIRECT

SHUTDOWN_TIMEOUT_S = 10.0
_BACKLOG = 1_024
_OTHER_FILES = 256
"""Of databases, models and the like."""

logger = logging.getLogger(__name__)


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
async def listening(
    app: web.Application, sock: socket.socket, settings: HttpSettings, *, access_log: bool
) -> AsyncIterator[None]:
    """Serve `app` on `sock` while the context lasts; then finish the requests under way."""
    _allow_files(settings.max_connections + SURPLUS + _OTHER_FILES)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    assert runner.server is not None
    connections = Connections(runner.server, settings, app[DIRECT], access_log=access_log)
    patrol = asyncio.create_task(connections.patrol())
    try:
        server = await asyncio.get_running_loop().create_server(connections, sock=sock, backlog=_BACKLOG)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()
        patrol.cancel()
        await asyncio.wait([patrol])


def _allow_files(number: int) -> None:
    """Have the system let this process open so many files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < number:
        logger.warning(
            "the system allows %d open files, too few for http.max_connections: raise the limit (ulimit -n) to %d",
            allowed,
            number,
        )
