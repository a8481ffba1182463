"""One look at the generation serves many, and a change of this replica is seen at once."""

from __future__ import annotations

import asyncio

from edge_aiops.hub.recent import FRESH_S, RecentGeneration
from edge_aiops.testing.clock import FakeClock


class Catalogue:
    """A catalogue that counts how often it is looked at."""

    def __init__(self) -> None:
        self.generation = 1
        self.looks = 0
        self.clock = FakeClock()
        self.recent = RecentGeneration(self.read, clock=self.clock)

    async def read(self) -> int:
        self.looks += 1
        seen = self.generation
        await asyncio.sleep(0)
        return seen


async def test_many_who_ask_at_the_same_time_share_one_look() -> None:
    catalogue = Catalogue()
    assert await asyncio.gather(*(catalogue.recent.get() for _ in range(10))) == [1] * 10
    assert catalogue.looks == 1


async def test_what_another_replica_changed_is_seen_after_half_a_second() -> None:
    catalogue = Catalogue()
    await catalogue.recent.get()
    catalogue.generation = 2
    assert await catalogue.recent.get() == 1
    catalogue.clock.advance(FRESH_S)
    assert await catalogue.recent.get() == 2


async def test_what_this_replica_changed_is_seen_at_once_even_by_who_asked_before() -> None:
    catalogue = Catalogue()
    asking = asyncio.create_task(catalogue.recent.get())
    await asyncio.sleep(0)
    catalogue.generation = 2
    await catalogue.recent.changed(2)
    assert await catalogue.recent.get() == await asking == 2
