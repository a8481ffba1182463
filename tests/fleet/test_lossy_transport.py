"""Real nodes push over HTTP through a network that does everything wrong; in the end the hub's sums are theirs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge_aiops.base.errors import EdgeAiopsError, Forbidden
from edge_aiops.base.settings import FleetSettings
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.messages.push import Reported
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.testing.clock import FakeClock
from tests.device import Device

from .lossy import FATES, Lossy
from .machines import EVENTS_OF_A_MODEL, Image, Machine, occurrences


class Node:
    """A machine that pushes."""

    def __init__(self, machine: Machine, pusher: Pusher) -> None:
        self.machine, self.pusher = machine, pusher

    @classmethod
    @asynccontextmanager
    async def on(
        cls, file: Path, device: Device, hub_url: str, clock: FakeClock, *, image: Image | None = None
    ) -> AsyncIterator[Node]:
        """The node whose disk is `file`, which shows the hub that it is `device`."""
        machine = Machine(device.node_id, file, clock)
        if image is not None:
            machine.restore(image)

        async def open_session() -> Session:
            assert (await device.open_session()).status == 200
            return Session(token=device.bearer, expires_in_s=900)

        async def reported() -> Reported:
            return Reported(generation=0)

        await machine.start()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            hub = HubClient(hub_url, http=http, open_session=open_session)
            yield cls(machine, Pusher(hub, machine.outbox, settings=FleetSettings(), clock=clock, reported=reported))
        await machine.stop()

    async def live(self, numbers: Sequence[int]) -> None:
        """Count events."""
        for number in numbers:
            self.machine.record(number, "performance" if number % 3 else "labels")
        await self.machine.summarise(len(numbers))


NUMBERS = [place // 18 * EVENTS_OF_A_MODEL + place % 18 for place in range(72)]
"""Of events: the first 18 of each model, whose sum a hub takes as the count of a row, which has 40 bits."""


def counted(hub_folder: Path) -> Counter[Any]:
    with closing(sqlite3.connect(hub_folder / "hub" / "hub.db")) as hub:
        return occurrences(hub.execute("SELECT kind, model_name, summary FROM fleet_rows").fetchall())


async def test_sums_agree_in_the_end_whatever_the_network_does(client: Any, tmp_path: Path) -> None:
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Lossy(client.port, seed=4).running())
        nodes = [
            await stack.enter_async_context(
                Node.on(tmp_path / f"node-{number}.db", await client.as_node(), network.url, clock)
            )
            for number in range(3)
        ]
        network.quiet = False
        for number in range(12):
            for place, node in enumerate(nodes):
                first = 6 * number + 2 * place
                await node.live(NUMBERS[first : first + 2])
            clock.advance(400)
            for node in nodes:
                for _ in range(2):
                    with suppress(EdgeAiopsError):
                        await node.pusher.exchange()
        assert set(network.fates) == set(FATES)
        network.quiet = True
        await network.deliver_held()
        clock.advance(4_000)
        for node in nodes:
            while await node.machine.outbox.batch() is not None:
                await node.pusher.exchange()
            assert node.machine.outbox.status.dead_letters == ()
    everything = Counter(("performance" if number % 3 else "labels", number) for number in NUMBERS)
    assert counted(tmp_path / "data") == everything


async def test_two_machines_with_one_disk_are_found_out_and_nothing_is_counted_twice(
    client: Any, tmp_path: Path
) -> None:
    clock, device = FakeClock(), await client.as_node()
    async with Node.on(tmp_path / "node.db", device, client.url, clock) as node:
        await node.live(range(3))
        clock.advance(400)
        async with Node.on(tmp_path / "clone.db", device, client.url, clock, image=node.machine.image()) as clone:
            await node.live(range(3, 6))
            await clone.live(range(6, 9))
            clock.advance(400)
            await node.pusher.exchange()
            await clone.pusher.exchange()
            await node.live(range(9, 12))
            clock.advance(400)
            with pytest.raises(Forbidden):
                await node.pusher.exchange()
            assert node.pusher.status.shut_out
    found = counted(tmp_path / "data")
    assert set(found.values()) == {1}
    assert {number for _, number in found} == set(range(9))
