"""Many statements at once: in order, within the transaction, and with errors like any other's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import StoreError
from edge_aiops.store.shared.bulk import Each, execute_all, fetch_all
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
