"""PostgreSQL under the hub: durable, one migration at a time, and no change made twice or lost without a word."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import InvalidInput, SettingsError, StoreError, Unavailable
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.revisions import stored_revision
from edge_aiops.store.shared.schema import HEAD
from tests.hub_stores import ALONE, PostgreSQL, Stores

on_postgresql = pytest.mark.parametrize("stores", ["postgresql"], indirect=True)

on_postgresql_alone = pytest.mark.parametrize("stores", [ALONE], indirect=True)


@pytest.fixture
async def database(stores: Stores) -> AsyncIterator[Database]:
    async with Database.open(stores.database) as opened:
        yield opened


async def asked(database: Database, question: str) -> Any:
    """The single value that a query gives."""

    async def ask(work: AsyncConnection) -> Any:
        return (await work.execute(text(question))).scalar_one()

    return await database.read(ask)


async def execute(stores: Stores, statement: str) -> Any:
    """Execute a statement beside the hub."""
    connection = await asyncpg.connect(stores.database)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def add(work: AsyncConnection, name: str) -> None:
    await work.execute(text("INSERT INTO models VALUES (:name, 1)"), {"name": name})


async def end_others(work: AsyncConnection) -> None:
    """End all connections to this database but the one that asks."""
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    await work.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({others}) AS others"))


async def test_hubs_that_start_at_once_on_an_empty_database_migrate_it_once(postgresql_server: PostgreSQL) -> None:
    url = await postgresql_server.bare_database()
    async with AsyncExitStack() as stack:
        hubs = await asyncio.gather(*(stack.enter_async_context(Database.open(url)) for _ in range(4)))
        for hub in hubs:
            assert await hub.read(lambda work: work.run_sync(stored_revision)) == HEAD
            assert await hub.read(catalogue.generation) == 0


@on_postgresql
async def test_a_database_of_a_newer_program_is_refused(stores: Stores) -> None:
    await execute(stores, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer than this program"):
        async with Database.open(stores.database):
            pass


@on_postgresql_alone
async def test_commits_are_durable_whatever_the_servers_default_is(stores: Stores) -> None:
    name = await execute(stores, "SELECT current_database()")
    await execute(stores, f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with Database.open(stores.database) as database:
        assert await asked(database, "SHOW synchronous_commit") == "on"


@on_postgresql
async def test_statements_locks_and_idle_transactions_have_deadlines(database: Database) -> None:
    shown = [
        await asked(database, f"SHOW {name}")
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    ]
    assert shown == ["30s", "10s", "1min"]


@on_postgresql
async def test_all_queries_of_a_read_see_the_same_state(database: Database) -> None:
    async def twice(work: AsyncConnection) -> tuple[int, int]:
        before = await catalogue.generation(work)
        await database.change(catalogue.raise_generation)
        return before, await catalogue.generation(work)

    assert await database.read(twice) == (0, 0)
    assert await database.read(catalogue.generation) == 1


@on_postgresql
async def test_a_read_cannot_change_anything(database: Database) -> None:
    with pytest.raises(Unavailable, match="read-only"):
        await database.read(lambda work: add(work, "a"))


@on_postgresql
async def test_of_two_changes_in_each_others_way_both_are_made(database: Database) -> None:
    await database.change(lambda work: add(work, "a"))
    await database.change(lambda work: add(work, "b"))
    both_hold = asyncio.Barrier(2)
    raise_one = text("UPDATE models SET last_deployment = last_deployment + 1 WHERE name = :name")
    attempts = 0

    async def raise_both(work: AsyncConnection, first: str, second: str) -> None:
        nonlocal attempts
        attempts += 1
        await work.execute(raise_one, {"name": first})
        if attempts <= 2:
            await both_hold.wait()
        await work.execute(raise_one, {"name": second})

    await asyncio.gather(
        database.change(lambda work: raise_both(work, "a", "b")),
        database.change(lambda work: raise_both(work, "b", "a")),
    )
    assert attempts == 3
    assert await asked(database, "SELECT array_agg(last_deployment) FROM models") == [3, 3]


@on_postgresql
async def test_a_change_whose_connection_is_lost_before_its_commit_is_made_once(
    database: Database, stores: Stores
) -> None:
    attempts = 0

    async def cut_off_once(work: AsyncConnection) -> None:
        nonlocal attempts
        attempts += 1
        await add(work, "a")
        if attempts == 1:
            mine = (await work.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await execute(stores, f"SELECT pg_terminate_backend({mine})")
        await add(work, "b")

    await database.change(cut_off_once)
    assert attempts == 2
    assert await asked(database, "SELECT array_agg(name ORDER BY name) FROM models") == ["a", "b"]


@on_postgresql_alone
async def test_a_change_whose_connection_is_lost_during_its_commit_is_not_made_again(
    database: Database, stores: Stores
) -> None:
    connection = await asyncpg.connect(stores.database)
    await connection.execute(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER die AFTER INSERT ON models DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die();
        """
    )
    await connection.close()
    attempts = 0

    async def change(work: AsyncConnection) -> None:
        nonlocal attempts
        attempts += 1
        await add(work, "a")

    with pytest.raises(Unavailable, match="not known"):
        await database.change(change)
    assert attempts == 1


