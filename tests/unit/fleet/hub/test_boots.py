"""Which process of a node may push: the one that started last, and of two that live neither."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import NodeQuarantined, NodeRevoked, Unauthenticated
from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.boots import Pushing, note_boots
from edge_aiops.store.shared.database import Database

from .pushes import NODE, OTHER

NEW = {
    "name": "", "node_group": "site", "public_key": bytes(32), "joined_at": 0, "joined_with": "", "status": "active",
    "status_at": 0,
}  # fmt: skip


async def test_a_push_counts_in_its_nodes_group_unless_its_node_is_shut_out_or_not_known(stores: Any) -> None:
    async def work(connection: AsyncConnection) -> list[Any]:
        await nodes.put(connection, NODE, **NEW)
        await nodes.put(connection, OTHER, **NEW)
        await nodes.put_status(connection, OTHER, "revoked", reason="lost", now_ms=1)
        pushing = [Pushing(NODE, 1, 1), Pushing(OTHER, 1, 1), Pushing("3" * 32, 1, 1), Pushing(NODE, 1, 1)]
        return list(await note_boots(connection, pushing, now_ms=2))

    async with Database.open(stores.database) as database:
        own, revoked, unknown, again = await database.change(work)
    assert (own, again) == ("site", "site")
    assert isinstance(revoked, NodeRevoked)
    assert isinstance(unknown, Unauthenticated)


async def test_processes_that_push_in_turn_are_clones_once_the_first_has_opened_another_session(stores: Any) -> None:
    async with Database.open(stores.database) as database:

        async def push(boot: int, session: int) -> Any:
            async def work(connection: AsyncConnection) -> Any:
                return (await note_boots(connection, [Pushing(NODE, boot, session)], now_ms=session))[0]

            return await database.change(work)

        await database.change(lambda connection: nodes.put(connection, NODE, **NEW))
        assert await push(7, 1) == "site"
        assert await push(8, 2) == "site"
        assert isinstance(await push(7, 1), Unauthenticated)  # it may have been under way for long
        assert await push(8, 2) == "site"
        assert isinstance(await push(7, 3), NodeQuarantined)
        assert isinstance(await push(8, 2), NodeQuarantined)
