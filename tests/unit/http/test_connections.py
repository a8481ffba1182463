"""No more connections than the settings allow."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from edge_aiops.base.settings import HttpSettings, Settings
from edge_aiops.http import connections
from edge_aiops.http.app import application
from edge_aiops.http.server import bound_socket, listening
from edge_aiops.testing.plugins import plugins_of

HEALTH = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
OTHER = b"GET /plugins HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def raw(port: int, request: bytes) -> bytes:
    """What the server answers to these bytes, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_over_the_most_connections_only_health_is_answered_and_soon_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "SURPLUS", 1)
    settings = HttpSettings(port=0, max_connections=2)
    sock = bound_socket(settings)
    port = sock.getsockname()[1]
    app = application(Settings(http=settings), plugins=plugins_of())
    async with listening(app, sock, settings, access_log=False), AsyncExitStack() as held:
        for _ in range(2):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            held.callback(writer.close)
        assert b" 200 " in await raw(port, HEALTH), "it is closed after its answer"
        refused = await raw(port, OTHER)
        assert b" 503 " in refused
        assert b"http.max_connections" in refused
        assert b"Retry-After: 1" in refused

        _, writer = await asyncio.open_connection("127.0.0.1", port)
        held.callback(writer.close)
        refused = await raw(port, HEALTH)
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b'"code":"overloaded"' in refused

        await held.aclose()
        while b" 200 " not in await raw(port, OTHER):  # the server hears of it a moment later
            pass
