"""Roll-up and retention: what nodes pushed, merged by hour, day and group; each row in each sum once."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.fleet.hub.boots import Pushing, Verdict
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.retention import HubRetention
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.hub.rows import BASELINES, DIRTY, ROWS
from edge_aiops.fleet.hub.windows import DAY_MS, FIVE_MINUTES_MS, HOUR_MS, MERGED, NODE_WINDOWS, REST, WHOLE
from edge_aiops.fleet.messages.push import PushRow
from edge_aiops.observe.columns import Columns
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import LeaseLost, Leases
from edge_aiops.testing.clock import FakeClock

from .pushes import BOOT, NODE, OTHER, START_MS, Judge, push, record, row

HOUR_START = START_MS - START_MS % HOUR_MS
DAY_START = START_MS - START_MS % DAY_MS
AGES = Ages(rows=7 * DAY_MS, label_rows=60 * DAY_MS, hours=90 * DAY_MS, days=730 * DAY_MS)
DAY_S = 86_400


class Hub:
    """Ingest, roll-up and retention on one database."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.groups: dict[str, str] = {}
        self._database = database
        self._seq = 0
        self._ingest = Ingest(database, clock=self.clock, admission=Judge(self._admit), interval_s=60)
        self._retention = HubRetention(database, clock=self.clock, ages=AGES)
        self.rollup = Rollup(database, clock=self.clock, ages=AGES)
        self.leases = Leases(database, clock=self.clock)

    async def take(self, *items: Any, node_id: str = NODE) -> None:
        await self._ingest.push(node_id, push(*items))

    async def roll_up(self) -> None:
        lease = await self.leases.hold("rollup", "test", ttl_s=3_600)
        assert lease is not None
        await self.rollup.round(lease, wait=False)

    async def retire(self) -> None:
        """A pass of retention, an hour after the clock was seen first."""
        lease = await self.leases.hold("retention", "test", ttl_s=3_600)
        assert lease is not None
        self.clock.advance(3_700)
        await self._retention.round(lease)

    async def requests(self, table: Any, width_ms: int, part: str = WHOLE, **where: Any) -> list[int]:
        """Requests in merged windows, in the order of their beginnings."""
        query = select(table.c.summary).where(table.c.width_ms == width_ms, table.c.part == part)
        for name, value in where.items():
            query = query.where(table.c[name] == value)
        found = await self.all(query.order_by(table.c.start_ms))
        return [Performance.from_bytes(summary).requests for (summary,) in found]

    async def all(self, query: Any) -> list[tuple[Any, ...]]:
        async def read(connection: AsyncConnection) -> list[tuple[Any, ...]]:
            return [tuple(found) for found in await connection.execute(query)]

        return await self._database.read(read)

    async def change(self, statement: Any) -> None:
        await self._database.change(lambda connection: connection.execute(statement))

    def _admit(self, pushing: Sequence[Pushing]) -> list[Verdict]:
        return [self.groups.get(push.node_id, "default") for push in pushing]


@pytest.fixture
async def hub(stores: Any) -> AsyncIterator[Hub]:
    async with Database.open(stores.database) as database:
        yield Hub(database)


async def test_rows_become_hours_and_days_of_nodes_and_of_groups(hub: Hub) -> None:
    hub.groups[OTHER] = "site"
    await hub.take(row(1), row(2, start_ms=START_MS + HOUR_MS), row(4, boot=BOOT + 1))
    await hub.take(row(8), node_id=OTHER)
    await hub.take(row(16), node_id="3" * 32)
    await hub.roll_up()
    assert await hub.requests(NODE_WINDOWS, HOUR_MS, node_id=NODE) == [5, 2]
    assert await hub.requests(NODE_WINDOWS, DAY_MS, node_id=NODE) == [7]
    assert await hub.requests(MERGED, FIVE_MINUTES_MS, group_name="default") == [21, 2]
    assert await hub.requests(MERGED, HOUR_MS, group_name="default") == [21, 2]
    assert await hub.requests(MERGED, DAY_MS, group_name="default") == [23]
    assert await hub.requests(MERGED, DAY_MS, group_name="site") == [8]
    columns = (MERGED.c.n, MERGED.c.revision, MERGED.c.rows, MERGED.c.nodes)
    day = select(*columns).where(MERGED.c.width_ms == DAY_MS, MERGED.c.group_name == "default")
    assert await hub.all(day) == [(23, 23, 4, 2)]
    assert await hub.all(select(DIRTY)) == []


async def test_a_row_that_grows_counts_as_it_is_last_and_a_second_roll_up_changes_nothing(hub: Hub) -> None:
    await hub.take(row(3))
    await hub.roll_up()
    await hub.take(row(5, seq=2))
    await hub.roll_up()
    await hub.take(row(3))
    await hub.roll_up()
    assert await hub.requests(MERGED, DAY_MS) == [5]
    before = await hub.all(select(MERGED.c.change, MERGED.c.start_ms))
    await hub.roll_up()
    assert await hub.all(select(MERGED.c.change, MERGED.c.start_ms)) == before


