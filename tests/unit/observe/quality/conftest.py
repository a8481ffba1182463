"""Fixtures of data quality on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

from .site import Site


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
def started(database: LocalDatabase, clock: FakeClock) -> Callable[..., Site]:
    """Starts data quality on the database, with plugins beside the builtin one."""
    return lambda *plugins: Site(database, clock, *plugins)


@pytest.fixture
def site(started: Callable[..., Site]) -> Site:
    """Data quality with nothing known yet."""
    return started()
