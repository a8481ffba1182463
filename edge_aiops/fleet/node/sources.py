"""Where a node gets artifacts from: neighbours or a gateway in the order of a setting, and at last the hub.

None of them is believed: every chunk is verified, whoever sent it. A neighbour that fails or lies is left for a while;
the hub, the last resort, is asked whenever the node looks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, StorageFull, Unavailable
from edge_aiops.fleet.node.hub_client import HubClient

Ask = Callable[..., AbstractAsyncContextManager[aiohttp.ClientResponse]]

LEAST_BYTES_PER_S = 1_024
"""A source that is slower, over any `PACE_S`, is given up."""
PACE_S = 30.0
ANSWER_TIMEOUT_S = 300.0
"""Longest time until a source, and whom it names, begins with the content, however its headers trickle."""
_FIRST_REST_S, _LONGEST_REST_S = 60.0, 3_600.0
_PIECE_BYTES = 256 * 1024
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class SourceFault(EdgeAiopsError):
    """A source did not give what it was asked for; `lied`: it gave something else."""

    code = "unavailable"

    def __init__(self, message: str, *, lied: bool = False) -> None:
        super().__init__(message)
        self.lied = lied


class Source:
    """One place that has artifacts. `ask` sends a request to it, as `HubClient.ask` does."""

    def __init__(
        self,
        name: str,
        ask: Ask,
        *,
        http: aiohttp.ClientSession,
        clock: Clock,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._timeout_s = timeout_s
        self._ask = ask
        self._http = http
        self._clock = clock

    @asynccontextmanager
    async def opened(self, sha256: str, offset: int) -> AsyncIterator[AsyncGenerator[bytes]]:
        """The content from `offset` on, in pieces, as far as the source is willing. Raises `SourceFault`.

        A redirect, as to an object store, is followed without the node's session.
        """
        ranged = {"Range": f"bytes={offset}-"} if offset else {}
        headers = {"Accept-Encoding": "identity", **ranged}
        asked = {**headers, "If-Range": f'"{sha256}"'} if offset else headers
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._timeout_s):
                    response = await stack.enter_async_context(
                        self._ask("GET", f"/artifacts/{sha256}", headers=asked, allow_redirects=False)
                    )
                    if response.status in _REDIRECTS and (location := response.headers.get("Location")):
                        target = response.url.join(URL(location))
                        response = await stack.enter_async_context(
                            self._http.get(target, headers=headers, max_redirects=_MOST_REDIRECTS)
                        )
                content = await stack.enter_async_context(aclosing(self._after(response, offset)))
                yield await stack.enter_async_context(aclosing(paced(content, self._clock)))
        except StorageFull:  # of this node, which is an `Unavailable` too
            raise
        except (Unavailable, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SourceFault(f"{self.name}: {str(error) or type(error).__name__}") from error

    async def _after(self, response: aiohttp.ClientResponse, offset: int) -> AsyncGenerator[bytes]:
        match response.status:
            case 206:
                said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                if said is None or int(said[1]) != offset:
                    raise SourceFault(f"{self.name} was asked for bytes from {offset} on and sent others")
                skipped = offset
            case 200:  # it knows no ranges
                skipped = 0
            case _:
                raise SourceFault(f"{self.name} answered {response.status} {response.reason}")
        async for piece in response.content.iter_chunked(_PIECE_BYTES):
            passed_over = min(offset - skipped, len(piece))
            skipped += passed_over
            yield piece[passed_over:]


class _Rest(NamedTuple):
    until_ns: int
    pause_s: float


class Sources:
    """All of them, in order."""

    def __init__(
        self, hub: HubClient, neighbours: Sequence[str] = (), *, http: aiohttp.ClientSession, clock: Clock
    ) -> None:
        others = [Source(url, partial(_ask, url.rstrip("/"), http), http=http, clock=clock) for url in neighbours]
        self._all = [*others, Source(f"the hub {hub.hub_url}", hub.ask, http=http, clock=clock)]
        self._rests: dict[Source, _Rest] = {}
        self._clock = clock

    def __iter__(self) -> Iterator[Source]:
        """Those that do not rest; the hub never does."""
        now_ns = self._clock.ticks_ns()
        for source in self._all:
            if source is self._all[-1] or (rest := self._rests.get(source)) is None or rest.until_ns <= now_ns:
                yield source

    def well(self, source: Source) -> None:
        """It gave what it was asked for."""
        self._rests.pop(source, None)

    def failed(self, source: Source, fault: SourceFault) -> None:
        """It did not: it rests for a minute, twice as long each time, up to an hour; at once so long if it lied."""
        rest = self._rests.get(source)
        pause_s = min(2 * rest.pause_s, _LONGEST_REST_S) if rest else _FIRST_REST_S
        if fault.lied:
            pause_s = _LONGEST_REST_S
        self._rests[source] = _Rest(self._clock.ticks_ns() + round(pause_s * 1e9), pause_s)


@asynccontextmanager
async def _ask(
    url: str, http: aiohttp.ClientSession, method: str, path: str, **more: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with http.request(method, url + path, **more) as response:
        yield response


async def paced(pieces: AsyncIterator[bytes], clock: Clock) -> AsyncGenerator[bytes]:
    """The pieces, as long as they bring at least `LEAST_BYTES_PER_S`. Raises `Unavailable`."""
    since_ns, came = clock.ticks_ns(), 0
    async for piece in pieces:
        came += len(piece)
        taken_s = (clock.ticks_ns() - since_ns) / 1e9
        if taken_s > PACE_S:
            if came < LEAST_BYTES_PER_S * taken_s:
                raise Unavailable(f"{came} bytes in {taken_s:.0f} s are too few")
            since_ns, came = clock.ticks_ns(), 0
        yield piece
