"""A hub above hubs counts what the hubs below it count, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import msgspec
import pytest
from sqlalchemy import text

from edge_aiops.fleet.hub.forwarding import Forwarding
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.retention import HubRetention
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.messages.push import Push, Pushed, Reported, WentBack
from edge_aiops.observe.performance import Performance
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, Leases
from edge_aiops.testing.clock import FakeClock
from tests.unit.fleet.hub.pushes import NODE, OTHER, START_MS, Judge, push, record, row

DAY_MS = 86_400_000
SITE = "a" * 32
REPORTED = Reported(generation=0)


class Level(NamedTuple):
    """One hub: of a site, or of a region."""

    database: Database
    ingest: Ingest
    rollup: Rollup
    forwarding: Forwarding
    lease: Lease
    clock: FakeClock
    ages: Ages

    async def change(self, statement: str) -> None:
        await self.database.change(lambda connection: connection.execute(text(statement)))

    async def retire(self) -> None:
        retention = HubRetention(self.database, clock=self.clock, ages=self.ages, forwards=True)
        self.clock.advance(3_700)
        await retention.round(self.lease)

    async def count(self, table: str) -> int:
        query = text(f"SELECT count(*) FROM {table}")
        return int(await self.database.read(lambda connection: scalar(connection, query)))

    async def totals(self) -> int:
        """Requests in all days."""
        await self.rollup.round(self.lease, wait=False)
        query = text("SELECT summary FROM fleet_merged WHERE part = 'whole' AND width_ms = :day")

        async def read(connection: Any) -> list[bytes]:
            return [found[0] for found in await connection.execute(query, {"day": DAY_MS})]

        return sum(Performance.from_bytes(summary).requests for summary in await self.database.read(read))


async def below(above: Level, site: Level, push: Push | None, *, arrives: bool = True, is_told: bool = True) -> bool:
    """Have one push take its way up; whether there was one."""
    if push is None:
        return False
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(push), type=Push)
    said = await above.ingest.push(SITE, wire) if arrives else None
    if isinstance(said, WentBack):
        await site.forwarding.rewind(said.cursors)
    elif isinstance(said, Pushed) and is_told:
        await site.forwarding.acknowledge(said)
    return True


async def drain(above: Level, site: Level) -> None:
    await site.rollup.round(site.lease, wait=False)
    while await below(above, site, await site.forwarding.batch(REPORTED)):
        pass


async def scalar(connection: Any, query: Any) -> Any:
    return (await connection.execute(query)).scalar_one()


Open = Callable[[str], Awaitable[Level]]


on_both = pytest.mark.parametrize("level", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def level(tmp_path: Any, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Opens a hub on a database of its own, by default a file of that name."""
    server = request.getfixturevalue("postgresql_server") if getattr(request, "param", "") == "postgresql" else None
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Level:
            clock = FakeClock(START_MS + 3_600_000)
            location = tmp_path / f"{name}.db"
            if server is not None:
                location = await server.borrow()
                stack.push_async_callback(server.give_back, location)
            database = await stack.enter_async_context(Database.open(location))
            ingest = Ingest(database, clock=clock, admission=Judge(), interval_s=60)
            stack.push_async_callback(ingest.close)
            ages = Ages(rows=7 * DAY_MS, label_rows=90 * DAY_MS, hours=90 * DAY_MS, days=800 * DAY_MS)
            lease = await Leases(database, clock=clock).hold("fleet", name, ttl_s=1e6)
            assert lease is not None
            forwarding = Forwarding(database, lease, clock=clock)
            return Level(database, ingest, Rollup(database, clock=clock, ages=ages), forwarding, lease, clock, ages)

        yield opened


@on_both
async def test_totals_are_equal_at_each_level(level: Open) -> None:
    device_site, region, world = await level("site"), await level("region"), await level("world")
    await device_site.ingest.push(NODE, push(row(5), row(7, seq=2, start_ms=START_MS + 300_000)))
    await device_site.ingest.push(OTHER, push(row(11), row(13, seq=2, width_ms=DAY_MS, start_ms=day(START_MS))))
    await drain(region, device_site)
    await drain(world, region)
    assert [await each.totals() for each in (device_site, region, world)] == [36, 36, 36]
    # A row that grows is replaced at every level, not counted again.
    await device_site.ingest.push(NODE, push(row(6, seq=3)))
    await drain(region, device_site)
    await drain(world, region)
    assert [await each.totals() for each in (device_site, region, world)] == [37, 37, 37]
    assert await device_site.forwarding.batch(REPORTED) is None


async def test_a_node_that_changes_its_group_is_counted_once_above(level: Open) -> None:
    site, region = await level("site"), await level("region")

    moved = Ingest(
        site.database, clock=site.clock, admission=Judge(lambda pushing: ["other" for _ in pushing]), interval_s=60
    )
    for n in (5, 6):  # the row comes, and grows
        await site.ingest.push(NODE, push(row(n, seq=n)))
        await drain(region, site)
        await moved.push(NODE, push(row(n + 2, seq=n + 10, start_ms=START_MS + 300_000)))
        await moved.push(NODE, push(row(n + 1, seq=n + 20)))
        await drain(region, site)
        assert await region.totals() == await site.totals() == 2 * n + 3
    await moved.close()


