"""Random histories of a fleet: what can go wrong goes wrong, in every order; then all is quiet, and sums must agree."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_aiops.fleet.hub.windows import DAY_MS, FIVE_MINUTES_MS, HOUR_MS, MERGED, NODE_WINDOWS, WHOLE
from edge_aiops.fleet.messages.push import Push, Pushed, WentBack
from edge_aiops.observe.series import Kind
from edge_aiops.testing.clock import FakeClock

from .machines import HubMachine, Image, Machine

QUIET_S = 2 * 86_400
"""After which nothing that a node holds back is held back any more."""


class Verdict(NamedTuple):
    """What the hub counts of what it should."""

    lost: list[tuple[Kind, int]]
    """Events that a disk has, or had where no disk was ever put back, and the hub has not."""
    double: list[tuple[Kind, int]]
    events: int
    merged: dict[str, Counter[tuple[Kind, int]]]
    """What merged windows count, where they differ from the rows; by what they are."""


class Message(NamedTuple):
    """A push on its way."""

    node_id: str
    body: bytes


class History:
    """One history, from a seed."""

    def __init__(self, seed: int, folder: Path, empty_hub: bytes, *, rolls_up: bool = False) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._clock = FakeClock()
        file = folder / "hub.db"
        file.write_bytes(empty_hub)
        self.hub = HubMachine(file, self._clock)
        self._machines: list[Machine] = []
        self._images: list[tuple[Machine, Image]] = []
        self._backups: list[bytes] = []
        self._under_way: list[Message] = []
        self._happened: list[tuple[Kind, int]] = []
        self._disks_put_back = False
        self._rolls_up = rolls_up

    async def run(self, steps: int) -> Verdict:
        """Live through some steps, then settle; what the hub counts in the end."""
        await self.hub.start()
        try:
            for number in range(self._random.randint(1, 3)):
                await self._add(f"{number + 1:032x}")
            for _ in range(steps):
                await self._step()
            await self._settle()
            return await self._verdict()
        finally:
            for machine in self._machines:
                await machine.stop()
            await self.hub.stop()

    async def _add(self, node_id: str, image: Image | None = None) -> None:
        machine = Machine(node_id, self._folder / f"node-{len(self._machines)}.db", self._clock)
        if image is not None:
            machine.restore(image)
        await machine.start()
        self._machines.append(machine)

    async def _step(self) -> None:
        machine = self._random.choice(self._machines)
        (act,) = self._random.choices(
            (
                self._live, self._push, self._restart, self._die_counting, self._pass_time, self._deliver_late,
                self._take_image, self._put_back, self._clone, self._back_up_hub, self._restore_hub, self._roll_up,
            ),
            (30, 30, 5, 3, 8, 8, 4, 3, 1, 4, 3, 8 if self._rolls_up else 0),
        )  # fmt: skip
        await act(machine)

    async def _live(self, machine: Machine) -> None:
        for _ in range(self._random.randint(1, 3)):
            kind: Kind = self._random.choice(("performance", "performance", "labels"))
            self._happened.append((kind, len(self._happened)))
            machine.record(len(self._happened) - 1, kind)
        if self._random.random() < 0.7:
            await machine.summarise(self._random.randint(1, 5))

    async def _push(self, machine: Machine) -> None:
        push = await machine.outbox.batch(most=self._random.choice((1, 3, 256)))
        await self._send(machine, push or await machine.outbox.check_in())

    async def _send(self, machine: Machine, push: Push) -> None:
        message = Message(machine.node_id, msgspec.msgpack.encode(push))
        fate = self._random.choices(
            ("arrives", "lost", "answer lost", "delayed", "twice", "cut", "hub dies", "node dies"),
            (40, 8, 12, 8, 8, 3, 6, 6),
        )[0]
        if fate == "cut":
            message = message._replace(body=message.body[: self._random.randrange(len(message.body))])
        if fate in ("delayed", "twice"):
            self._under_way.append(message)
        if fate in ("lost", "delayed"):
            return
        self.hub.dies_before_commit = fate == "hub dies"
        said = await self.hub.take(*message)
        if fate == "node dies":
            await self._restart(machine)
        elif fate != "answer lost":
            await _heed(machine, said)

    async def _deliver_late(self, _: Machine) -> None:
        """A message that nobody waits for any more arrives."""
        if self._under_way:
            place = self._random.randrange(len(self._under_way))
            again = self._random.random() < 0.3
            await self.hub.take(*(self._under_way[place] if again else self._under_way.pop(place)))

    async def _restart(self, machine: Machine) -> None:
        await machine.stop()
        await machine.start()

    async def _die_counting(self, machine: Machine) -> None:
        try:
            await machine.summarise(5, dies=True)
        except Exception:
            await self._restart(machine)

    async def _pass_time(self, _: Machine) -> None:
        self._clock.advance(self._random.choice((60, 400, 4_000)))

    async def _take_image(self, machine: Machine) -> None:
        self._images.append((machine, machine.image()))

    async def _put_back(self, _: Machine) -> None:
        if self._images:
            machine, image = self._random.choice(self._images)
            self._disks_put_back = True
            await machine.stop()
            machine.restore(image)
            await machine.start()

    async def _clone(self, _: Machine) -> None:
        """A second machine runs from a copy of a first one's disk."""
        if self._images and len(self._machines) < 4:
            machine, image = self._random.choice(self._images)
            await self._add(machine.node_id, image)

    async def _back_up_hub(self, _: Machine) -> None:
        self._backups.append(self.hub.backup())

    async def _restore_hub(self, _: Machine) -> None:
        if self._backups:
            await self.hub.restore(self._random.choice(self._backups))

    async def _settle(self) -> None:
        """Nothing goes wrong any more, and everything arrives."""
        self._random.shuffle(self._under_way)
        for message in self._under_way:
            await self.hub.take(*message)
        for machine in self._machines:
            await machine.summarise(len(machine.journal))
        self._clock.advance(QUIET_S)
        for machine in self._machines:
            await self._push_all(machine)

    async def _push_all(self, machine: Machine) -> None:
        while True:
            push = await machine.outbox.batch() or await machine.outbox.check_in()
            said = await self.hub.take(machine.node_id, msgspec.msgpack.encode(push))
            await _heed(machine, said)
            if isinstance(said, Pushed) and not said.written:
                return

    async def _roll_up(self, _: Machine) -> None:
        await self.hub.roll_up()

    async def _verdict(self) -> Verdict:
        counted = await self.hub.counted()
        kept = {(event.kind, event.number) for machine in self._machines for event in machine.journal}
        must = kept if self._disks_put_back else set(self._happened)
        return Verdict(
            lost=sorted(must - counted.keys()),
            double=sorted(event for event, times in counted.items() if times > 1 or event not in self._happened),
            events=len(self._happened),
            merged=await self._differing(counted) if self._rolls_up else {},
        )

    async def _differing(self, counted: Counter[tuple[Kind, int]]) -> dict[str, Counter[tuple[Kind, int]]]:
        await self.hub.roll_up()
        found = {
            f"{table.name} {width_ms}": await self.hub.merged(table, WHOLE, width_ms)
            for table, widths in ((MERGED, (FIVE_MINUTES_MS, HOUR_MS, DAY_MS)), (NODE_WINDOWS, (HOUR_MS, DAY_MS)))
            for width_ms in widths
        }
        return {name: merged for name, merged in found.items() if merged != counted}


async def _heed(machine: Machine, said: Pushed | WentBack | None) -> None:
    if isinstance(said, Pushed):
        await machine.outbox.acknowledge(said)
    elif isinstance(said, WentBack):
        await machine.outbox.rewind(said.cursors)
