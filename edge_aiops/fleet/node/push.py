"""Pushes what is in the outbox to the hub: one request at a time, when the hub wants it, seldom when it fails."""

from __future__ import annotations

import asyncio
import gzip
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, Forbidden, InvalidInput, NodeRevoked, Unavailable
from edge_aiops.base.settings import FleetSettings
from edge_aiops.fleet.messages.push import MEDIA_TYPE, MOST_ROWS, Push, Pushed, Reported, WentBack
from edge_aiops.fleet.node.allowance import Allowance
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.hub_requests import MOST_ANSWER_BYTES, read_bounded
from edge_aiops.fleet.node.outbox import ALL, URGENT, OutboxStatus

CHECK_IN_S = 300.0
"""A node that has nothing to push says how it is so often."""
SHORTEST_S, LONGEST_S = 1.0, 900.0
"""Between which the hub may say when to push next."""
SHUT_OUT_S = 3_600.0
"""How long a node that was shut out does not ask again; an operator may have let it in meanwhile."""
EXCHANGE_TIMEOUT_S = 300.0
"""Longest time for one push, however slowly the hub takes it or answers."""
OVERHEAD_BYTES = 700
"""Of headers and answer, counted with each push."""

_SMALL = 512
"""Bytes that are not worth compressing."""
_AT_ONCE = 32 * 1024
"""Bytes that are compressed here; more of them by a thread."""
_MOST_DOUBLINGS = 12
_BLAMED = re.compile(r"\b(rows|records)\[(\d+)\]")

T = TypeVar("T", bound=Struct)


class Outgoing(Protocol):
    """What waits: the outbox of a node, or what a hub has for the hub above it."""

    @property
    def status(self) -> OutboxStatus:
        """How it is."""

    async def batch(self, reported: Reported, *, least: int, most: int) -> Push | None:
        """The next push of up to `most` rows and records, none of lower priority than `least`."""

    async def check_in(self, reported: Reported) -> Push:
        """A push that only says how the node is."""

    async def acknowledge(self, pushed: Pushed) -> None:
        """Note that the hub has what was made last."""

    async def rewind(self, cursors: Mapping[int, int]) -> None:
        """Note that the hub has no more than this."""

    async def refuse(self, reason: str, *, row: int | None = None, record: int | None = None) -> None:
        """Note that the hub will never take something of the last push."""


class PushStatus(OutboxStatus, frozen=True, kw_only=True):
    """How a node's outbox is, and how pushing goes."""

    last_push: int | None = None
    """When the hub last took in a push."""
    last_error: str | None = None
    shut_out: bool = False
    """The hub has revoked or quarantined this node."""


class _Later(Unavailable):
    """The hub says when to ask again."""


class _Problem(Struct):
    """What matters of a problem+json."""

    detail: str = ""
    errors: list[dict[str, Any]] = []
    fleet: WentBack | None = None


