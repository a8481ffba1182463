"""Whatever happens between the journal and the windows, every event is counted, and counted once."""

from __future__ import annotations

import asyncio
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
from edge_aiops.observe.handover import MAX_EVENTS
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
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
        await self.monitoring.observer.catch_up()
        now_ms = self.clock.now_ms()
        return (await self.monitoring.windows.performance("model", None, now_ms - 86_400_000, now_ms + 1)).requests

    async def rows(self, role: str = "inputs") -> int:
        await self.monitoring.observer.catch_up()
        now_ms, baseline = self.clock.now_ms(), self.monitoring.baselines.current("model", "1")
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
        for _ in range(MAX_EVENTS // 1_000 + 3):
            await now.record([event(clock)] * 1_000)
        assert await now.total() == MAX_EVENTS + 3_000


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
    outcomes = Baseline({"correct": ["true"] * 400 + ["false"] * 100})
    async with running(tmp_path, clock) as now:
        ids = await now.record([event(clock, payload) for payload in payloads[:50]])
        for inference_id in ids[:7]:
            await now.journal.label(inference_id, Feedback(actual_outcome=Raw(b'"yes"')))
        await now.monitoring.flush()
        await now.journal.label(ids[8], Feedback(actual_outcome=Raw(b'"no"')))
        await now.monitoring.baselines.add(
            Draft(source="dataset", rows=500, inputs=baseline, outcomes=outcomes),
            model_name="model",
            model_version=None,
        )
        assert await now.rows() == 50
        assert await now.rows("outcomes") == 8
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


async def test_a_caller_who_gives_up_breaks_nothing(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        for round_ in range(25):
            await now.record([event(clock)] * 40)
            calls = [asyncio.create_task(now.monitoring.flush()), asyncio.create_task(now.monitoring.catch_up())]
            await asyncio.sleep(round_ / 5_000)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert await now.total() == 1_000
        await now.monitoring.flush()
        assert await now.total() == 1_000
    async with running(tmp_path, clock) as now:
        assert await now.total() == 1_000


async def test_what_is_read_while_it_is_written_is_whole(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        for round_ in range(20):
            await now.record([event(clock)] * 10)
            await now.monitoring.catch_up()
            _, _, found = await asyncio.gather(now.monitoring.flush(), now.monitoring.roll_up(), now.total())
            assert found == 10 * (round_ + 1)


async def test_a_baseline_whose_watch_is_damaged_stops_nothing(tmp_path: Path, clock: FakeClock) -> None:
    random = np.random.default_rng(1)
    baseline = Baseline({name: random.normal(size=500) for name in FEATURES})
    async with running(tmp_path, clock) as now:
        await now.monitoring.baselines.add(
            Draft(source="dataset", rows=500, inputs=baseline), model_name="model", model_version=None
        )
        for _ in range(3):
            await now.record([event(clock)] * 20)
            await now.monitoring.flush()
            await now.monitoring.database.write(
                lambda connection: connection.execute("UPDATE drift_watch SET watch = x'00'")
            )
        assert await now.total() == 60


async def test_a_damaged_window_is_lost_alone(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        await now.record([event(clock)] * 10)
        await now.monitoring.flush()
        clock.advance(600)
        await now.record([event(clock)] * 5)
        await now.monitoring.flush()
        await now.monitoring.database.write(
            lambda connection: connection.execute(
                "UPDATE window SET summary = x'00' WHERE width_ms = 300000"
                " AND start_ms = (SELECT min(start_ms) FROM window WHERE width_ms = 300000)"
            )
        )
        assert await now.total() == 5
        await now.monitoring.roll_up()
        assert await now.total() == 5


async def test_a_damaged_event_is_passed_over_alone(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        await now.record([event(clock)] * 9)
        await now.monitoring.flush()
    async with running(tmp_path, clock) as now:
        damage = "UPDATE event SET confidence = '0.9x', features = '[1.0', prediction = '{' WHERE place = 3"
        await now.journal.database.write(lambda connection: connection.execute(damage))
        assert await now.total() == 9
        assert now.monitoring.realtime.performance("model", None, 5).requests == 9
        await now.record([event(clock), event(clock)._replace(confidence="?")] * 5)
        assert await now.total() == 19


async def test_a_long_backlog_is_written_in_parts_and_does_not_hold_up_the_end(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with running(tmp_path, clock) as now:
        for _ in range(60):
            await now.record([event(clock)] * 2_000)
    async with running(tmp_path, clock) as now:
        await now.monitoring.observer.catch_up(limit_s=0.2)
        await now.monitoring.stop()
    async with running(tmp_path, clock) as now:
        assert now.monitoring.read_to is not None
        await now.monitoring.flush()
        assert await now.total() == 120_000


async def test_a_file_that_was_damaged_is_made_anew_from_the_journal(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as now:
        for _ in range(30):
            await now.record([event(clock)] * 50)
            await now.monitoring.flush()
            clock.advance(300)
    path = tmp_path / "monitoring.db"
    content = bytearray(path.read_bytes())
    for page in range(4, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 2048] = b"\x5a" * 2048
    path.write_bytes(content)
    (tmp_path / "monitoring.db.clean").unlink(missing_ok=True)
    async with running(tmp_path, clock) as now:
        await now.monitoring.flush()
        assert await now.total() == 1_500
