"""Baselines are kept by number, and the right one is in force."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import NotFound
from edge_aiops.observe.baselines import Baselines, store
from edge_aiops.observe.baselines.store import KEPT
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

Reopened = Callable[[], AbstractAsyncContextManager[Baselines]]


async def test_a_baseline_comes_back_as_it_was_after_a_restart(
    baselines: Baselines, reopened: Reopened, clock: FakeClock, draft: Any
) -> None:
    given = draft(outputs=Baseline({"confidence": np.linspace(0, 1, 100)}), warnings=("id was left out",))
    added = await baselines.add(given, model_name="iris", model_version="1", description="from training")
    assert (added.number, added.source, added.rows, added.created_at) == (1, "dataset", 200, clock.now_ms())
    assert (added.description, added.warnings) == ("from training", ("id was left out",))
    assert (added.inputs, added.outputs, added.outcomes) == (given.inputs, given.outputs, None)
    async with reopened() as after:
        assert after.current("iris", "1") == added
        assert await after.get(1) == added


async def test_a_version_without_a_baseline_of_its_own_has_that_of_the_model(baselines: Baselines, draft: Any) -> None:
    of_model = await baselines.add(draft(), model_name="iris", model_version=None)
    of_first = await baselines.add(draft(1), model_name="iris", model_version="1")
    newer = await baselines.add(draft(2), model_name="iris", model_version=None)
    assert baselines.current("iris", "1") == of_first
    assert baselines.current("iris", "2") == newer
    assert baselines.current("other", "1") is None
    assert [one.number for one in await baselines.list("iris")] == [newer.number, of_first.number, of_model.number]
    assert await baselines.list("other") == []


async def test_deleting_the_one_in_force_brings_back_the_one_before(
    baselines: Baselines, reopened: Reopened, draft: Any
) -> None:
    first = await baselines.add(draft(), model_name="iris", model_version="1")
    second = await baselines.add(draft(1), model_name="iris", model_version="1")
    seen = baselines.revision
    assert await baselines.delete(second.number) == second
    assert baselines.current("iris", "1") == first
    assert baselines.revision > seen
    with pytest.raises(NotFound, match="no baseline 2"):
        await baselines.get(second.number)
    with pytest.raises(NotFound):
        await baselines.delete(second.number)
    assert await baselines.list("iris") == [first.heading]
    async with reopened() as after:
        assert after.current("iris", "1") == first
    await baselines.delete(first.number)
    assert baselines.current("iris", "1") is None


async def test_windows_can_be_read_on_a_deleted_baseline(baselines: Baselines, draft: Any) -> None:
    added = await baselines.add(draft(), model_name="iris", model_version="1")
    await baselines.delete(added.number)
    assert await baselines.recall(added.number) == added
    assert await baselines.recall(99) is None


async def test_a_number_is_never_given_twice(baselines: Baselines, reopened: Reopened, draft: Any) -> None:
    for _ in range(3):
        await baselines.delete((await baselines.add(draft(), model_name="iris", model_version="1")).number)
    assert await baselines.retire(()) == 2
    async with reopened() as after:
        assert (await after.add(draft(), model_name="iris", model_version="1")).number == 4


async def test_two_at_once_get_a_number_each_and_the_later_is_in_force(baselines: Baselines, draft: Any) -> None:
    added = await asyncio.gather(
        *(baselines.add(draft(mean), model_name="iris", model_version="1") for mean in range(8))
    )
    assert sorted(one.number for one in added) == list(range(1, 9))
    in_force = baselines.current("iris", "1")
    assert in_force is not None
    assert in_force.number == 8
    assert {one.number: one.inputs for one in added}[8] == in_force.inputs


async def test_old_ones_are_forgotten_unless_something_uses_them(baselines: Baselines, draft: Any) -> None:
    for _ in range(KEPT + 3):
        await baselines.add(draft(), model_name="iris", model_version="1")
    await baselines.add(draft(), model_name="iris", model_version="2")
    await baselines.delete(KEPT)
    assert await baselines.retire({2}) == 2
    kept = [one.number for one in await baselines.list("iris")]
    assert kept == [KEPT + 4, KEPT + 3, KEPT + 2, KEPT + 1, *range(KEPT - 1, 1, -1)]
    assert await baselines.retire(()) == 1
    assert await baselines.recall(KEPT) is None


async def test_a_damaged_baseline_gives_way_to_the_one_before(
    baselines: Baselines, database: LocalDatabase, reopened: Reopened, draft: Any
) -> None:
    first = await baselines.add(draft(), model_name="iris", model_version="1")
    second = await baselines.add(draft(1), model_name="iris", model_version="1")

    def damage(connection: sqlite3.Connection) -> None:
        ((whole,),) = connection.execute("SELECT inputs FROM baseline WHERE number = 2")
        changed = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
        connection.execute("UPDATE baseline SET inputs = ? WHERE number = 2", (changed,))

    await database.write(damage)
    async with reopened() as after:
        assert after.current("iris", "1") == first
        assert list(after.damaged) == [second.number]
        with pytest.raises(NotFound, match="no baseline 2: "):
            await after.get(second.number)
        assert await after.list("iris") == [first.heading]


async def test_baselines_are_listed_by_what_they_have_without_their_statistics(
    baselines: Baselines, database: LocalDatabase, draft: Any
) -> None:
    outputs = Baseline({"confidence": np.linspace(0, 1, 100), "label": ["yes"] * 70 + ["no"] * 70})
    added = await baselines.add(draft(outputs=outputs), model_name="iris", model_version="1", description="d")
    await database.write(lambda connection: connection.execute("UPDATE baseline SET inputs = x'00', outputs = x'00'"))
    (listed,) = await baselines.list("iris")
    assert listed == added.heading
    assert listed.features == {"inputs": {"x": "numeric"}, "outputs": {"confidence": "numeric", "label": "category"}}


async def test_statistics_are_read_beside_the_event_loop(
    baselines: Baselines, reopened: Reopened, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    read = store._decoded

    def noting(row: tuple[Any, ...]) -> Any:
        threads.add(threading.get_ident())
        return read(row)

    monkeypatch.setattr(store, "_decoded", noting)
    added = await baselines.add(draft(), model_name="iris", model_version="1")
    async with reopened() as after:
        assert await after.get(added.number) == await after.recall(added.number) == added
    assert threads and threading.get_ident() not in threads


async def test_of_two_that_look_at_once_the_later_has_the_last_word(
    baselines: Baselines, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, may_go_on = store._decoded, threading.Event()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def slow_for_the_first(row: tuple[Any, ...]) -> Any:
        if row[0] == 1:
            loop.call_soon_threadsafe(begun.set)
            may_go_on.wait(5)
        return read(row)

    monkeypatch.setattr(store, "_decoded", slow_for_the_first)
    first = asyncio.create_task(baselines.add(draft(), model_name="iris", model_version="1"))
    await begun.wait()
    second = asyncio.create_task(baselines.add(draft(1), model_name="iris", model_version="1"))
    await asyncio.sleep(0.1)
    may_go_on.set()
    await asyncio.gather(first, second)
    assert baselines.current("iris", "1") == second.result()