@on_postgresql
async def test_a_hub_goes_on_when_all_its_connections_were_ended(database: Database, stores: Stores) -> None:
    await asyncio.gather(*(asked(database, "SELECT 1 FROM pg_sleep(0.01)") for _ in range(4)))
    async with Database.open(stores.database) as other:
        await other.change(end_others)
    await asyncio.gather(*(asked(database, "SELECT 1") for _ in range(8)), database.change(lambda work: add(work, "a")))
    assert await asked(database, "SELECT count(*) FROM models") == 1


@on_postgresql
async def test_who_waits_too_long_for_a_lock_is_told_to_come_again(database: Database) -> None:
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def hold(work: AsyncConnection) -> None:
        await catalogue.lock(work)
        locked.set()
        await go_on.wait()

    async def impatient(work: AsyncConnection) -> None:
        await work.execute(text("SET LOCAL lock_timeout = '20ms'"))
        await catalogue.lock(work)

    holding = asyncio.create_task(database.change(hold))
    await locked.wait()
    with pytest.raises(Unavailable, match="lock timeout"):
        await database.change(impatient)
    go_on.set()
    await holding


@on_postgresql
async def test_a_text_that_postgresql_cannot_keep_is_the_callers_mistake(database: Database) -> None:
    with pytest.raises(InvalidInput, match=r"U\+0000"):
        await database.change(lambda work: add(work, "a\x00b"))


async def test_a_database_that_nobody_serves_is_said_so_without_the_password() -> None:
    with pytest.raises(Unavailable, match="is PostgreSQL running there") as caught:
        async with Database.open("postgresql://edge:secret@127.0.0.1:1/edge"):
            pass
    assert "127.0.0.1:1/edge" in caught.value.message
    assert "secret" not in caught.value.message


@on_postgresql
async def test_a_database_that_is_not_there_is_named(stores: Stores) -> None:
    with pytest.raises(Unavailable, match='database "nowhere" does not exist'):
        async with Database.open(re.sub(r"/test\d+\?", "/nowhere?", str(stores.database))):
            pass


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://edge:secret@db/edge", "no URL of a database"),
        ("hub.db", "no URL of a database"),
        ("postgresql://edge:sec/secret@db:5432/edge", "%2F"),
        ("postgresql://edge@db:nonsense/edge", "not written as"),
    ],
)
async def test_a_wrong_url_is_refused_with_the_right_form_and_without_the_password(url: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        async with Database.open(url):
            pass
    assert "secret" not in caught.value.message
    assert "hub.database" in caught.value.message
