"""Many synthetic nodes at once: they join, push a window each interval, and tell what became of it."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from typing import Annotated

import aiohttp
from msgspec import Meta, Struct

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.fleet.node.push import OVERHEAD_BYTES
from edge_aiops.fleet.simulate.hub import MeasuredHub
from edge_aiops.fleet.simulate.node import WINDOW_MS, SyntheticNode
from edge_aiops.fleet.simulate.tally import WINDOWS_A_DAY, Result, Tally, Times
from edge_aiops.fleet.simulate.traffic import Traffic

MOST_AT_ONCE = 256
"""Requests under way."""
JOINS_AT_ONCE = 32
REQUEST_TIMEOUT_S = 30.0
PROGRESS_S = 2.0


class Simulation(Struct, frozen=True, kw_only=True):
    """What to simulate."""

    hub: str
    token: str
    """A join token that may be used once for each node."""
    nodes: Annotated[int, Meta(ge=1)]
    interval_s: Annotated[float, Meta(gt=0)] = 30.0
    """In which each node pushes a window of five minutes."""
    duration_s: Annotated[float, Meta(gt=0)] = 60.0
    features: Annotated[int, Meta(ge=1, le=1_000)] = 20
    requests: Annotated[int, Meta(ge=1)] = 300
    """Of a window."""
    shift: float = 0.0
    """By how many standard deviations the first feature is higher on some nodes."""
    shift_share: Annotated[float, Meta(ge=0, le=1)] = 0.1
    """Which share of the nodes that is."""
    seed: int = 0


class Progress(Struct, frozen=True, kw_only=True):
    """How far it is."""

    joined: int
    seconds: float
    """Since the joins were done; 0 before that."""
    pushes: int
    errors: int


async def simulate(wanted: Simulation, *, told: Callable[[Progress], None]) -> Result:
    """Run it; `told` is called every two seconds. Raises `EdgeAiopsError` where a node cannot join."""
    running = _Running(wanted, told)
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=MOST_AT_ONCE)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        return await running.run(http)


class _Running:
    def __init__(self, wanted: Simulation, told: Callable[[Progress], None]) -> None:
        self._wanted = wanted
        self._told = told
        self._tally = Tally()
        self._traffic = Traffic(
            features=wanted.features, requests=wanted.requests, shift=wanted.shift, seed=wanted.seed
        )
        self._chance = random.Random(wanted.seed)
        self._joined = 0
        self._began_s: float | None = None

    async def run(self, http: aiohttp.ClientSession) -> Result:
        """Join, push, and count."""
        telling = asyncio.create_task(self._tell(), name="progress")
        try:
            started = time.perf_counter()
            nodes = await self._join(http)
            joining_s = time.perf_counter() - started
            self._began_s = time.perf_counter()
            turns = int(self._wanted.duration_s / self._wanted.interval_s) + 1
            first_ms = SystemClock().now_ms() // WINDOW_MS * WINDOW_MS - turns * WINDOW_MS
            async with asyncio.TaskGroup() as group:
                for node in nodes:
                    group.create_task(self._live(node, first_ms))
            return self._result(joining_s, time.perf_counter() - self._began_s)
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _join(self, http: aiohttp.ClientSession) -> list[SyntheticNode]:
        turn, joining = asyncio.Semaphore(MOST_AT_ONCE), asyncio.Semaphore(JOINS_AT_ONCE)
        shifted = round(self._wanted.nodes * self._wanted.shift_share)

        async def join(number: int) -> SyntheticNode:
            hub = MeasuredHub(self._wanted.hub, token=self._wanted.token, http=http, tally=self._tally, turn=turn)
            async with joining:
                await hub.join()
            self._joined += 1
            return SyntheticNode(
                hub,
                self._traffic,
                shifted=number < shifted,
                seed=self._wanted.seed * 1_000_003 + number,
                tally=self._tally,
                clock=SystemClock(),
            )

        return await asyncio.gather(*map(join, range(self._wanted.nodes)))

    async def _live(self, node: SyntheticNode, first_ms: int) -> None:
        """Push a window each interval, until the time is up; after a failure as late as a real node would."""
        assert self._began_s is not None
        interval_s, end_s = self._wanted.interval_s, self._began_s + self._wanted.duration_s
        due_s = self._began_s + self._chance.uniform(0, interval_s)
        start_ms = first_ms
        while due_s < end_s:
            late_s = time.perf_counter() - due_s
            await asyncio.sleep(max(0.0, -late_s))
            self._tally.late += late_s > interval_s
            try:
                await node.push(start_ms)
                await node.poll()
            except EdgeAiopsError as error:
                self._tally.errors[f"{error.code}: {error.message[:120]}"] += 1
                due_s = max(due_s + interval_s, time.perf_counter() + node.pusher.wait_s)
            else:
                due_s += interval_s
            start_ms += WINDOW_MS

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            self._told(
                Progress(
                    joined=self._joined,
                    seconds=0.0 if self._began_s is None else time.perf_counter() - self._began_s,
                    pushes=self._tally.pushes,
                    errors=self._tally.errors.total(),
                )
            )

    def _result(self, joining_s: float, seconds: float) -> Result:
        tally, nodes = self._tally, self._wanted.nodes
        size = statistics.fmean(tally.sizes) if tally.sizes else None
        reached, real = tally.pushes / seconds, nodes / (WINDOW_MS / 1000)
        return Result(
            nodes=nodes,
            seconds=round(seconds, 1),
            joins_per_second=round(nodes / joining_s, 1),
            pushes=tally.pushes,
            pushes_per_second=round(reached, 1),
            push_ms=Times.of(tally.push_s),
            polls=tally.polls,
            poll_ms=Times.of(tally.poll_s),
            errors=dict(tally.errors.most_common(10)),
            late=tally.late,
            push_bytes=None if size is None else round(size),
            node_day_bytes=None if size is None else round(WINDOWS_A_DAY * (size + OVERHEAD_BYTES)),
            fleet_pushes_per_second=round(real, 2),
            hub_load=round(real / reached, 4) if reached else None,
        )