async def test_nothing_is_lost_or_counted_twice_on_a_bad_way_up(level: Open) -> None:
    way = random.Random(7)
    site, region = await level("site"), await level("region")
    sent = 0
    for step in range(30):
        n = way.randrange(1, 9)
        sent += n
        start_ms = START_MS + step * 300_000
        await site.ingest.push(way.choice((NODE, OTHER)), push(row(n, seq=step + 1, start_ms=start_ms), have={}))
        await site.rollup.round(site.lease, wait=False)
        trip = {"arrives": way.random() < 0.6, "is_told": way.random() < 0.5}
        await below(region, site, await site.forwarding.batch(REPORTED), **trip)
    await drain(region, site)
    assert await region.totals() == await site.totals() == sent


async def test_a_region_that_lost_everything_is_told_everything_again(level: Open) -> None:
    site, region = await level("site"), await level("region")
    await site.ingest.push(NODE, push(row(5), record("one", seq=2, body=b'{"severity":"critical"}')))
    await drain(region, site)
    assert await site.forwarding.batch(REPORTED) is None
    restored = await level("restored")
    await below(restored, site, await site.forwarding.check_in(REPORTED))
    await drain(restored, site)
    assert await restored.totals() == 5
    assert await alerts(restored) == await alerts(region) == [{"nodeId": NODE, "severity": "critical"}]


async def test_the_next_holder_of_the_lease_goes_on_where_the_last_one_was(level: Open) -> None:
    site, region = await level("site"), await level("region")
    await site.ingest.push(NODE, push(row(5)))
    await drain(region, site)
    successor = site._replace(forwarding=Forwarding(site.database, site.lease, clock=FakeClock(START_MS)))
    assert await successor.forwarding.batch(REPORTED) is None
    await site.ingest.push(OTHER, push(row(2)))
    await drain(region, successor)
    assert await region.totals() == 7


def day(at_ms: int) -> int:
    return at_ms - at_ms % DAY_MS


async def alerts(level: Level) -> list[Any]:
    async def read(connection: Any) -> list[bytes]:
        found = await connection.execute(text("SELECT body FROM fleet_records WHERE kind = 'alert'"))
        return [each[0] for each in found]

    return [msgspec.json.decode(body) for body in await level.database.read(read)]


async def test_what_the_hub_above_refuses_is_passed_over_until_it_grows(level: Open) -> None:
    site, region = await level("site"), await level("region")
    await site.ingest.push(NODE, push(row(5), row(7, seq=2, start_ms=START_MS + 7_200_000)))
    await site.rollup.round(site.lease, wait=False)
    assert await site.forwarding.batch(REPORTED) is not None
    await site.forwarding.refuse("no", row=0)
    await drain(region, site)
    assert await region.totals() == 7
    await site.ingest.push(NODE, push(row(6, seq=3)))
    await drain(region, site)
    assert await region.totals() == 13


async def test_a_push_says_how_much_waits_behind_it(level: Open) -> None:
    site = await level("site")
    rows = [row(1, seq=hour + 1, start_ms=START_MS + hour * 3_600_000) for hour in range(7)]
    await site.ingest.push(NODE, push(*rows, record("one", seq=8), record("two", seq=9)))
    await site.rollup.round(site.lease, wait=False)
    sent = await site.forwarding.batch(REPORTED, most=4)
    assert sent is not None
    assert (len(sent.rows), sent.lag) == (3, 4)
    last = await site.forwarding.batch(REPORTED, most=9)
    assert last is not None
    assert (len(last.rows), len(last.records), last.lag) == (7, 1, 1)


@on_both
async def test_hours_stay_until_the_hub_above_has_them_and_then_all_of_them_goes(level: Open) -> None:
    site, region = await level("site"), await level("region")
    await site.ingest.push(NODE, push(row(5), record("one", seq=2, body=b"{}")))
    await site.rollup.round(site.lease, wait=False)
    for _ in range(2):
        site.clock.advance(100 * DAY_MS / 1000)
        await site.retire()
    await drain(region, site)
    assert await region.totals() == 5
    assert await site.count("fleet_forwarded") == 1
    await site.retire()
    await site.retire()
    assert await site.count("fleet_forwarded") == 0
    assert await site.count("fleet_forwarded_records") == 1
    await site.change("DELETE FROM fleet_records")
    await site.retire()
    assert await site.count("fleet_forwarded_records") == 0


async def test_a_part_that_can_no_longer_be_read_takes_nothing_from_the_hub_above(level: Open) -> None:
    site, region = await level("site"), await level("region")
    await site.ingest.push(NODE, push(row(5)))
    await drain(region, site)
    # Another group comes, and what the first had is damaged on the disk.
    await site.change("UPDATE fleet_merged SET group_name = 'other', summary = x'00'")
    await site.ingest.push(OTHER, push(row(2)))
    await site.change("DELETE FROM fleet_rows WHERE node_id <> '" + OTHER + "'")
    await site.change("DELETE FROM fleet_node_windows WHERE node_id <> '" + OTHER + "'")
    await drain(region, site)
    assert await region.totals() == 5
    assert await site.forwarding.batch(REPORTED) is None


async def test_windows_that_cannot_be_read_hold_up_no_others(level: Open) -> None:
    site, region = await level("site"), await level("region")
    hours = [row(1, seq=hour + 1, start_ms=START_MS + hour * 3_600_000) for hour in range(5)]
    await site.ingest.push(NODE, push(*hours))
    await site.rollup.round(site.lease, wait=False)
    await site.change(f"UPDATE fleet_merged SET summary = x'00' WHERE start_ms <= {START_MS + 2 * 3_600_000}")
    while await below(region, site, await site.forwarding.batch(REPORTED, most=3)):
        pass
    assert await region.totals() == 2
