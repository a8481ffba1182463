"""Whoever reads windows while they are written and merged upwards sees every event, and each of them once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.windows import Wanted
from edge_aiops.plugin.loader import Plugins
from edge_aiops.testing.clock import FakeClock

ROUNDS = 60
FEW = 5


async def test_a_reader_sees_all_that_was_journaled_before_and_nothing_twice(tmp_path: Path) -> None:
    clock, chance = FakeClock(), random.Random(1)
    monitoring = await Monitoring.open(tmp_path, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(tmp_path, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    await monitoring.follow(journal)
    journaled, seen = 0, []

    async def write() -> None:
        nonlocal journaled
        for _ in range(ROUNDS):
            event = NewEvent(
                clock.now_ms(), ServedBy("model", "1", 1), None, None, None, 1, 1, 9, 99, "[1]", "[1]", None, "1", None
            )
            _, committed = journal.append([event] * FEW)
            await committed
            journaled += FEW
            clock.advance(chance.choice([1, 100, 400]))
            if chance.random() < 0.6:
                await monitoring.flush()
            if chance.random() < 0.5:
                await monitoring.roll_up()
            await asyncio.sleep(0.02)

    async def read() -> None:
        while journaled < ROUNDS * FEW:
            for granularity in WIDTH_MS:
                least = journaled
                await monitoring.catch_up()
                windows = await monitoring.windows.series(
                    Wanted("performance", "model", None), granularity, 0, 2 * clock.now_ms(), Performance
                )
                seen.append((least, sum(of.requests for of in windows.values()), journaled + FEW))

    try:
        await asyncio.gather(write(), read(), read())
    finally:
        await monitoring.stop()
        await journal.close()
        await monitoring.close()
    assert len(seen) > 20
    assert [one for one in seen if not one[0] <= one[1] <= one[2]] == []
