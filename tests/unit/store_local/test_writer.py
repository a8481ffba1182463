"""The writer: groups, savepoints, order, limits, and the end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreError, Unavailable
from edge_aiops.store.local import LocalDatabase

from .notes import add, insert, notes, opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[LocalDatabase]:
    async with opened(tmp_path) as database:
        yield database


async def traced(database: LocalDatabase) -> list[str]:
    """The statements that the writer executes from now on."""
    statements: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(statements.append))
    await database.checkpoint()
    statements.clear()
    return statements


class Gate:
    """A unit of work that holds the writer until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self.reached.set()
        assert self._opened.wait(30)

    def open(self) -> None:
        self._opened.set()


async def test_a_unit_gives_its_result(database: LocalDatabase) -> None:
    assert await database.write(lambda connection: connection.execute("SELECT 1 + 1").fetchone()) == (2,)


async def test_what_is_submitted_together_shares_one_commit(database: LocalDatabase) -> None:
    statements = await traced(database)
    await asyncio.gather(*(add(database, f"note {number}") for number in range(50)))
    assert statements.count("COMMIT") == 1
    assert len(await notes(database)) == 50


async def test_what_arrives_while_a_group_is_written_shares_the_next_one(database: LocalDatabase) -> None:
    statements = await traced(database)
    gate = Gate()
    first = database.submit(gate)
    await asyncio.to_thread(gate.reached.wait)
    later = []
    for number in range(20):
        later.append(asyncio.create_task(add(database, f"note {number}")))
        await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(first, *later)
    assert statements.count("COMMIT") == 2


async def test_units_run_in_the_order_of_their_submission(database: LocalDatabase) -> None:
    texts = [f"note {number}" for number in range(200)]
    submitted = []
    for number, text in enumerate(texts):
        submitted.append(database.submit(partial(insert, texts=[text])))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*submitted)
    assert await notes(database) == texts


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), Unavailable("later"), StopIteration("empty"), TimeoutError("slow")], ids=repr
)
async def test_a_unit_that_raises_takes_back_only_itself(database: LocalDatabase, error: Exception) -> None:
    def failing(connection: sqlite3.Connection) -> None:
        insert(connection, ["never"])
        raise error

    before = database.submit(partial(insert, texts=["before"]))
    failed = database.submit(failing)
    after = database.submit(partial(insert, texts=["after"]))
    outcomes = await asyncio.gather(before, failed, after, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        RuntimeError if isinstance(error, StopIteration) else type(error),
        type(None),
    ]
    assert await notes(database) == ["before", "after"]


async def test_an_error_of_sqlite_is_told_as_ours_with_its_cause(database: LocalDatabase) -> None:
    with pytest.raises(StoreError, match=r"notes\.db: no such table: missing") as failed:
        await database.write(lambda connection: connection.execute("SELECT * FROM missing"))
    assert isinstance(failed.value.__cause__, sqlite3.OperationalError)
    await add(database, "the writer goes on")


async def test_a_cancelled_caller_has_submitted_and_its_mates_never_notice(database: LocalDatabase) -> None:
    gate = Gate()
    first = database.submit(gate)
    tasks = [asyncio.create_task(add(database, text)) for text in ("one", "two", "three")]
    await asyncio.to_thread(gate.reached.wait)
    tasks[1].cancel()
    gate.open()
    outcomes = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), asyncio.CancelledError, type(None)]
    assert await notes(database) == ["one", "two", "three"]


async def test_no_more_than_a_limit_may_wait(database: LocalDatabase) -> None:
    gate = Gate()
    submitted = [database.submit(gate)]
    await asyncio.to_thread(gate.reached.wait)
    with pytest.raises(Unavailable, match="writes are waiting for the disk"):
        while len(submitted) < 100_000:
            submitted.append(database.submit(lambda connection: None))
    gate.open()
    await asyncio.gather(*submitted)
    await add(database, "the writer goes on")


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        submitted = [database.submit(partial(insert, texts=[str(number)])) for number in range(500)]
    assert all(future.done() and future.exception() is None for future in submitted)
    async with opened(tmp_path) as database:
        assert await notes(database) == [str(number) for number in range(500)]


async def test_what_waits_is_written_even_if_the_closing_is_cancelled(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        gate = Gate()
        submitted = [database.submit(gate)]
        await asyncio.to_thread(gate.reached.wait)
        submitted.append(database.submit(partial(insert, texts=["waited"])))
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        gate.open()
        await asyncio.gather(*submitted)
        assert await notes(database) == ["waited"]


async def test_a_closed_database_takes_nothing_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        pass
    with pytest.raises(StoreError, match=r"notes\.db is closed"):
        database.submit(lambda connection: None)


async def test_a_full_database_refuses_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=1024 * 1024) as database:
        written = 0
        with pytest.raises(StorageFull, match=r"no space left for notes\.db") as full:
            while written < 1_000:
                await add(database, "x" * 10_000)
                written += 1
        assert full.value.retry_after_s > 0
        assert written > 50
        # A group in which one unit does not fit: everybody is told the truth.
        outcomes = await asyncio.gather(
            add(database, "small"), add(database, "x" * 100_000), add(database, "small"), return_exceptions=True
        )
        refused = sum(isinstance(outcome, StorageFull) for outcome in outcomes)
        small = (await notes(database)).count("small")
        assert refused + small == 3
        assert len(await notes(database)) == written + small

        await database.write(lambda connection: connection.execute("DELETE FROM note WHERE number <= 20"))
        await add(database, "x" * 10_000, "space again")
        assert (await notes(database))[-1] == "space again"


async def test_a_unit_that_hides_a_full_disk_does_not_get_away_with_it(tmp_path: Path) -> None:
    def hiding(connection: sqlite3.Connection) -> None:
        try:
            insert(connection, ["x" * 2_000_000])
        except sqlite3.Error as error:
            raise ValueError("hidden") from error

    async with opened(tmp_path, max_bytes=1024 * 1024) as database:
        outcomes = await asyncio.gather(
            add(database, "mate"), database.write(hiding), add(database, "mate"), return_exceptions=True
        )
        told = sum(outcome is None for outcome in outcomes)
        assert (await notes(database)).count("mate") == told
        assert isinstance(outcomes[1], ValueError | EdgeAiopsError)
        await add(database, "the writer goes on")


async def test_the_log_is_folded_in_a_quiet_moment(database: LocalDatabase) -> None:
    await add(database, *["x" * 1_000] * 100)
    size = database.path.stat().st_size
    assert size < 100_000
    async with asyncio.timeout(30):
        while database.path.stat().st_size == size:  # noqa: ASYNC110 - only the file tells
            await asyncio.sleep(0.01)
    assert len(await notes(database)) == 100


async def test_the_log_is_folded_without_a_quiet_moment_too(database: LocalDatabase) -> None:
    log = database.path.with_name("notes.db-wal")
    sizes = []
    for number in range(1_100):
        await add(database, f"note {number}")
        sizes.append(log.stat().st_size)
    assert max(sizes[600:]) == max(sizes[:600])


async def test_a_checkpoint_cuts_the_log_to_nothing(database: LocalDatabase) -> None:
    await add(database, "note")
    log = database.path.with_name("notes.db-wal")
    assert log.stat().st_size > 0
    await database.checkpoint()
    assert log.stat().st_size == 0
    assert await notes(database) == ["note"]
