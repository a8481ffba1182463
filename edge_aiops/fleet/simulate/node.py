"""One synthetic node: the real push loop and session over an outbox in memory, and no models."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence

import numpy as np

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Unavailable
from edge_aiops.base.settings import FleetSettings
from edge_aiops.fleet.messages.push import Push, Pushed, PushRecord, PushRow, Reported, RowKey
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.hub_requests import read_bounded
from edge_aiops.fleet.node.offers import MOST_STATE_BYTES, decoded
from edge_aiops.fleet.node.outbox import OutboxStatus
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.fleet.simulate.tally import Tally
from edge_aiops.fleet.simulate.traffic import Counted, Traffic
from edge_aiops.journal.boots import new_boot

MODEL, VERSION = "simulated", "1"
WINDOW_MS = 300_000


class MemoryOutbox:
    """What waits for the hub, in memory: what `fleet.node.outbox` is on a device. What the hub had is not kept."""

    def __init__(self, baselines: Mapping[str, bytes], *, now_ms: int, tally: Tally) -> None:
        self.stream = new_boot()
        self._boot = new_boot()
        self._tally = tally
        self._now_ms = now_ms
        self._waiting: list[tuple[RowKey, int, bytes]] = []
        self._baselines = dict(baselines)
        self._seq = self._acknowledged = 0
        self._sent = 0, 0

    @property
    def status(self) -> OutboxStatus:
        """How many rows wait."""
        return OutboxStatus(lag_rows=len(self._waiting))

    def add(self, counted: Sequence[Counted], *, start_ms: int) -> None:
        """Have the summaries of a window pushed."""
        for one in counted:
            key = RowKey(self._boot, one.kind, MODEL, VERSION, 1, one.baseline, WINDOW_MS, start_ms)
            self._waiting.append((key, one.n, one.summary.to_bytes()))

    async def batch(self, reported: Reported, *, least: int, most: int) -> Push | None:
        """As `Outbox.batch`, but of everything that waits."""
        records = [
            PushRecord(self.stream, self._next(), "baseline", digest, self._now_ms, content)
            for digest, content in list(self._baselines.items())[:most]
        ]
        rows = [
            PushRow(self.stream, self._next(), key, n, n, summary, hashlib.sha256(summary).digest())
            for key, n, summary in self._waiting[: most - len(records)]
        ]
        self._sent = len(records), len(rows)
        return self._push(reported, rows, records) if rows or records else None

    async def check_in(self, reported: Reported) -> Push:
        """As `Outbox.check_in`."""
        return self._push(reported, [], [])

    async def acknowledge(self, pushed: Pushed) -> None:
        """As `Outbox.acknowledge`."""
        if pushed.cursors.get(self.stream, 0) >= self._seq:
            self._acknowledged = self._seq
            self._forget()

    async def rewind(self, cursors: Mapping[int, int]) -> None:
        """Note that the hub lost something, which is not kept here to be sent again."""
        self._tally.errors["went_back"] += 1
        self.stream = new_boot()
        self._seq = self._acknowledged = 0

    async def refuse(self, reason: str, *, row: int | None = None, record: int | None = None) -> None:
        """Note that the hub refused something, and send it no more."""
        self._tally.errors[reason[:120]] += 1
        self._forget()

    def _forget(self) -> None:
        records, rows = self._sent
        del self._waiting[:rows]
        for digest in list(self._baselines)[:records]:
            del self._baselines[digest]

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _push(self, reported: Reported, rows: list[PushRow], records: list[PushRecord]) -> Push:
        return Push(
            boot=self.stream,
            have={self.stream: self._acknowledged},
            rows=tuple(rows),
            records=tuple(records),
            reported=reported,
            clock=self._now_ms,
            lag=max(len(self._waiting) - len(rows), 0),
        )


class SyntheticNode:
    """A node that has seen `traffic`."""

    def __init__(
        self, hub: HubClient, traffic: Traffic, *, shifted: bool, seed: int, tally: Tally, clock: Clock
    ) -> None:
        self._traffic = traffic
        self._shifted = shifted
        self._random = np.random.default_rng(seed)
        self._hub = hub
        self._etag = ""
        self._generation = 0
        self._outbox = MemoryOutbox(traffic.baselines, now_ms=clock.now_ms(), tally=tally)
        self.pusher = Pusher(
            hub,
            self._outbox,
            settings=FleetSettings(),
            clock=clock,
            reported=self._reported,
            chance=random.Random(seed),
        )

    async def push(self, start_ms: int) -> None:
        """Count a window, and push what waits. Raises `EdgeAiopsError`."""
        self._outbox.add(self._traffic.window(self._random, start_ms, shifted=self._shifted), start_ms=start_ms)
        await self.pusher.exchange()

    async def poll(self) -> None:
        """Ask for the desired state, and only read what generation it is of. Raises `EdgeAiopsError`."""
        async with self._hub.ask("GET", "/fleet/desired", headers={"If-None-Match": self._etag}) as response:
            if response.status == 304:
                return
            if response.status != 200:
                raise Unavailable(f"the hub answered {response.status} {response.reason} to GET /fleet/desired")
            self._generation = decoded(await read_bounded(response, MOST_STATE_BYTES)).generation
            self._etag = response.headers["ETag"]

    async def _reported(self) -> Reported:
        return Reported(generation=self._generation, version="simulated")
