"""A window is over for all nodes at once; each pushes it in a moment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.outbox_batch import GRACE_MS, LONG_SPREAD_MS, SPREAD_MS
from edge_aiops.journal.boots import Boot
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock
from tests.unit.fleet.node.outbound import performance, window


@pytest.mark.parametrize(("width", "spread_ms"), [("5min", SPREAD_MS), ("hourly", LONG_SPREAD_MS)])
async def test_a_node_waits_for_its_own_part_of_the_spread(tmp_path: Path, width: str, spread_ms: int) -> None:
    clock = FakeClock(20_000 * WIDTH_MS["daily"])
    width_ms = WIDTH_MS[width]  # type: ignore[index]  # one of them
    database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=clock)
    outbox = await Outbox.open(database, clock=clock, late=0.5)
    start_ms = clock.now_ms()
    deltas = {window("performance", start_ms): performance(3, start_ms)}
    await database.write(lambda connection: outbox.grown(connection, Boot(7, width_ms=width_ms), deltas))
    clock.jump((width_ms + GRACE_MS + spread_ms / 2) / 1000 - 1)
    assert await outbox.batch() is None
    clock.jump(1)
    assert await outbox.batch() is not None
    await database.close()
