"""A store of baselines on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.baselines import Baselines, Draft
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

Opened = AbstractAsyncContextManager[Baselines]


@pytest.fixture
def clock() -> FakeClock:
    """Time that the test moves."""
    return FakeClock()


@pytest.fixture
async def database(tmp_path: Path, clock: FakeClock) -> AsyncIterator[LocalDatabase]:
    """monitoring.db."""
    database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=clock)
    yield database
    await database.close()


@pytest.fixture
def reopened(database: LocalDatabase, clock: FakeClock) -> Callable[[], Opened]:
    """The store as it is after a restart."""

    @asynccontextmanager
    async def again() -> AsyncIterator[Baselines]:
        baselines = Baselines(database, clock)
        await baselines.load()
        yield baselines

    return again


@pytest.fixture
async def baselines(reopened: Callable[[], Opened]) -> AsyncIterator[Baselines]:
    """An empty store."""
    async with reopened() as baselines:
        yield baselines


@pytest.fixture
def draft() -> Callable[..., Draft]:
    """Makes a draft with one feature `x`."""

    def made(mean: float = 0.0, **more: Any) -> Draft:
        values = np.random.default_rng(1).normal(mean, size=200)
        return Draft(source="dataset", rows=200, inputs=Baseline({"x": values}), **more)

    return made


@pytest.fixture
def model() -> Callable[..., ObservedModel]:
    """Makes a model version of the node."""

    def made(name: str = "iris", version: str = "1", **more: Any) -> ObservedModel:
        return ObservedModel(served_by=ServedBy(name, version, 1), stage="production", **more)

    return made
