"""Many statements at once: in order, within the transaction, and with errors like any other's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import StoreError
from edge_aiops.fleet.hub.rows import REPORTS
from edge_aiops.store.shared.bulk import Ask, Each, Put, Steps, execute_all, fetch_all
from edge_aiops.store.shared.database import Database

INSERT = "INSERT INTO models (name, last_deployment) VALUES (?, ?)"
SELECT = "SELECT name, last_deployment FROM models WHERE last_deployment < ? ORDER BY name"


async def test_statements_run_in_their_order_once_for_each_of_their_values(stores: Any) -> None:
    async def work(connection: AsyncConnection) -> list[tuple[Any, ...]]:
        rise = Each("UPDATE models SET last_deployment = last_deployment + ?", [(1,), (10,)])
        await execute_all(connection, [Each(INSERT, [("a", 1), ("b", 2), ("c", 90)]), Each(INSERT, []), rise])
        return [tuple(row) for row in await fetch_all(connection, SELECT, (50,))]

    async with Database.open(stores.database) as database:
        assert await database.change(work) == [("a", 12), ("b", 13)]


async def test_nothing_stays_when_one_of_them_is_refused(stores: Any) -> None:
    async def work(connection: AsyncConnection) -> None:
        await execute_all(connection, [Each(INSERT, [("a", 1)]), Each(INSERT, [("a", 1)])])

    async with Database.open(stores.database) as database:
        with pytest.raises(StoreError, match="refused"):
            await database.change(work)
        assert list(await database.read(lambda connection: fetch_all(connection, SELECT, (50,)))) == []


async def test_rows_put_in_together_are_as_if_each_had_come_alone(stores: Any) -> None:
    first = [
        ("n1", 1, 2**63 - 1, -7, 0, 2, b""),
        ('"ä\\', 2, 0, 0, 0, 0, b"\x00\xff"),
        ("n3", 3, 0, 0, 0, 0, b"{}" * 9),
    ]
    later = [("n4", 4, 0, 0, 0, 0, b"4"), ("n1", 9, 0, 0, 0, 0, b"other")]
    keep = "(node_id) DO UPDATE SET boot = excluded.boot, reported = excluded.reported"

    async def work(connection: AsyncConnection) -> list[tuple[Any, ...]]:
        await execute_all(connection, [Put(REPORTS, keep, first), Put(REPORTS, keep, []), Put(REPORTS, keep, later)])
        return [tuple(row) for row in await connection.execute(select(REPORTS).order_by(REPORTS.c.boot))]

    async with Database.open(stores.database) as database:
        assert await database.change(work) == [*first[1:], later[0], ("n1", 9, 2**63 - 1, -7, 0, 2, b"other")]


async def test_what_the_database_refuses_of_them_is_an_error_of_the_store(stores: Any) -> None:
    put = Put(REPORTS, "(node_id) DO UPDATE SET boot = NULL", [("n1", 1, 0, 0, 0, 0, b"")])
    async with Database.open(stores.database) as database:
        await database.change(lambda connection: execute_all(connection, [put]))
        with pytest.raises(StoreError, match="refused"):
            await database.change(lambda connection: execute_all(connection, [put]))


def added(*names: str, then: BaseException | None = None) -> Steps[int]:
    """Add models, each with the number of those before it; gives how many there are."""
    for name in names:
        ((before,),) = yield Ask("SELECT count(*) FROM models WHERE name <> ?", ("",))
        yield Each(INSERT, [(name, before)])
    yield Put(REPORTS, "DO NOTHING", [])
    if then is not None:
        raise then
    ((after,),) = yield Ask(dict.fromkeys(("sqlite", "postgresql"), "SELECT count(*) FROM models"))
    return int(after)


async def test_a_transaction_of_statements_is_sent_what_they_give_and_is_kept_as_a_whole(stores: Any) -> None:
    async with Database.open(stores.database) as database:
        assert await database.change_by(lambda: added("a", "b")) == 2
        with pytest.raises(KeyError):
            await database.change_by(lambda: added("c", then=KeyError("in between")))
        with pytest.raises(StoreError, match="refused"):
            await database.change_by(lambda: added("d", "a"))
        assert await database.change_by(lambda: added("e")) == 3
        found = await database.read(lambda connection: fetch_all(connection, SELECT, (50,)))
        assert [tuple(row) for row in found] == [("a", 0), ("b", 1), ("e", 2)]