class Pusher:
    """Empties one outbox into one hub."""

    def __init__(
        self,
        hub: HubClient,
        outbox: Outgoing,
        *,
        settings: FleetSettings,
        clock: Clock,
        reported: Callable[[], Awaitable[Reported]],
        chance: random.Random | None = None,
        timeout_s: float = EXCHANGE_TIMEOUT_S,
    ) -> None:
        """`reported` says how the node is; `timeout_s`: how long one push may take."""
        self._hub = hub
        self._outbox = outbox
        self._clock = clock
        self._reported = reported
        self._timeout_s = timeout_s
        self._chance = chance or random.Random()
        self._allowance = Allowance(per_hour=settings.bytes_per_hour, per_day=settings.bytes_per_day, clock=clock)
        self._most = MOST_ROWS
        self._failed = 0
        self._last_push: int | None = None
        self._pushed_ns: int | None = None
        self._last_error: str | None = None
        self._shut_out = False
        self._next_s = SHORTEST_S
        self._generation = 0
        self._newer = asyncio.Event()
        self.wait_s = self._chance.uniform(0, settings.sync_interval)
        """How long to wait before the next exchange."""

    @property
    def status(self) -> PushStatus:
        """How it goes."""
        return PushStatus(
            **msgspec.structs.asdict(self._outbox.status),
            last_push=self._last_push,
            last_error=self._last_error,
            shut_out=self._shut_out,
        )

    @property
    def hub_generation(self) -> int:
        """The highest generation that the hub spoke of and that was not reported to it; 0 before."""
        return self._generation

    async def newer(self) -> int:
        """The generation of the hub's desired state, once the hub says that it is newer than the node's."""
        await self._newer.wait()
        self._newer.clear()
        return self._generation

    async def turn(self) -> None:
        """Wait as long as is due, then exchange."""
        if not self._hub.let_in.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hub.let_in.wait(), self.wait_s)
        else:
            await asyncio.sleep(self.wait_s)
        await self.exchange()

    async def exchange(self) -> None:
        """Push once, if there is anything to say; `wait_s` tells when it is time for the next.

        Raises what kept the hub from taking it in: `Unavailable`, `InvalidInput`, `Forbidden`.
        """
        self.wait_s = LONGEST_S  # of whatever cannot even be read from the outbox
        try:
            await self._exchange()
        except EdgeAiopsError as error:
            self._last_error = str(error)
            self._back_off(error)
            raise
        self._last_error, self._failed, self._shut_out = None, 0, False

    async def _exchange(self) -> None:
        wait_s = self._allowance.wait_s
        reported = await self._reported()
        push = await self._outbox.batch(reported, least=ALL if wait_s == 0 else URGENT, most=self._most)
        if push is None:
            silent_s = CHECK_IN_S if self._pushed_ns is None else (self._clock.ticks_ns() - self._pushed_ns) / 1e9
            if wait_s > 0 or silent_s < CHECK_IN_S:
                self.wait_s = min(max(wait_s, CHECK_IN_S - silent_s, SHORTEST_S), self._next_s)
                return
            push = await self._outbox.check_in(reported)
        pushed = await self._send(push)
        if pushed is None:
            self.wait_s = SHORTEST_S
            return
        await self._outbox.acknowledge(pushed)
        self._most = MOST_ROWS
        self._last_push, self._pushed_ns = self._clock.now_ms(), self._clock.ticks_ns()
        self.wait_s = self._next_s = min(max(pushed.next_in_ms / 1000, SHORTEST_S), LONGEST_S)
        if pushed.generation > reported.generation:
            self._generation = pushed.generation
            self._newer.set()

    async def _send(self, push: Push) -> Pushed | None:
        """What the hub says; None where it wants something else first, which was seen to."""
        body, encoding = await packed(push)
        headers = {"Content-Type": MEDIA_TYPE, **encoding}
        self._allowance.spend(len(body) + OVERHEAD_BYTES)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._hub.ask("POST", "/fleet/push", data=body, headers=headers) as response,
            ):
                said = await read_bounded(response, MOST_ANSWER_BYTES)
        except TimeoutError as error:
            raise Unavailable(f"the hub did not take a push within {self._timeout_s:g} s") from error
        if response.status == 200:
            return _decoded(said, Pushed, response)
        await self._refused(push, response, said)
        return None

    async def _refused(self, push: Push, response: aiohttp.ClientResponse, said: bytes) -> None:
        """Do what a failure asks for. Raises it where that is to wait."""
        problem = _problem(said)
        told = f"the hub answered {response.status} to a push: {problem.detail or response.reason}"
        if response.status == 409 and problem.fleet is not None:
            await self._outbox.rewind(problem.fleet.cursors)
        elif response.status in (400, 413, 422):
            await self._blame(push, problem, told)
        elif response.status in (403, 410):
            raise NodeRevoked(told)
        else:
            raise _later(told, response)

    async def _blame(self, push: Push, problem: _Problem, told: str) -> None:
        """Set apart what the hub does not take; where it does not say what, halve the push until that is alone."""
        for text in [*(str(error.get("field", "")) for error in problem.errors), problem.detail]:
            if (found := _BLAMED.search(text)) is not None:
                of, place = found[1], int(found[2])
                if place < len(push.rows if of == "rows" else push.records):
                    await self._outbox.refuse(told, **{"row" if of == "rows" else "record": place})
                    return
        count = len(push.rows) + len(push.records)
        if count > 1:
            self._most = count // 2
        elif count == 1:
            await self._outbox.refuse(told, **{"row" if push.rows else "record": 0})
            self._most = MOST_ROWS
        else:
            raise InvalidInput(told)

    def _back_off(self, error: EdgeAiopsError) -> None:
        if isinstance(error, Forbidden):
            self._shut_out = True
            self.wait_s = SHUT_OUT_S
            return
        self._failed = min(self._failed + 1, _MOST_DOUBLINGS)
        self.wait_s = self._chance.uniform(0, min(LONGEST_S, 2.0 * 2**self._failed))
        if isinstance(error, _Later):
            self.wait_s = min(error.retry_after_s, SHUT_OUT_S)


def _later(said: str, response: aiohttp.ClientResponse) -> Unavailable:
    """What to raise, with the time after which to ask again, where the hub says one."""
    retry_after = response.headers.get("Retry-After", "")
    if retry_after.isascii() and retry_after.isdigit():
        return _Later(said, retry_after_s=float(retry_after))
    return Unavailable(said)


async def packed(push: Push) -> tuple[bytes, dict[str, str]]:
    """The body, compressed where that is worth it, and the header that says so."""
    body = msgspec.msgpack.encode(push)
    if len(body) < _SMALL:
        return body, {}
    if len(body) <= _AT_ONCE:
        return gzip.compress(body, mtime=0), {"Content-Encoding": "gzip"}
    return await asyncio.to_thread(gzip.compress, body, mtime=0), {"Content-Encoding": "gzip"}


def _decoded(said: bytes, kind: type[T], response: aiohttp.ClientResponse) -> T:
    try:
        return msgspec.json.decode(said, type=kind)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{response.url} answered something that is no {kind.__name__}: {error}") from error


def _problem(said: bytes) -> _Problem:
    try:
        return msgspec.json.decode(said, type=_Problem)
    except (ValueError, RecursionError):
        return _Problem()
