"""Loaded models of the tests' Ollama server, and what that server was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from edge_aiops_ollama.backend import OllamaBackend

from edge_aiops.plugin import Unavailable
from edge_aiops.testing.backend import source

Load = Callable[..., Awaitable[Any]]


class Server:
    """What the tests' Ollama server tells beyond Ollama's API, and what it does when told so."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, trust_env=False)

    async def told(self) -> dict[str, Any]:
        """What it was asked, and how much it does."""
        answer: dict[str, Any] = (await self._http.get("/facade")).json()
        return answer

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until what it tells satisfies `holds`."""
        async with asyncio.timeout(60):
            while not holds(await self.told()):  # noqa: ASYNC110  # another process, which has no event for us
                await asyncio.sleep(0.01)

    async def last(self) -> dict[str, Any]:
        """The request for the last text."""
        request: dict[str, Any] = (await self.told())["asked"][-1]
        return request

    async def control(self, **behaviour: object) -> None:
        """`holdPulls`: stop in the middle of pulls; `failPulls`: the reason why they fail."""
        await self._http.post("/facade", json=behaviour)

    async def delete(self, model: str) -> None:
        """Take a model out of the store, if it is there."""
        await self._http.request("DELETE", "/api/delete", json={"model": model})

    async def close(self) -> None:
        await self._http.aclose()


@pytest.fixture
async def ollama(ollama_url: str) -> AsyncIterator[Server]:
    """The tests' Ollama server."""
    server = Server(ollama_url)
    yield server
    await server.control()
    await server.close()


@pytest.fixture
def trouble() -> Callable[..., Awaitable[Unavailable]]:
    """Asks `work` again and again until it is unavailable for a reason with `words` in it; gives that error."""

    async def found(work: Callable[[], Awaitable[object]], words: str) -> Unavailable:
        async with asyncio.timeout(60):
            while True:
                try:
                    await work()
                except Unavailable as error:
                    if words in str(error):
                        return error
                await asyncio.sleep(0.01)

    return found


@pytest.fixture
def success() -> Callable[..., Awaitable[Any]]:
    """Asks `work` again and again until it is available; gives its result."""

    async def found(work: Callable[[], Awaitable[object]]) -> object:
        async with asyncio.timeout(60):
            while True:
                try:
                    return await work()
                except Unavailable:
                    await asyncio.sleep(0.01)

    return found


@pytest.fixture
async def load(ollama_url: str) -> AsyncIterator[Load]:
    """Loads a model with the options given, by default `smollm2` of the tests' server; closes it after the test."""
    async with AsyncExitStack() as stack:

        async def loaded(**options: object) -> Any:
            session = await OllamaBackend({}).load(source(**{"model": "smollm2", "host": ollama_url, **options}))
            stack.push_async_callback(session.close)
            return session

        yield loaded