async def test_wide_rows_are_in_the_windows_of_their_width_and_wider_and_hours_and_rests_are_everything(
    hub: Hub,
) -> None:
    await hub.take(row(1), row(2, width_ms=HOUR_MS, start_ms=HOUR_START), row(4, width_ms=DAY_MS, start_ms=DAY_START))
    await hub.roll_up()
    assert await hub.requests(MERGED, FIVE_MINUTES_MS) == [1]
    assert await hub.requests(MERGED, HOUR_MS) == [3]
    assert await hub.requests(MERGED, DAY_MS, REST) == [4]
    assert await hub.requests(MERGED, DAY_MS) == [7]


async def test_a_change_has_a_higher_number_than_all_before(hub: Hub) -> None:
    await hub.take(row(1))
    await hub.roll_up()
    highest = max(number for (number,) in await hub.all(select(MERGED.c.change)))
    await hub.take(row(2, seq=2))
    await hub.roll_up()
    assert all(number > highest for (number,) in await hub.all(select(MERGED.c.change)))


async def test_rows_wait_for_the_bytes_of_their_baseline(hub: Hub) -> None:
    baseline = Baseline({"x": np.arange(200.0)})
    content = baseline.to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    summary = RoleSummary(baseline, max_features=10).told().to_bytes()
    of_inputs = row(0, seq=2, revision=1, kind="inputs", baseline=digest)
    of_inputs = replace(of_inputs, summary=summary, sha256=hashlib.sha256(summary).digest())
    await hub.take(row(1), of_inputs)
    await hub.roll_up()
    status = await hub.rollup.status()
    assert (status.waiting, status.without_baseline) == (0, 1)
    assert await hub.all(select(MERGED.c.kind).distinct()) == [("performance",)]
    await hub.take(record(digest, kind="baseline", body=content, seq=3))
    await hub.roll_up()
    assert (await hub.rollup.status()).without_baseline == 0
    kinds = await hub.all(select(MERGED.c.kind).distinct().order_by(MERGED.c.kind))
    assert kinds == [("inputs",), ("performance",)]
    assert len(await hub.all(select(BASELINES.c.sha256))) == 1


async def test_rows_and_hours_with_digests_from_before_they_stayed_on_nodes_are_merged_without(hub: Hub) -> None:
    summary = RoleSummary(None, max_features=10)
    summary.update(Columns(rows=3, digests=np.array([1, 1, 2], np.uint64)))

    def of_inputs(seq: int, boot: int) -> PushRow:
        said = summary.told().to_bytes()
        made: PushRow = row(0, seq=seq, revision=3, kind="inputs", boot=boot)
        return replace(made, summary=said, sha256=hashlib.sha256(said).digest())

    await hub.take(of_inputs(1, BOOT))
    await hub.roll_up()
    for table in (ROWS, NODE_WINDOWS, MERGED):
        await hub.change(update(table).values(summary=summary.to_bytes()))
    await hub.take(of_inputs(2, BOOT + 1), row(1, seq=3))
    await hub.take(of_inputs(1, BOOT), node_id=OTHER)
    await hub.roll_up()
    for width_ms in (FIVE_MINUTES_MS, HOUR_MS, DAY_MS):
        ((data,),) = await hub.all(
            select(MERGED.c.summary).where(
                MERGED.c.width_ms == width_ms, MERGED.c.part == WHOLE, MERGED.c.kind == "inputs"
            )
        )
        merged = RoleSummary.from_bytes(data, None)
        assert (merged.rows, merged.counters.duplicates, merged.is_told) == (9, 3, True)
    assert (await hub.rollup.status()).damaged == 0


async def test_a_damaged_summary_is_passed_over_and_counted(hub: Hub) -> None:
    await hub.take(row(1), row(2, boot=BOOT + 1))
    await hub.change(update(ROWS).where(ROWS.c.boot == BOOT).values(summary=b"damaged"))
    await hub.roll_up()
    assert await hub.requests(MERGED, DAY_MS) == [2]
    assert (await hub.rollup.status()).damaged > 0


@pytest.mark.parametrize("count", [2**64 - 1, 2**53, 2**52, 2**40 + 1])
async def test_a_summary_of_absurd_counts_spoils_no_other(hub: Hub, count: int) -> None:
    absurd = replace(row(count, revision=1), n=1)
    for node_id in (NODE, OTHER):
        await hub.take(absurd, replace(absurd, seq=2, key=replace(absurd.key, boot=BOOT + 1)), node_id=node_id)
    await hub.take(row(3), node_id="3" * 32)
    await hub.roll_up()
    assert await hub.requests(MERGED, DAY_MS) == [3]


