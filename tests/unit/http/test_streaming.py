"""Answers as server-sent events, to clients that listen, fail to, and go away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web
from msgspec import Struct

from edge_aiops.base.errors import ModelFailed, Overloaded
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http.guard import Guard, guarding
from edge_aiops.http.openai.streaming import streamed


class Chunk(Struct):
    """A piece of an answer."""

    text: str


class Source:
    """Chunks of a test's choice; `ended` when nobody wants more of them."""

    def __init__(self, *texts: str, failure: Exception | None = None, endless: bool = False) -> None:
        self._texts = texts
        self._failure = failure
        self._endless = endless
        self.ended = asyncio.Event()

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            for text in self._texts:
                yield Chunk(text)
            while self._endless:
                yield Chunk("x" * 100_000)
            if self._failure:
                raise self._failure
        finally:
            self.ended.set()


Serve = Callable[[Source], Awaitable[tuple[str, int]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves the chunks of a source at an address."""
    runners: list[web.AppRunner] = []

    async def start(source: Source) -> tuple[str, int]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await streamed(request, source.chunks(), {"X-Request-Id": "r-1"}, write_timeout_s=0.2)

        app = web.Application(middlewares=[guarding(Guard(HttpSettings()))])
        app.router.add_get("/v1/stream", handle)
        runners.append(web.AppRunner(app, handler_cancellation=True))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        host, port = runners[-1].addresses[0]
        return host, port

    yield start
    for runner in runners:
        await runner.cleanup()


async def answer(address: tuple[str, int]) -> tuple[int, list[str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get("http://{}:{}/v1/stream".format(*address)) as response,
    ):
        return response.status, (await response.text()).strip().split("\n\n")


async def test_chunks_are_events_and_the_last_says_that_it_is_done(serve: Serve) -> None:
    status, events = await answer(await serve(Source("a", "b")))
    assert (status, events) == (200, ['data: {"text":"a"}', 'data: {"text":"b"}', "data: [DONE]"])


async def test_what_fails_before_the_first_chunk_has_a_status_of_its_own(serve: Serve) -> None:
    status, (body,) = await answer(await serve(Source(failure=Overloaded("too much"))))
    assert (status, json.loads(body)["error"]["message"]) == (503, "too much")


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (ModelFailed("the model raised"), "model_failed", "the model raised"),
        (ValueError("a secret"), "internal", "an unexpected error; the log of the server says more"),
    ],
)
async def test_what_fails_later_is_an_event(serve: Serve, failure: Exception, code: str, message: str) -> None:
    status, (first, last) = await answer(await serve(Source("a", failure=failure)))
    assert (status, first) == (200, 'data: {"text":"a"}')
    assert json.loads(last.removeprefix("data: "))["error"] == {
        "message": message,
        "type": "server_error",
        "param": None,
        "code": code,
    }


@asynccontextmanager
async def asking(address: tuple[str, int]) -> AsyncIterator[asyncio.StreamReader]:
    """A client that has asked, and that reads only when it is told to."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(20):
            yield reader
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_client_that_takes_nothing_is_cut_off(serve: Serve) -> None:
    source = Source(endless=True)
    taken = b""
    async with asking(await serve(source)) as reader:
        await source.ended.wait()
        with suppress(ConnectionResetError):
            while piece := await reader.read(2**16):
                taken = (taken + piece)[-10:]
    assert not taken.endswith(b"\r\n0\r\n\r\n"), "it would take the half of an answer for the whole"


async def test_a_client_that_goes_away_ends_the_chunks(serve: Serve) -> None:
    source = Source(endless=True)
    async with asking(await serve(source)) as reader:
        assert await reader.read(1)
    async with asyncio.timeout(20):
        await source.ended.wait()
