"""The herd after an outage: when 10,000 nodes push again, by the schedule of the real push loop in virtual time.

Each node has a window every five minutes, at the same moment as all others. The hub answers nobody for a while, and
then everybody. What is counted are the requests that reach it from then on, in spans of ten seconds.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import msgspec

from benchmarks.table import Row
from edge_aiops.base.errors import Unavailable
from edge_aiops.base.settings import FleetSettings, HubSettings
from edge_aiops.fleet.messages.push import MOST_ROWS, Push, Pushed, Reported
from edge_aiops.fleet.node.outbox import OutboxStatus
from edge_aiops.fleet.node.outbox_batch import GRACE_MS, SPREAD_MS
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.testing.clock import FakeClock

NODES = 10_000
SPAN_S = 10
WINDOW_S, ROWS = 300, 7
"""A window's length, and how many rows there are of one."""
OUTAGES_S = (60, 3_600, 24 * 3_600)
QUIET_S = 900
"""How long all goes well before."""
WATCHED_S = 1_200
"""How long the hub is watched after it has come back: by then each node has tried again, and has a new window."""


class Arrivals(NamedTuple):
    """How many requests reached the hub in each span of ten seconds."""

    mean: float
    peak: int


def rows() -> list[Row]:
    """Every row of this benchmark."""
    found = []
    for outage_s in OUTAGES_S:
        arrivals = asyncio.run(after_outage(outage_s, nodes=NODES))
        ratio = arrivals.peak / arrivals.mean
        found.append(
            Row(
                f"{NODES:,} nodes after an outage of {outage_s / 3600:g} h: requests in 10 s, peak",
                f"{arrivals.peak:,}",
                f"mean {arrivals.mean:,.0f}",
                f"{ratio:.2f}",
                "<= 3",
                ratio <= 3,
            )
        )
    return found


async def after_outage(outage_s: float, *, nodes: int, seed: int = 0) -> Arrivals:
    """What reaches the hub after it has come back."""
    clock = FakeClock()
    hub = _Hub(clock, down_from_s=QUIET_S, up_from_s=QUIET_S + outage_s)
    pushers = [_pusher(hub, clock, random.Random(seed * nodes + number)) for number in range(nodes)]
    due = [(pusher.wait_s, number) for number, pusher in enumerate(pushers)]
    heapq.heapify(due)
    while due[0][0] < hub.up_from_s + WATCHED_S:
        at_s, number = heapq.heappop(due)
        clock.advance(max(0.0, at_s - clock.ticks_ns() / 1e9))
        with suppress(Unavailable):
            await pushers[number].exchange()
        heapq.heappush(due, (at_s + pushers[number].wait_s, number))
    spans = [hub.arrivals[span] for span in range(WATCHED_S // SPAN_S)]
    return Arrivals(mean=sum(spans) / len(spans), peak=max(spans))


def _pusher(hub: _Hub, clock: FakeClock, chance: random.Random) -> Pusher:
    reported = Reported(generation=1)

    async def said() -> Reported:
        return reported

    asked: Any = hub
    outbox = _Outbox(clock, chance.random() * SPREAD_MS / 1000)
    return Pusher(asked, outbox, settings=FleetSettings(), clock=clock, reported=said, chance=chance)


class _Outbox:
    """As many rows as there were windows since it was emptied."""

    def __init__(self, clock: FakeClock, hold_s: float) -> None:
        self._clock = clock
        self._hold_s = GRACE_MS / 1000 + hold_s
        self._sent = self._emptied = int(clock.ticks_ns() / 1e9 // WINDOW_S)

    @property
    def status(self) -> OutboxStatus:
        """Nothing in particular."""
        return OutboxStatus()

    async def batch(self, reported: Reported, *, least: int, most: int) -> Push | None:
        """A push of what is due; how many rows are in it makes no difference to the schedule."""
        over = int((self._clock.ticks_ns() / 1e9 - self._hold_s) // WINDOW_S)
        if over <= self._emptied:
            return None
        self._sent = min(over, self._emptied + max(1, MOST_ROWS // ROWS))
        return self._push(reported, lag=(over - self._sent) * ROWS)

    async def check_in(self, reported: Reported) -> Push:
        """A push of nothing."""
        return self._push(reported, lag=0)

    async def acknowledge(self, pushed: Pushed) -> None:
        """Forget what was sent."""
        self._emptied = max(self._emptied, self._sent)

    async def rewind(self, cursors: Mapping[int, int]) -> None:
        """Never asked of it."""

    async def refuse(self, reason: str, *, row: int | None = None, record: int | None = None) -> None:
        """Never asked of it."""

    @staticmethod
    def _push(reported: Reported, *, lag: int) -> Push:
        return Push(boot=1, have={}, reported=reported, clock=0, lag=lag)


class _Hub:
    """Counts who comes after it is up again, and says what an idle hub says."""

    def __init__(self, clock: FakeClock, *, down_from_s: float, up_from_s: float) -> None:
        self.up_from_s = up_from_s
        self.arrivals: Counter[int] = Counter()
        self._clock = clock
        self._down_from_s = down_from_s
        self._chance = random.Random(7)
        self._interval_ms = float(HubSettings().push_interval) * 1000

    @asynccontextmanager
    async def ask(self, method: str, path: str, **more: Any) -> AsyncIterator[_Answer]:
        """As `HubClient.ask`."""
        now_s = self._clock.ticks_ns() / 1e9
        if self._down_from_s <= now_s < self.up_from_s:
            raise Unavailable("the hub is down")
        if now_s >= self.up_from_s:
            self.arrivals[int((now_s - self.up_from_s) // SPAN_S)] += 1
        lag = msgspec.msgpack.decode(more["data"], type=Push).lag
        wait_ms = min(1_000.0, self._interval_ms) if lag else self._interval_ms
        yield _Answer(
            msgspec.json.encode(
                Pushed(
                    cursors={},
                    written=0,
                    generation=1,
                    next_in_ms=round(wait_ms * self._chance.uniform(0.8, 1.2)),
                    server_time=0,
                )
            )
        )


class _Answer:
    status = 200
    reason = "OK"
    url = "http://hub/fleet/push"
    headers: Mapping[str, str] = {}

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.content = self

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """The body at once."""
        yield self._body
