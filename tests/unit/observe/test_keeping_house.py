"""Scheduled work upon everything behind the journal: what is due is judged on all that came, and only what is old
goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.baselines import Draft, ModelBaseline
from edge_aiops.observe.baselines.store import KEPT
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

MODEL = ServedBy("model", "1", 1)
HOUR_S = 3_600
RANDOM = np.random.default_rng(3)


class House:
    """A model with a baseline of one feature, and monitoring of it."""

    def __init__(self, monitoring: Monitoring, journal: Journal, clock: FakeClock) -> None:
        self.monitoring = monitoring
        self.journal = journal
        self.clock = clock

    async def compare(self) -> ModelBaseline:
        draft = Draft(source="dataset", rows=5_000, inputs=Baseline({"x": RANDOM.normal(size=5_000)}))
        return await self.monitoring.baselines.add(draft, model_name="model", model_version="1")

    async def predict(self, *, shift: float = 0.0, rows: int = 600) -> None:
        payloads = [msgspec.json.encode([x]).decode() for x in RANDOM.normal(shift, size=rows).tolist()]
        now_ms = self.clock.now_ms()
        events = [
            NewEvent(now_ms, MODEL, None, None, None, 1, 1, 9, 99, payload, "[1]", None, "1", None)
            for payload in payloads
        ]
        _, committed = self.journal.append(events)
        await committed

    async def count(self, table: str) -> int:
        ((count,),) = await self.monitoring.database.read(f"SELECT count(*) FROM {table}")
        return int(count)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    monitoring.serve([ObservedModel(served_by=MODEL, stage="production", feature_names=("x",))])
    await monitoring.follow(journal)
    yield House(monitoring, journal, clock)
    await monitoring.stop()
    await journal.close()
    await monitoring.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


async def without_windows(house: House) -> None:
    await house.monitoring.flush()
    await house.monitoring.database.write(
        lambda connection: [connection.execute(f"DELETE FROM {table}") for table in ("fresh", "window")]
    )


async def test_a_scheduled_check_judges_what_came_a_moment_ago(house: House) -> None:
    await house.compare()
    await house.monitoring.check_drift()
    house.clock.advance(6 * HOUR_S)
    await house.predict(shift=1.0)
    await house.monitoring.check_drift()
    found = await house.monitoring.drift.latest("model", "1", "input")
    assert found is not None
    assert (found.trigger, found.drifted_features, found.warnings) == ("schedule", ["x"], [])
    assert found.features[0].log_e is not None and found.features[0].log_e > 3


async def test_drift_is_confirmed_although_results_go_before_the_next_check(house: House) -> None:
    await house.compare()
    await house.monitoring.configure("", {"retention": {"results": "1h"}})
    await house.monitoring.check_drift()
    for _ in range(2):
        house.clock.advance(6 * HOUR_S)
        await house.monitoring.keep_house()
        assert await house.count("drift_result") == 0
        await house.predict(shift=1.0)
        await house.monitoring.check_drift()
    found = await house.monitoring.drift.latest("model", "1", "input")
    assert found is not None
    assert found.confirmed


async def test_a_baseline_that_evidence_refers_to_stays(house: House) -> None:
    first = await house.compare()
    second = await house.compare()
    await house.predict()
    await without_windows(house)
    for _ in range(KEPT):
        await house.compare()
    house.clock.advance(2 * HOUR_S)
    await house.monitoring.keep_house()
    assert await house.monitoring.baselines.recall(first.number) is None
    assert await house.monitoring.baselines.recall(second.number) == second


async def test_what_is_known_of_drift_goes_with_the_windows_of_a_version_that_is_not_served(house: House) -> None:
    tables = ("drift_watch", "drift_state", "drift_run")
    await house.compare()
    await house.monitoring.check_drift()
    house.clock.advance(6 * HOUR_S)
    await house.predict()
    await house.monitoring.check_drift()
    house.clock.advance(400 * 24 * HOUR_S)
    house.monitoring.serve([])
    await house.monitoring.keep_house()
    assert all([await house.count(table) for table in tables])
    await without_windows(house)
    await house.monitoring.keep_house()
    assert [await house.count(table) for table in tables] == [0, 0, 0]
