"""Listening, and what happens when a handler fails."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from edge_aiops.base import errors
from edge_aiops.base.settings import HttpSettings, Settings
from edge_aiops.http.app import application
from edge_aiops.http.problems import status_of
from edge_aiops.http.server import bound_socket, listening, url_of
from edge_aiops.testing.plugins import plugins_of


@asynccontextmanager
async def running(handler: object) -> AsyncIterator[str]:
    """A server without roles that calls `handler` for /broken."""
    app = application(Settings(), plugins=plugins_of())
    app.router.add_get("/broken", handler)
    sock = bound_socket(HttpSettings(port=0))
    async with listening(app, sock, HttpSettings(), access_log=False):
        yield url_of(sock)


@pytest.mark.parametrize(
    "kind", [RuntimeError, KeyError, AssertionError, TimeoutError, ValueError, RecursionError, MemoryError, OSError]
)
async def test_a_handler_that_fails_is_a_500_that_tells_the_log_and_not_the_caller(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise kind("the secret")

    async with running(handler) as url, aiohttp.ClientSession() as session:
        with caplog.at_level(logging.ERROR):
            async with session.get(f"{url}/broken") as response:
                status, body = response.status, await response.json(content_type="application/problem+json")
        async with session.get(f"{url}/livez") as response:
            assert response.status == 200
    assert (status, body["status"], body["code"]) == (500, 500, "internal")
    assert "secret" not in str(body)
    assert "Traceback" not in str(body)
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 400),
        (errors.InvalidInput.of("field", "x"), 400),
        (errors.TooLarge("x"), 413),
        (errors.InvalidModel("x"), 422),
        (errors.NotFound("x"), 404),
        (errors.UnknownModel("x"), 404),
        (errors.UnknownEvent("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.Forbidden("x"), 403),
        (errors.Unavailable("x", retry_after_s=2.5), 503),
        (errors.BackendUnavailable("x"), 503),
        (errors.StorageFull("x"), 507),
        (errors.DeadlineExceeded("x"), 504),
        (errors.ModelFailed("x"), 500),
        (errors.StoreError("x"), 500),
        (errors.StoreCorrupt("x"), 500),
        (errors.PluginError("x"), 500),
    ],
)
async def test_an_error_of_ours_is_told_with_its_code(error: errors.EdgeAiopsError, status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise error

    async with running(handler) as url, aiohttp.ClientSession() as session, session.get(f"{url}/broken") as response:
        body = await response.json(content_type="application/problem+json")
    assert (response.status, body["code"], body["detail"]) == (status, error.code, error.message)
    assert status_of(error) == status
    if isinstance(error, errors.Unavailable):
        assert response.headers["Retry-After"] == ("3" if error.retry_after_s == 2.5 else "1")
    if error.fields:
        assert body["errors"] == [{"field": "field", "message": "x"}]


def test_a_taken_address_is_told_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(errors.SettingsError, match="--port"):
        bound_socket(HttpSettings(port=taken.getsockname()[1]))
    with pytest.raises(errors.SettingsError, match="cannot listen"):
        bound_socket(HttpSettings(host="203.0.113.7"))
    with pytest.raises(errors.SettingsError, match="cannot listen"):
        bound_socket(HttpSettings(host="no.such.host.invalid"))


@pytest.mark.parametrize(
    ("host", "start"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_the_address_is_one_by_which_this_machine_reaches_the_server(host: str, start: str) -> None:
    try:
        sock = bound_socket(HttpSettings(host=host, port=0))
    except errors.SettingsError:
        pytest.skip("this machine has no such address")
    with sock:
        assert url_of(sock).startswith(start)


async def test_requests_under_way_are_finished_when_the_server_stops() -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        arrived.set()
        await go_on.wait()
        return web.Response(text="finished")

    async def asked(session: aiohttp.ClientSession, url: str) -> str:
        async with session.get(f"{url}/broken") as response:
            return await response.text()

    async with aiohttp.ClientSession() as session:
        async with running(handler) as url:
            request = asyncio.create_task(asked(session, url))
            await arrived.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert await request == "finished"
        with pytest.raises(aiohttp.ClientConnectionError):
            await asked(session, url)


async def test_a_handler_is_cancelled_when_its_caller_goes_away() -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return web.Response()

    async with running(handler) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await arrived.wait()
        writer.transport.abort()
        await cancelled.wait()
