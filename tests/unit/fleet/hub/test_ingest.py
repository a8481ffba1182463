"""Ingest: the rules of the protocol, in one transaction for many pushes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import NodeRevoked, NotFound, Overloaded, StoreError, Unavailable
from edge_aiops.fleet.hub import ingest as module
from edge_aiops.fleet.hub import rows
from edge_aiops.fleet.hub.boots import Pushing, Verdict
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.messages.push import Pushed, WentBack
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock

from .pushes import BOOT, NODE, OTHER, START_MS, Judge, push, record, row


class Hub:
    """An ingest and its database."""

    def __init__(self, database: Database, **more: Any) -> None:
        self.database = database
        self.clock = FakeClock()
        self.ingest = Ingest(database, clock=self.clock, interval_s=60, **{"admission": Judge(), **more})

    async def all(self, *columns: Any) -> list[tuple[Any, ...]]:
        """The rows of these columns, in order."""

        async def read(connection: AsyncConnection) -> list[tuple[Any, ...]]:
            return sorted(tuple(found) for found in await connection.execute(select(*columns)))

        return await self.database.read(read)


@asynccontextmanager
async def opened(stores: Any, **more: Any) -> AsyncIterator[Hub]:
    async with Database.open(stores.database) as database:
        hub = Hub(database, **more)
        yield hub
        await hub.ingest.close()


@pytest.fixture
async def hub(stores: Any) -> AsyncIterator[Hub]:
    async with opened(stores) as hub:
        yield hub


async def test_a_push_is_kept_and_its_numbers_are_acknowledged(hub: Hub) -> None:
    said = await hub.ingest.push(NODE, push(row(5, seq=1), record(seq=2), clock=hub.clock.now_ms() + 7_000, lag=3))
    assert isinstance(said, Pushed)
    assert (said.cursors, said.written, said.server_time) == ({BOOT: 2}, 2, hub.clock.now_ms())
    table = rows.ROWS.c
    assert await hub.all(table.node_id, table.boot, table.n, table.revision, table.group_name) == [
        (NODE, BOOT, 5, 5, "default")
    ]
    assert await hub.all(rows.RECORDS.c.id, rows.RECORDS.c.body) == [("1", b"{}")]
    assert await hub.all(rows.DIRTY.c.node_id, rows.DIRTY.c.start_ms, rows.DIRTY.c.marks) == [(NODE, START_MS, 1)]
    assert await hub.all(rows.REPORTS.c.node_id, rows.REPORTS.c.skew_ms, rows.REPORTS.c.lag) == [(NODE, 7_000, 3)]


async def test_a_repeated_push_changes_nothing(hub: Hub) -> None:
    sent = push(row(5), record(seq=2))
    first, second = await hub.ingest.push(NODE, sent), await hub.ingest.push(NODE, sent)
    assert isinstance(first, Pushed) and isinstance(second, Pushed)
    assert first.cursors == second.cursors
    assert second.written == 0
    assert await hub.all(rows.ROWS.c.n) == [(5,)]
    assert len(await hub.all(rows.RECORDS.c.id)) == 1


@pytest.mark.parametrize("order", [(3, 7), (7, 3)])
async def test_the_higher_revision_of_a_row_stays_in_whatever_order_they_come(hub: Hub, order: Sequence[int]) -> None:
    for seq, n in enumerate(order, 1):
        await hub.ingest.push(NODE, push(row(n, seq=seq)))
    assert await hub.all(rows.ROWS.c.n, rows.ROWS.c.revision) == [(7, 7)]


async def test_rows_of_two_starts_of_a_process_are_two(hub: Hub) -> None:
    await hub.ingest.push(NODE, push(row(1, seq=1), row(1, seq=2, boot=BOOT + 1)))
    assert len(await hub.all(rows.ROWS.c.boot)) == 2


async def test_a_node_that_was_told_of_more_is_told_how_much_there_is_and_nothing_is_kept(hub: Hub) -> None:
    await hub.ingest.push(NODE, push(row(1, seq=4)))
    said = await hub.ingest.push(NODE, push(row(9, seq=6), record(seq=7), have={BOOT: 5, 8: 0}))
    assert said == WentBack(cursors={BOOT: 4, 8: 0})
    assert await hub.all(rows.ROWS.c.n) == [(1,)]
    assert await hub.all(rows.RECORDS.c.id) == []
    assert isinstance(await hub.ingest.push(NODE, push(have={BOOT: 4})), Pushed)


async def test_a_stream_that_the_push_only_has_counts_too(hub: Hub) -> None:
    assert await hub.ingest.push(NODE, push(row(1), have={BOOT: 0, 9: 1})) == WentBack(cursors={BOOT: 0, 9: 0})


async def test_a_cursor_never_goes_back(hub: Hub) -> None:
    await hub.ingest.push(NODE, push(row(1, seq=9)))
    said = await hub.ingest.push(NODE, push(record(seq=2)))
    assert said.cursors == {BOOT: 9}


async def test_baselines_are_kept_once_for_all_nodes(hub: Hub) -> None:
    body = b"baseline"
    sha256 = hashlib.sha256(body).hexdigest()
    sent = push(record(sha256, kind="baseline", body=body))
    await asyncio.gather(hub.ingest.push(NODE, sent), hub.ingest.push(OTHER, sent))
    assert await hub.all(rows.BASELINES.c.sha256, rows.BASELINES.c.content) == [(sha256, body)]
    assert await hub.all(rows.RECORDS.c.id) == []


async def test_pushes_that_come_together_share_a_transaction_and_each_gets_its_own_verdict(stores: Any) -> None:
    batches: list[int] = []

    def admit(pushing: Sequence[Pushing]) -> list[Verdict]:
        batches.append(len(pushing))
        return [NodeRevoked("out") if push.node_id == OTHER else "site" for push in pushing]

    async with opened(stores, admission=Judge(admit)) as hub:
        said = await asyncio.gather(
            hub.ingest.push(NODE, push(row(1))),
            hub.ingest.push(OTHER, push(row(2))),
            hub.ingest.push("3" * 32, push(have={1: 1})),
            hub.ingest.push(NODE, push(row(3), record(seq=2))),
            return_exceptions=True,
        )
        assert [type(verdict) for verdict in said] == [Pushed, NodeRevoked, WentBack, Pushed]
        assert batches == [4]
        assert await hub.all(rows.ROWS.c.node_id, rows.ROWS.c.n, rows.ROWS.c.group_name) == [(NODE, 3, "site")]


class Doorman(Judge):
    """Knows a process once it was noted, and notes none of `OTHER`."""

    def __init__(self, unnotable: dict[str, Exception] | None = None) -> None:
        self.noted: list[Pushing] = []
        super().__init__(lambda pushing: [None if one not in self.noted else "site" for one in pushing])
        self._unnotable = unnotable or {}

    async def note(self, pushing: Sequence[Pushing]) -> list[Verdict]:
        for one in pushing:
            if one.node_id in self._unnotable:
                raise self._unnotable[one.node_id]
        self.noted += [one for one in pushing if one.node_id != OTHER]
        return [NodeRevoked("out") if one.node_id == OTHER else "site" for one in pushing]


async def test_what_a_process_pushes_first_is_kept_once_the_process_is_noted(stores: Any) -> None:
    doorman = Doorman()
    async with opened(stores, admission=doorman) as hub:
        for n in (1, 2):
            pushes = (hub.ingest.push(node_id, push(row(n, seq=n))) for node_id in (NODE, OTHER))
            said = await asyncio.gather(*pushes, return_exceptions=True)
            assert [type(verdict) for verdict in said] == [Pushed, NodeRevoked]
        assert await hub.all(rows.ROWS.c.node_id, rows.ROWS.c.n, rows.ROWS.c.group_name) == [(NODE, 2, "site")]
        assert [one.node_id for one in doorman.noted] == [NODE]


@pytest.mark.parametrize(
    ("error", "verdicts"), [(Unavailable("away"), [Unavailable] * 2), (NotFound("forgotten"), [NotFound, Pushed])]
)
async def test_a_process_that_cannot_be_noted_harms_no_other(
    error: Exception, verdicts: list[type], stores: Any
) -> None:
    async with opened(stores, admission=Doorman({NODE: error})) as hub:
        pushes = (hub.ingest.push(node_id, push(row(1))) for node_id in (NODE, "3" * 32))
        said = await asyncio.gather(*pushes, return_exceptions=True)
        assert [type(verdict) for verdict in said] == verdicts
        assert len(await hub.all(rows.ROWS.c.n)) == verdicts.count(Pushed)


async def test_a_push_that_cannot_be_written_harms_no_other(hub: Hub) -> None:
    impossible = push(row(2, seq=1, model_name=None))
    said = await asyncio.gather(
        hub.ingest.push(NODE, push(row(1))),
        hub.ingest.push(OTHER, impossible),
        hub.ingest.push("3" * 32, push(row(3))),
        return_exceptions=True,
    )
    assert [type(verdict) for verdict in said] == [Pushed, StoreError, Pushed]
    assert await hub.all(rows.ROWS.c.n) == [(1,), (3,)]


async def test_when_the_database_is_away_all_are_sent_away_at_once(stores: Any) -> None:
    asked: list[int] = []

    def admit(pushing: Sequence[Pushing]) -> list[Verdict]:
        asked.append(len(pushing))
        raise Unavailable("away")

    async with opened(stores, admission=Judge(admit)) as hub:
        pushes = (hub.ingest.push(node_id, push(row(1))) for node_id in (NODE, OTHER))
        said = await asyncio.gather(*pushes, return_exceptions=True)
        assert [type(verdict) for verdict in said] == [Unavailable, Unavailable]
        assert asked == [2]


async def test_a_cancelled_caller_harms_no_other_and_what_it_pushed_is_kept(hub: Hub) -> None:
    gone = asyncio.create_task(hub.ingest.push(NODE, push(row(1))))
    stays = asyncio.create_task(hub.ingest.push(OTHER, push(row(2))))
    await asyncio.sleep(0)
    gone.cancel()
    assert isinstance(await stays, Pushed)
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await hub.all(rows.ROWS.c.n) == [(1,), (2,)]


async def test_more_than_can_wait_is_sent_away_for_a_while(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    said = await asyncio.gather(*(hub.ingest.push(NODE, push(row(1))) for _ in range(5)), return_exceptions=True)
    assert [type(verdict) for verdict in said] == [Pushed] * 3 + [Overloaded] * 2
    assert all(1 <= verdict.retry_after_s <= 10 for verdict in said[3:])


async def test_a_node_whose_rows_wait_is_asked_to_come_back_sooner(hub: Hub) -> None:
    calm, behind = await hub.ingest.push(NODE, push()), await hub.ingest.push(NODE, push(lag=1))
    assert 48_000 <= calm.next_in_ms <= 72_000
    assert 800 <= behind.next_in_ms <= 1_200


async def test_the_group_of_a_row_is_that_in_which_its_node_was_when_it_first_came(stores: Any) -> None:
    groups = ["first", "second"]

    def admit(pushing: Sequence[Pushing]) -> list[Verdict]:
        return [groups.pop(0) for _ in pushing]

    async with opened(stores, admission=Judge(admit)) as hub:
        await hub.ingest.push(NODE, push(row(1)))
        await hub.ingest.push(NODE, push(row(2, seq=2)))
        assert await hub.all(rows.ROWS.c.n, rows.ROWS.c.group_name) == [(2, "first")]
