"""Catching up with the journal: cancelled or broken off at any point, it loses nothing and repeats nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.handover import SLICE_EVENTS
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.testing.clock import FakeClock

EVENTS = 5 * SLICE_EVENTS


@asynccontextmanager
async def monitored(folder: Path, clock: FakeClock) -> AsyncIterator[tuple[Monitoring, Journal]]:
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    await monitoring.follow(journal)
    try:
        yield monitoring, journal
    finally:
        await monitoring.stop()
        await journal.close()
        await monitoring.close()


async def predict(journal: Journal, clock: FakeClock, *, times: int, together: int) -> None:
    event = NewEvent(
        clock.now_ms(), ServedBy("model", "1", 1), None, None, None, 1, 1, 9, 99, "[1,2]", "[1]", None, "1", None
    )
    for _ in range(times):
        _, committed = journal.append([event] * together)
        await committed


async def requests(monitoring: Monitoring, clock: FakeClock) -> int:
    performance = await monitoring.windows.performance("model", None, 0, 2 * clock.now_ms())
    return performance.requests


@pytest.mark.parametrize("passes", range(1, 6))
@pytest.mark.parametrize("handed", [False, True], ids=["read from the journal", "handed over"])
async def test_a_cancelled_catch_up_leaves_the_rest_to_the_next(tmp_path: Path, handed: bool, passes: int) -> None:
    clock = FakeClock()
    async with monitored(tmp_path, clock) as (monitoring, journal):
        if handed:
            await monitoring.catch_up()
        await predict(journal, clock, times=5, together=SLICE_EVENTS)
        catching_up = asyncio.create_task(monitoring.catch_up())
        before = 0
        while not before:
            await asyncio.sleep(0)
            before = monitoring.realtime.performance("model", None, 5).requests // SLICE_EVENTS
        for _ in range(passes - 1):
            await asyncio.sleep(0)
        catching_up.cancel()
        await asyncio.gather(catching_up, return_exceptions=True)
        await predict(journal, clock, times=1, together=3)
        await monitoring.catch_up()
        assert await requests(monitoring, clock) == EVENTS + 3
        await monitoring.flush()
    async with monitored(tmp_path, clock) as (monitoring, _):
        await monitoring.catch_up()
        assert await requests(monitoring, clock) == EVENTS + 3


async def test_events_that_came_one_by_one_are_summarised_together(tmp_path: Path) -> None:
    clock = FakeClock()
    async with monitored(tmp_path, clock) as (monitoring, journal):
        await monitoring.catch_up()
        await predict(journal, clock, times=2 * SLICE_EVENTS, together=1)
        passes = 0
        catching_up = asyncio.create_task(monitoring.catch_up())
        while monitoring.realtime.performance("model", None, 5).requests < 2 * SLICE_EVENTS:
            await asyncio.sleep(0)
            passes += 1
        await catching_up
        assert passes < SLICE_EVENTS / 2
