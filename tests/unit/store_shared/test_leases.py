"""A lease is held by one at a time; who lost it can write nothing more under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, LeaseLost, Leases, fence
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

Pass = Callable[[float], Awaitable[None]]


@pytest.fixture
async def database(stores: Stores) -> AsyncIterator[Database]:
    async with Database.open(stores.database) as opened:
        yield opened


@pytest.fixture
def leases(database: Database, fake_clock: FakeClock) -> Leases:
    return Leases(database, clock=fake_clock)


@pytest.fixture
def let_pass(database: Database, fake_clock: FakeClock) -> Pass:
    """Lets time pass: on SQLite the clock goes on; on PostgreSQL, whose clock no test can set, the lease goes back."""

    async def passed(seconds: float) -> None:
        async def back(work: AsyncConnection) -> None:
            await work.execute(text(f"UPDATE leases SET expires_at = expires_at - {round(seconds * 1000)}"))

        if database.dialect == "sqlite":
            fake_clock.jump(seconds)
        else:
            await database.change(back)

    return passed


async def test_of_two_that_want_a_lease_one_has_it_until_it_is_over(leases: Leases, let_pass: Pass) -> None:
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    assert await leases.hold("roll-up", "b", ttl_s=30) is None
    await let_pass(20)
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    await let_pass(20)
    assert await leases.hold("roll-up", "b", ttl_s=30) is None
    await let_pass(10)
    assert await leases.hold("roll-up", "b", ttl_s=30) == Lease("roll-up", "b", 2)
    assert await leases.hold("roll-up", "a", ttl_s=30) is None


async def test_of_many_that_try_at_once_exactly_one_has_it(leases: Leases) -> None:
    for name in ("new", "free"):
        if name == "free":
            lease = await leases.hold(name, "before", ttl_s=30)
            assert lease
            await leases.release(lease)
        held = await asyncio.gather(*(leases.hold(name, f"holder {number}", ttl_s=30) for number in range(12)))
        assert sum(lease is not None for lease in held) == 1


async def test_a_released_lease_is_free_at_once_and_its_term_goes_on(leases: Leases) -> None:
    first = await leases.hold("roll-up", "a", ttl_s=30)
    assert first
    await leases.release(first)
    second = await leases.hold("roll-up", "b", ttl_s=30)
    assert second == Lease("roll-up", "b", 2)
    await leases.release(first)  # too late: it is another's
    assert await leases.hold("roll-up", "a", ttl_s=30) is None


async def test_a_lease_kept_by_the_same_holder_keeps_its_term_even_when_it_was_over(
    leases: Leases, let_pass: Pass
) -> None:
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    await let_pass(3600)
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)


async def test_leases_of_other_names_are_their_own(leases: Leases) -> None:
    assert await leases.hold("roll-up", "a", ttl_s=30) == Lease("roll-up", "a", 1)
    assert await leases.hold("collect", "b", ttl_s=30) == Lease("collect", "b", 1)


async def test_a_clock_that_is_set_back_keeps_no_lease_for_ever(leases: Leases, let_pass: Pass) -> None:
    await leases.hold("roll-up", "gone", ttl_s=30)
    await let_pass(-365 * 86400)
    assert await leases.hold("roll-up", "b", ttl_s=30) == Lease("roll-up", "b", 2)


async def test_what_is_written_under_a_lost_lease_does_not_stay(
    database: Database, leases: Leases, let_pass: Pass
) -> None:
    async def note(work: AsyncConnection, lease: Lease) -> None:
        await fence(work, lease)
        await work.execute(text("INSERT INTO models VALUES (:name, 1)"), {"name": lease.holder})

    async def notes(work: AsyncConnection) -> list[str]:
        return list((await work.execute(text("SELECT name FROM models"))).scalars())

    late = await leases.hold("roll-up", "a", ttl_s=30)
    assert late
    await let_pass(31)
    present = await leases.hold("roll-up", "b", ttl_s=30)
    assert present
    await database.change(lambda work: note(work, present))
    with pytest.raises(LeaseLost, match="roll-up"):
        await database.change(lambda work: note(work, late))
    assert await database.read(notes) == ["b"]


async def test_nobody_takes_a_lease_over_while_a_fenced_transaction_lasts(
    database: Database, leases: Leases, let_pass: Pass
) -> None:
    fenced, go_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []
    lease = await leases.hold("roll-up", "a", ttl_s=30)
    assert lease
    await let_pass(31)

    async def slow(work: AsyncConnection) -> None:
        await fence(work, lease)
        fenced.set()
        await go_on.wait()
        done.append("written")

    async def take_over() -> None:
        assert await leases.hold("roll-up", "b", ttl_s=30) == Lease("roll-up", "b", 2)
        done.append("taken over")

    writing = asyncio.create_task(database.change(slow))
    await fenced.wait()
    taking = asyncio.create_task(take_over())
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(writing, taking)
    assert done == ["written", "taken over"]
