"""A lease is held by one at a time; who lost it can write nothing more under it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, Leases
from edge_aiops.testing.clock import FakeClock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path / "hub.db") as opened:
        yield opened


async def test_of_two_that_want_a_lease_one_has_it_until_it_is_over(database: Database, fake_clock: FakeClock) -> None:
    leases = Leases(database, clock=fake_clock)
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    assert await leases.hold("roll-up", "b", ttl_s=30) is None
    fake_clock.advance(29)
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    fake_clock.advance(29)
    assert await leases.hold("roll-up", "b", ttl_s=30) is None
    fake_clock.advance(1)
    assert await leases.hold("roll-up", "b", ttl_s=30) == Lease("roll-up", "b", 2)
    assert await leases.hold("roll-up", "a", ttl_s=30) is None