async def test_a_window_of_a_group_never_shrinks(hub: Hub) -> None:
    await hub.take(row(5))
    await hub.take(row(2), node_id=OTHER)
    await hub.roll_up()
    await hub.change(delete(NODE_WINDOWS).where(NODE_WINDOWS.c.node_id == NODE))
    await hub.take(row(3, seq=2), node_id=OTHER)
    await hub.roll_up()
    assert await hub.requests(MERGED, HOUR_MS) == [7]


async def test_a_replica_that_lost_its_lease_writes_nothing(hub: Hub) -> None:
    await hub.take(row(1))
    lost = await hub.leases.hold("rollup", "dead", ttl_s=-1)
    assert lost is not None
    await hub.leases.hold("rollup", "other", ttl_s=60)
    with pytest.raises(LeaseLost):
        await hub.rollup.round(lost)
    assert await hub.all(select(NODE_WINDOWS.c.n)) == []
    assert len(await hub.all(select(DIRTY.c.marks))) == 1


async def test_windows_of_groups_wait_for_more_nodes(hub: Hub) -> None:
    lease = await hub.leases.hold("rollup", "test", ttl_s=36_000)
    assert lease is not None
    await hub.take(row(1))
    await hub.rollup.round(lease)
    assert await hub.requests(NODE_WINDOWS, DAY_MS) == [1]
    assert await hub.all(select(MERGED.c.n)) == []
    hub.clock.advance(15)
    await hub.rollup.round(lease)
    assert await hub.all(select(MERGED.c.width_ms)) == [(FIVE_MINUTES_MS,)]
    hub.clock.advance(120)
    await hub.rollup.round(lease)
    assert sorted(await hub.all(select(MERGED.c.width_ms))) == [(FIVE_MINUTES_MS,), (HOUR_MS,), (DAY_MS,)]


async def test_rows_go_when_their_day_is_quiet_for_a_week_and_sums_stay(hub: Hub) -> None:
    await hub.take(row(1), row(2, kind="labels", seq=2), row(8, seq=3, start_ms=START_MS + HOUR_MS))
    await hub.roll_up()
    hub.clock.advance(7 * DAY_S)
    await hub.retire()
    assert len(await hub.all(select(ROWS.c.n))) == 3  # the day was not over a week ago
    hub.clock.advance(DAY_S)
    await hub.retire()
    assert await hub.all(select(ROWS.c.kind)) == [("labels",)]  # they grow with feedback
    assert await hub.requests(NODE_WINDOWS, DAY_MS, kind="performance") == [9]
    assert await hub.requests(MERGED, HOUR_MS, kind="performance") == [1, 8]


async def test_what_comes_for_a_closed_day_is_not_counted_twice_and_told(hub: Hub) -> None:
    await hub.take(row(1))
    await hub.roll_up()
    hub.clock.advance(9 * DAY_S)
    await hub.retire()
    await hub.take(row(5, seq=2))
    await hub.roll_up()
    assert await hub.requests(MERGED, DAY_MS) == [1]
    assert await hub.all(select(ROWS.c.n)) == []
    assert (await hub.rollup.status()).late_rows == 1


async def test_what_a_node_that_was_away_for_months_brings_is_counted_beside_days_that_are_closed(hub: Hub) -> None:
    await hub.take(row(1))
    await hub.roll_up()
    hub.clock.advance(20 * DAY_S)
    await hub.retire()
    await hub.take(row(2), node_id=OTHER)
    await hub.roll_up()
    assert await hub.requests(MERGED, HOUR_MS) == [3]
    hub.clock.advance(100 * DAY_S)
    await hub.retire()
    await hub.take(row(4), node_id="3" * 32)
    await hub.roll_up()
    assert await hub.requests(MERGED, DAY_MS) == [7]
    assert await hub.requests(MERGED, DAY_MS, REST) == [4]
    await hub.retire()
    assert await hub.requests(MERGED, HOUR_MS) == []
    hub.clock.advance(700 * DAY_S)
    await hub.retire()
    assert await hub.all(select(MERGED.c.n)) == []
    assert await hub.all(select(NODE_WINDOWS.c.n)) == []


async def test_a_clock_that_jumps_deletes_nothing(hub: Hub) -> None:
    await hub.take(row(1))
    await hub.roll_up()
    await hub.retire()
    hub.clock.jump(20 * 365 * DAY_S)
    lease = await hub.leases.hold("retention", "test", ttl_s=3_600)
    assert lease is not None
    await hub._retention.round(lease)
    assert len(await hub.all(select(ROWS.c.n))) == 1
    assert await hub.requests(MERGED, DAY_MS) == [1]
