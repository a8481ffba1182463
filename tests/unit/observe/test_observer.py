"""Whatever happens between the journal and the windows, every event is counted, and counted once."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec import Raw

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.observer import MAX_HANDED
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

MODEL = ServedBy("model", "1", 1)
FEATURES = ("a", "b")


def event(clock: FakeClock, features: str = "[1.0, 2.0]", served_by: ServedBy = MODEL) -> NewEvent:
    return NewEvent(
        clock.now_ms(), served_by, None, None, None, 1, 1, 10, 1_000, features, '{"y":[0.5]}', "0.9", '"yes"', None
    )


class Running:
    """Monitoring and a journal in one folder."""

    def __init__(self, monitoring: Monitoring, journal: Journal, clock: FakeClock) -> None:
        self.monitoring, self.journal, self.clock = monitoring, journal, clock

    async def record(self, events: Sequence[NewEvent]) -> list[str]:
        ids, on_disk = self.journal.append(events)
        await on_disk
        return ids

    async def total(self) -> int:
        await self.monitoring.catch_up()
        now_ms = self.clock.now_ms()
        return (await self.monitoring.windows.performance("model", None, now_ms - 86_400_000, now_ms + 1)).requests

    async def rows(self, role: str = "inputs") -> int:
        await self.monitoring.catch_up()
        now_ms, baseline = self.clock.now_ms(), self.monitoring.baselines.cached("model", "1")
        found = await self.monitoring.windows.role(
            role,  # type: ignore[arg-type]  # the name of a role
            "model",
            "1",
            now_ms - 86_400_000,
            now_ms + 1,
            baseline=baseline,
        )
        return found.rows


@asynccontextmanager
async def running(folder: Path, clock: FakeClock) -> AsyncIterator[Running]:
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    monitoring.serve([ObservedModel(served_by=MODEL, stage="production", feature_names=FEATURES)])
    await monitoring.follow(journal)
    yield Running(monitoring, journal, clock)
    await journal.close()
    await monitoring.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_what_was_not_written_is_read_again_after_a_crash(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        await now.record([event(clock)] * 30)
        await now.monitoring.flush()
        await now.record([event(clock)] * 12)
        assert await now.total() == 42
    async with running(tmp_path, clock) as now:  # without `stop`: the last twelve were never written
        assert await now.total() == 42
        await now.monitoring.flush()
        assert await now.total() == 42


async def test_a_flood_that_does_not_fit_into_memory_is_read_from_the_journal(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        await now.total()
        for _ in range(MAX_HANDED // 1_000 + 3):
            await now.record([event(clock)] * 1_000)
        assert await now.total() == MAX_HANDED + 3_000


async def test_events_that_make_no_sense_harm_no_others(tmp_path: Path, clock: FakeClock) -> None:
    odd = ["{}", "[[[[]]]]", '"text"', "null", "[" * 50 + "]" * 50, '{"a": {"b": null}}', "[1e999, 2]", "nonsense"]
    async with running(tmp_path, clock) as now:
        await now.record([event(clock), *(event(clock, features) for features in odd), event(clock)])
        assert await now.total() == len(odd) + 2
        assert await now.rows() >= 2


async def test_a_replaced_file_is_filled_anew(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        (inference_id, *_) = await now.record([event(clock)] * 10)
        await now.journal.label(inference_id, Feedback(actual_outcome=Raw(b'"yes"')))
        await now.monitoring.flush()

        def wiped(connection: sqlite3.Connection) -> None:
            for table in ("position", "fresh", "window", "series"):
                connection.execute(f"DELETE FROM {table}")

        await now.monitoring.database.write(wiped)
        await now.record([event(clock)] * 5)
        await now.monitoring.flush()
        assert await now.total() == 15
        labels = await now.monitoring.windows.labels("model", None, 0, clock.now_ms() + 1)
        assert (labels.n, labels.right) == (1, 1)


async def test_windows_that_cannot_be_written_are_kept_until_they_can(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        await now.record([event(clock)] * 10)
        await now.monitoring.database.write(lambda connection: connection.execute("ALTER TABLE fresh RENAME TO away"))
        with pytest.raises((EdgeAiopsError, sqlite3.Error)):
            await now.monitoring.flush()
        await now.record([event(clock)] * 3)
        await now.monitoring.database.write(lambda connection: connection.execute("ALTER TABLE away RENAME TO fresh"))
        await now.monitoring.flush()
        assert await now.total() == 13


async def test_a_new_baseline_is_compared_with_what_came_of_late_once(tmp_path: Path, clock: FakeClock) -> None:
    random = np.random.default_rng(1)
    baseline = Baseline({name: random.normal(size=500) for name in FEATURES})
    payloads = [msgspec.json.encode(row).decode() for row in random.normal(size=(80, 2)).round(3).tolist()]
    async with running(tmp_path, clock) as now:
        await now.record([event(clock, payload) for payload in payloads[:50]])
        await now.monitoring.flush()
        await now.monitoring.baselines.add(
            Draft(source="dataset", rows=500, inputs=baseline), model_name="model", model_version=None
        )
        assert await now.rows() == 50
        await now.record([event(clock, payload) for payload in payloads[50:]])
        assert await now.rows() == 80
        await now.monitoring.flush()
    async with running(tmp_path, clock) as now:
        assert await now.rows() == 80
        assert await now.total() == 80


async def test_a_clock_that_jumps_loses_nothing(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        for seconds in (0, 20 * 365 * 86_400, -40 * 365 * 86_400, 20 * 365 * 86_400, 3_600, -3_600):
            clock.jump(seconds)
            await now.record([event(clock)] * 4)
            await now.monitoring.observer.tick()
        await now.monitoring.roll_up()
        for granularity in ("5min", "hourly", "daily"):
            whole = await now.monitoring.history.metrics(
                "model",
                None,
                granularity,  # type: ignore[arg-type]  # the name of one
                0,
                clock.now_ms() + 30 * 365 * 86_400_000,
            )
            assert sum(window.requests for window in whole) == 24
