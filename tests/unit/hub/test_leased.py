"""Background work is done by one replica at a time, and goes on at another when that one stops or dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.hub.background import Background
from edge_aiops.hub.leased import LeasedWork, Work
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, LeaseLost, Leases, fence
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

Replica = Callable[..., LeasedWork]


@pytest.fixture
async def database(stores: Stores) -> AsyncIterator[Database]:
    async with Database.open(stores.database) as opened:
        yield opened


@pytest.fixture
def replica(database: Database, fake_clock: FakeClock) -> Replica:
    """The same work as one replica of a hub would do it."""

    def made(work: Work, *, interval_s: float = 60.0, ttl_s: float = 30.0) -> LeasedWork:
        leases = Leases(database, clock=fake_clock)
        return LeasedWork("sums", work, interval_s=interval_s, leases=leases, clock=fake_clock, ttl_s=ttl_s)

    return made


async def end_lease(database: Database) -> None:
    """What time does to the lease of a replica that is gone."""

    async def ended(work: AsyncConnection) -> None:
        await work.execute(text("UPDATE leases SET expires_at = 0"))

    await database.change(ended)


async def test_one_of_two_replicas_works_and_the_other_goes_on_when_it_is_gone(
    replica: Replica, database: Database, fake_clock: FakeClock
) -> None:
    done: list[tuple[str, int]] = []

    def named(name: str) -> Work:
        async def work(lease: Lease) -> None:
            done.append((name, lease.term))

        return work

    a, b = replica(named("a")), replica(named("b"))
    assert (await a.turn(), await b.turn()) == (True, False)
    fake_clock.advance(20)
    assert (await a.turn(), await b.turn()) == (True, False)
    assert done == [("a", 1)]  # the next round is not due yet
    await end_lease(database)
    assert await b.turn()
    fake_clock.advance(10)
    assert not await a.turn()
    assert done == [("a", 1), ("b", 2)]
    for _ in range(3):
        fake_clock.advance(20)
        assert await b.turn()
    assert done == [("a", 1), ("b", 2), ("b", 2)]


async def test_only_a_change_of_replica_is_logged(
    replica: Replica, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(lease: Lease) -> None:
        pass

    caplog.set_level("INFO", "edge_aiops")
    a, b = replica(work), replica(work)
    assert (await a.turn(), await b.turn()) == (True, False)
    assert not caplog.messages
    await end_lease(database)
    assert await b.turn()
    assert caplog.messages == ["sums is done by this replica from now on"]


async def test_a_lease_is_renewed_only_when_a_third_of_it_is_over(
    replica: Replica, database: Database, fake_clock: FakeClock
) -> None:
    async def nothing(lease: Lease) -> None:
        pass

    a, b = replica(nothing), replica(nothing)
    assert await a.turn()
    await end_lease(database)
    fake_clock.advance(9)
    assert await a.turn()  # it has not asked
    assert await b.turn()
    fake_clock.advance(1)
    assert not await a.turn()


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
async def test_on_a_database_of_its_own_a_hub_goes_on_at_once_where_a_dead_one_stopped(
    database: Database, fake_clock: FakeClock
) -> None:
    done = asyncio.Event()

    async def work(lease: Lease) -> None:
        done.set()

    await Leases(database, clock=fake_clock).hold("sums", "gone", ttl_s=86_400)
    background = Background(database, clock=fake_clock)
    background.add("sums", work, interval_s=60)
    async with background.running():
        await done.wait()


async def test_a_replica_that_stops_lets_another_go_on_at_once(replica: Replica) -> None:
    rounds: asyncio.Queue[str] = asyncio.Queue()

    def named(name: str) -> Work:
        async def work(lease: Lease) -> None:
            rounds.put_nowait(name)

        return work

    a, b = replica(named("a")), replica(named("b"))
    async with a.running():
        assert await rounds.get() == "a"
        assert not await b.turn()
    assert await b.turn()
    assert await rounds.get() == "b"


async def test_a_round_under_way_ends_with_the_replica(replica: Replica) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(lease: Lease) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with replica(work).running():
        await begun.wait()
    assert ended.is_set()


async def test_a_round_is_stopped_when_its_lease_is_lost(
    replica: Replica, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(lease: Lease) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def quick(lease: Lease) -> None:
        pass

    turn = asyncio.create_task(replica(slow, ttl_s=3.0).turn())
    await begun.wait()
    await end_lease(database)
    assert await replica(quick).turn()
    assert await turn is False
    assert cancelled.is_set()
    assert "the lease of this replica is over" in caplog.text


async def test_a_long_round_keeps_its_lease(replica: Replica) -> None:
    async def long(lease: Lease) -> None:
        await asyncio.sleep(2.5)

    async def quick(lease: Lease) -> None:
        pass

    turn, other = asyncio.create_task(replica(long, ttl_s=2.0).turn()), replica(quick)
    for _ in range(4):
        await asyncio.sleep(0.5)
        assert not await other.turn()
    assert await turn


async def test_what_a_replica_writes_after_it_lost_the_lease_does_not_stay(
    replica: Replica, database: Database
) -> None:
    async def note(work: AsyncConnection, lease: Lease) -> None:
        await fence(work, lease)
        await work.execute(text("INSERT INTO models VALUES (:name, 1)"), {"name": f"term {lease.term}"})

    async def late(lease: Lease) -> None:
        await end_lease(database)
        assert await replica(quick).turn()
        with pytest.raises(LeaseLost):
            await database.change(lambda work: note(work, lease))
        raise LeaseLost("as it is to be passed on")

    async def quick(lease: Lease) -> None:
        await database.change(lambda work: note(work, lease))

    async def notes(work: AsyncConnection) -> list[str]:
        return list((await work.execute(text("SELECT name FROM models"))).scalars())

    assert await replica(late).turn() is False
    assert await database.read(notes) == ["term 2"]


async def test_work_that_fails_is_logged_and_done_again(
    replica: Replica, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()
    rounds = 0

    async def failing_once(lease: Lease) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            fake_clock.advance(60)
            raise ZeroDivisionError
        done.set()

    async with replica(failing_once, interval_s=0.01).running():
        await done.wait()
    assert "sums failed" in caplog.text
