"""Histories that random ones hardly ever are: several machines are put back to what they were, one after the other."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_aiops.fleet.messages.push import Push, Pushed, WentBack
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock

from .machines import HubMachine, Machine

NODE = "1" * 32


class Fleet:
    """A hub, and a machine with three windows."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.hub = HubMachine(folder / "hub.db", self.clock)
        self.node = Machine(NODE, folder / "node.db", self.clock)

    async def start(self) -> None:
        await self.hub.start()
        await self.node.start()
        for number in range(3):
            self.node.record(number, "performance")
            self.clock.advance(400)
        await self.node.summarise(3)

    async def exchange(self, machine: Machine, push: Push | None) -> Pushed | WentBack:
        said = await self.hub.take(machine.node_id, msgspec.msgpack.encode(push or await machine.outbox.check_in()))
        assert said is not None
        if isinstance(said, Pushed):
            await machine.outbox.acknowledge(said)
        else:
            await machine.outbox.rewind(said.cursors)
        return said

    async def drain(self, machine: Machine) -> None:
        while push := await machine.outbox.batch():
            await self.exchange(machine, push)
        if isinstance(await self.exchange(machine, None), WentBack):
            await self.drain(machine)

    async def counted(self) -> dict[int, int]:
        return {number: times for (_, number), times in (await self.hub.counted()).items()}


@pytest.fixture
async def fleet(tmp_path: Path):
    async with Database.open(tmp_path / "hub.db"):
        pass
    fleet = Fleet(tmp_path)
    await fleet.start()
    yield fleet
    await fleet.node.stop()
    await fleet.hub.stop()


async def test_a_hub_that_was_put_back_gets_again_what_it_had(fleet: Fleet) -> None:
    backup = fleet.hub.backup()
    await fleet.drain(fleet.node)
    await fleet.hub.restore(backup)
    assert await fleet.counted() == {}
    await fleet.drain(fleet.node)
    assert await fleet.counted() == {0: 1, 1: 1, 2: 1}


async def test_a_node_that_was_put_back_counts_nothing_twice(fleet: Fleet) -> None:
    image = fleet.node.image()
    await fleet.drain(fleet.node)
    await fleet.node.stop()
    fleet.node.restore(image)
    await fleet.node.start()
    fleet.node.record(3, "performance")
    await fleet.node.summarise(9)
    fleet.clock.advance(400)
    await fleet.drain(fleet.node)
    assert await fleet.counted() == {0: 1, 1: 1, 2: 1, 3: 1}


async def test_a_hub_and_then_a_node_in_the_midst_of_its_repeating_are_put_back(fleet: Fleet) -> None:
    backup = fleet.hub.backup()
    await fleet.drain(fleet.node)
    image = fleet.node.image()
    await fleet.hub.restore(backup)
    assert isinstance(await fleet.exchange(fleet.node, None), WentBack)
    await fleet.exchange(fleet.node, await fleet.node.outbox.batch(most=1))
    assert len(await fleet.counted()) == 1
    await fleet.node.stop()
    fleet.node.restore(image)
    await fleet.node.start()
    await fleet.drain(fleet.node)
    assert await fleet.counted() == {0: 1, 1: 1, 2: 1}


async def test_two_machines_with_one_disk_count_each_event_once(fleet: Fleet, tmp_path: Path) -> None:
    image = fleet.node.image()
    clone = Machine(NODE, tmp_path / "clone.db", fleet.clock)
    clone.restore(image)
    await clone.start()
    for number, machine in ((3, fleet.node), (4, clone)):
        machine.record(number, "performance")
        await machine.summarise(9)
    fleet.clock.advance(400)
    for machine in (fleet.node, clone, fleet.node):
        await fleet.drain(machine)
    await clone.stop()
    assert await fleet.counted() == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1}
