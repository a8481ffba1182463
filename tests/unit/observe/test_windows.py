"""Any span is read from the widest windows that fit, those not merged or not written yet included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.granularity import WIDTH_MS, Granularity, window_start
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.retention import WindowRetention
from edge_aiops.observe.series import Series, Summary, Window, read_summary
from edge_aiops.observe.store import grow, roll_up
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.observe.windows import Live, Wanted, Windows
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

FIVE, HOUR, DAY = WIDTH_MS["5min"], WIDTH_MS["hourly"], WIDTH_MS["daily"]
NOW = 1_800_000_000_000 - 1_800_000_000_000 % DAY
ONE, OTHER = ServedBy("one", "1", 1), ServedBy("other", "1", 1)


class Kept:
    """Windows on disk and in memory, and the moments of the events in them."""

    def __init__(self, database: LocalDatabase) -> None:
        self.database = database
        self.clock = FakeClock(NOW)
        self.unwritten: dict[Window, Summary] = {}
        self.windows = Windows(
            database, clock=self.clock, live=lambda: Live(0, self.unwritten.items()), config=MonitoringConfig
        )
        self.moments: list[int] = []

    def deltas(self, moments: list[int], served_by: ServedBy = ONE) -> dict[Window, Summary]:
        made: dict[Window, Summary] = {}
        for at_ms in moments:
            event = NewEvent(at_ms, served_by, None, None, None, 1, 1, 0, 1_000, None, None, None, None, None)
            window = Window(Series.of("performance", served_by), FIVE, window_start(at_ms, "5min"))
            performance = made.setdefault(window, Performance())
            assert isinstance(performance, Performance)
            performance.update([event])
        return made

    async def write(self, moments: list[int], served_by: ServedBy = ONE) -> None:
        deltas = self.deltas(moments, served_by)
        await self.database.write(lambda connection: grow(connection, deltas, read))
        if served_by == ONE:
            self.moments += moments

    async def roll_up(self, width_ms: int, into_ms: int, *, limit: int = 1_000) -> None:
        await self.database.write(partial(roll_up, width_ms=width_ms, into_ms=into_ms, read=read, limit=limit))


def read(series: Series, data: bytes) -> Summary:
    return read_summary(series.kind, data, None)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=FakeClock())
    yield Kept(database)
    await database.close()


async def filled(kept: Kept) -> None:
    """Three days, merged in part, with late events, and some that are not written yet."""
    random = np.random.default_rng(5)

    def some(count: int, days: float) -> list[int]:
        return [int(NOW - days * DAY + at) for at in random.integers(0, int(days * DAY), size=count)]

    await kept.write(some(300, 3))
    await kept.write(some(50, 3), OTHER)
    await kept.roll_up(FIVE, HOUR)
    await kept.write(some(40, 3))
    await kept.roll_up(HOUR, DAY, limit=20)
    await kept.roll_up(FIVE, HOUR, limit=10)
    await kept.write(some(25, 3))
    unwritten = some(30, 2)
    kept.unwritten = kept.deltas(unwritten) | kept.deltas(some(5, 1), OTHER)
    kept.moments += unwritten


async def test_any_span_has_exactly_its_events(kept: Kept) -> None:
    await filled(kept)
    random = np.random.default_rng(6)
    for _ in range(60):
        first, last = sorted(int(at) for at in NOW - 3 * DAY + FIVE * random.integers(0, 3 * DAY // FIVE, size=2))
        found = await kept.windows.performance("one", None, first, last)
        assert found.requests == sum(first <= at < last for at in kept.moments)


@pytest.mark.parametrize("granularity", WIDTH_MS)
async def test_a_series_has_every_event_in_its_window(kept: Kept, granularity: Granularity) -> None:
    await filled(kept)
    found = await kept.windows.series(Wanted("performance", "one", None), granularity, NOW - 3 * DAY, NOW, Performance)
    wanted: dict[tuple[str, int], int] = {}
    for at in kept.moments:
        key = "1", window_start(at, granularity)
        wanted[key] = wanted.get(key, 0) + 1
    assert {key: performance.requests for key, performance in found.items()} == wanted


async def test_narrow_windows_are_retired_only_after_they_were_merged(kept: Kept) -> None:
    long_ago = NOW - 30 * DAY
    await kept.write([long_ago, long_ago + HOUR])
    retention = WindowRetention(kept.database, clock=kept.clock)
    config = MonitoringConfig().retention
    assert await retention.run(config) == 0
    await kept.roll_up(FIVE, HOUR)
    assert sum([await retention.run(config) for _ in range(3)]) == 2
    assert (await kept.windows.performance("one", None, long_ago, long_ago + DAY)).requests == 2
