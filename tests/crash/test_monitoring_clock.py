"""No clock purges windows or counts anything twice: fifty jumps of up to twenty years, there and back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

TWENTY_YEARS_S = 20 * 365 * 86_400
NOW_MS = 1_750_000_000_000
FAR_MS = NOW_MS + 2_000 * TWENTY_YEARS_S


@asynccontextmanager
async def monitored(folder: Path, clock: FakeClock) -> AsyncIterator[tuple[Monitoring, Journal]]:
    """Monitoring behind a journal, as a node puts them together."""
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    await monitoring.follow(journal)
    try:
        yield monitoring, journal
    finally:
        await monitoring.stop()
        await journal.close()
        await monitoring.close()


async def predict(journal: Journal, clock: FakeClock, count: int) -> None:
    event = NewEvent(
        clock.now_ms(), ServedBy("model", "1", 1), None, None, None, 1, 1, 9, 99, "[1,2]", "[1]", None, "1", None
    )
    _, committed = journal.append([event] * count)
    await committed


async def requests(monitoring: Monitoring) -> dict[str, int]:
    """How many are counted in all windows there are, by granularity."""
    return {
        granularity: sum(
            of.requests
            for of in (
                await monitoring.windows.series(
                    Wanted("performance", "model", None), granularity, 0, FAR_MS, Performance
                )
            ).values()
        )
        for granularity in WIDTH_MS
    }


async def windows(monitoring: Monitoring) -> int:
    """How many windows are kept, of whatever width and kind."""
    ((count,),) = await monitoring.database.read("SELECT count(*) FROM window")
    return int(count)


async def test_windows_stay_and_count_rightly_however_the_clock_jumps(tmp_path: Path) -> None:
    chance, clock, total = random.Random(1), FakeClock(NOW_MS), 0
    for _ in range(10):
        async with monitored(tmp_path, clock) as (monitoring, journal):
            for _ in range(5):
                await predict(journal, clock, count := chance.randrange(1, 20))
                total += count
                if chance.random() < 0.7:
                    await monitoring.flush()
                if chance.random() < 0.7:
                    await monitoring.roll_up()
                to_ms = NOW_MS + chance.uniform(-1, 1) * 1000 * TWENTY_YEARS_S
                clock.jump((to_ms - clock.now_ms()) / 1000)
                clock.advance(chance.uniform(0, 600))
                await monitoring.keep_house()
                await monitoring.catch_up()
                assert set((await requests(monitoring)).values()) == {total}
                assert monitoring.realtime.performance("model", None, 5).requests <= count
    async with monitored(tmp_path, FakeClock(NOW_MS)) as (monitoring, _):
        assert set((await requests(monitoring)).values()) == {total}
        whole = await monitoring.windows.performance("model", "1", 0, FAR_MS)
        assert whole.requests == total


async def test_a_clock_that_jumps_and_then_runs_steadily_costs_a_fifth_of_the_windows_at_most(tmp_path: Path) -> None:
    clock = FakeClock(NOW_MS)
    async with monitored(tmp_path, clock) as (monitoring, journal):
        for _ in range(50):
            await predict(journal, clock, 1)
            await monitoring.flush()
            clock.advance(300)
        await monitoring.roll_up()
        clock.jump(TWENTY_YEARS_S)
        before = await windows(monitoring)
        await monitoring.keep_house()
        assert await windows(monitoring) == before
        clock.advance(3_700)
        await monitoring.keep_house()
        assert await windows(monitoring) < before
        assert await windows(monitoring) >= 4 * before / 5
        assert (await requests(monitoring))["5min"] == 40, "the oldest of each kind went"
