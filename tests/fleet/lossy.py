"""A TCP proxy in front of a hub that loses, repeats, reorders, delays, cuts and resets what passes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

FATES = ("pass", "lose", "lose answer", "cut", "cut answer", "twice", "later", "reset")
WEIGHTS = (5, 1, 1, 1, 1, 1, 1, 1)


class Lossy:
    """The proxy. While `quiet`, everything passes; else each request has a fate of its own."""

    def __init__(self, port: int, seed: int) -> None:
        self.quiet = True
        self.fates: Counter[str] = Counter()
        self.url = ""
        self._hub = port
        self._random = random.Random(seed)
        self._held: list[bytes] = []
        """Requests whose sender was reset long ago."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Lossy]:
        """Listen while the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def deliver_held(self) -> None:
        """What was held back arrives now, in another order."""
        self._random.shuffle(self._held)
        while self._held:
            await self._exchanged(self._held.pop())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._pass_on(await _message(reader), writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _pass_on(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        (fate,) = ("pass",) if self.quiet else self._random.choices(FATES, WEIGHTS)
        self.fates[fate] += 1
        if fate == "lose":
            return
        if fate == "reset":
            writer.transport.abort()
            return
        if fate == "later":
            self._held.append(request)
            return
        if fate == "cut":
            await self._exchanged(request[: self._random.randrange(1, len(request))], waits=False)
            return
        answer = await self._exchanged(request)
        if fate == "twice":
            answer = await self._exchanged(request)
            if self._held and self._random.random() < 0.5:
                await self.deliver_held()
        if fate == "lose answer":
            return
        if fate == "cut answer":
            answer = answer[: self._random.randrange(len(answer))]
        writer.write(answer)
        await writer.drain()

    async def _exchanged(self, request: bytes, *, waits: bool = True) -> bytes:
        """The hub's answer to a request; `waits`: or nothing, without waiting for it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._hub)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader) if waits else b""
        except (ConnectionError, asyncio.IncompleteReadError):
            return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer that says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)
