"""Merges windows into wider ones, as often as is configured."""

from __future__ import annotations

import sqlite3

from edge_aiops.base.clock import Clock
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.config import AggregationConfig
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.series import read_summary
from edge_aiops.observe.store import ROLL_UP_SLICE, roll_up
from edge_aiops.store.local import LocalDatabase

_BASELINES_OF_FRESH = (
    "SELECT DISTINCT baseline FROM fresh JOIN series ON series.number = fresh.series WHERE baseline > 0"
)


class WindowMerging:
    """Five-minute windows into hourly ones, and those into daily ones."""

    def __init__(self, database: LocalDatabase, baselines: Baselines, *, clock: Clock) -> None:
        self._database = database
        self._baselines = baselines
        self._clock = clock
        self._turns: dict[Granularity, int] = {}

    async def run_due(self, config: AggregationConfig) -> None:
        """Merge what is due: after a start, and then whenever an interval of the configuration begins."""
        intervals_s: dict[Granularity, float] = {"5min": config.hourly_aggregation, "hourly": config.daily_aggregation}
        for granularity, interval_s in intervals_s.items():
            turn = self._clock.now_ms() // int(interval_s * 1000)
            if self._turns.get(granularity) != turn:
                await self._merge(granularity)
                self._turns[granularity] = turn

    async def run(self) -> None:
        """Merge everything now."""
        await self._merge("5min")
        await self._merge("hourly")

    async def _merge(self, granularity: Granularity) -> None:
        width_ms = WIDTH_MS[granularity]
        into_ms = min(wider for wider in WIDTH_MS.values() if wider > width_ms)
        bases: dict[int, ModelBaseline | None] = {}

        def unit(connection: sqlite3.Connection) -> int | None:
            if {number for (number,) in connection.execute(_BASELINES_OF_FRESH)} - bases.keys():
                return None  # windows on another baseline were written since
            return roll_up(
                connection,
                width_ms,
                into_ms,
                lambda series, data: read_summary(series.kind, data, bases.get(series.baseline)),
            )

        merged: int | None = None
        while merged is None or merged == ROLL_UP_SLICE:
            for (number,) in await self._database.read(_BASELINES_OF_FRESH):
                if number not in bases:
                    bases[number] = await self._baselines.recall(number)
            merged = await self._database.write(unit)
