"""What monitoring has not seen, or has lost, it makes anew from the journal; what the journal has lost, it keeps."""

from __future__ import annotations

import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.journal import Journal

from . import damage
from .totals import Counts, recorded, settled, summarised

HOUR_MS = 3_600_000


@pytest.fixture
async def folder(server_process: Any, connect: Any, tmp_path: Path) -> Path:
    """The data of a server that was stopped in order after some predictions, a third of them labelled."""
    process = await server_process(tmp_path)
    async with connect(await process.ready()) as client:
        await client.register("model", framework="echo", stage="production")
        for number in range(30):
            answer = await client.predict("model", [number, 0, 0, 1])
            if number % 3 == 0:
                await label(client, answer["inferenceId"], correct=number % 2 == 0)
        assert await settled(client, tmp_path / "node", "model") == recorded(tmp_path / "node", "model")
    await stopped(process)
    return tmp_path


async def label(client: Any, inference_id: str, *, correct: bool) -> None:
    answer = await client.call("PATCH", f"/events/{inference_id}", json={"actualOutcome": "a", "correct": correct})
    assert answer.status == 200, answer


async def stopped(process: Any) -> None:
    process.send(signal.SIGTERM)
    assert await process.ended() == 0, process.said


def all_of(totals: Any) -> dict[str, Counts]:
    """The sum over all windows of each granularity."""
    return {
        granularity: Counts(*map(sum, zip(*windows.values(), strict=True)))  # type: ignore[arg-type]
        for granularity, windows in totals.items()
    }


async def journal_without_monitoring(folder: Path, *, events: int) -> None:
    """Predictions of the last twenty hours, some of them labelled, that nobody watched."""
    chance = random.Random(1)
    journal = await Journal.open(folder, clock=SystemClock(), settings=JournalSettings())
    now_ms = SystemClock().now_ms()
    for _ in range(events):
        at_ms = now_ms - chance.randrange(20 * HOUR_MS)
        event = NewEvent(
            at_ms, ServedBy("model", "1", 1), None, None, None, 1, 1, 9, 99, "[1,2]", "[1]", None, "1", None
        )
        (inference_id,), committed = journal.append([event])
        await committed
        if chance.random() < 0.3:
            await journal.label(inference_id, Feedback(actual_outcome=Raw(b"1"), correct=chance.random() < 0.8))
    await journal.close()


async def test_what_was_journaled_while_nobody_watched_is_summarised_later(
    folder: Path, server_process: Any, connect: Any
) -> None:
    await journal_without_monitoring(folder / "node", events=400)
    for _ in range(2):  # the second time from what the first has written
        process = await server_process(folder)
        async with connect(await process.ready()) as client:
            said = await settled(client, folder / "node", "model")
        await stopped(process)
        assert said == recorded(folder / "node", "model")
    assert len(said["5min"]) > 50
    assert all_of(said)["daily"].requests == 430


async def test_windows_are_made_anew_when_their_file_is_gone(folder: Path, server_process: Any, connect: Any) -> None:
    for file in (folder / "node").glob("monitoring.db*"):
        file.unlink()
    process = await server_process(folder)
    async with connect(await process.ready()) as client:
        said = await settled(client, folder / "node", "model")
    await stopped(process)
    assert said == recorded(folder / "node", "model")
    assert all_of(said)["daily"] == Counts(requests=30, errors=0, labelled=10, right=5)


@pytest.mark.parametrize("harm", [damage.garbage_first_page, damage.zeroed_pages])
async def test_windows_are_made_anew_when_their_file_is_damaged(
    folder: Path, server_process: Any, connect: Any, harm: damage.Damage
) -> None:
    harm(folder / "node" / "monitoring.db", random.Random(1))
    process = await server_process(folder)
    async with connect(await process.ready()) as client:
        said = await settled(client, folder / "node", "model")
    await stopped(process)
    assert said == recorded(folder / "node", "model")


@pytest.mark.parametrize("table", ["window", "position"])
async def test_nothing_is_counted_twice_or_not_at_all_when_a_page_is_lost(
    folder: Path, server_process: Any, connect: Any, table: str
) -> None:
    """What was counted, or up to which place."""
    _lose_root_page(folder / "node" / "monitoring.db", table)
    process = await server_process(folder)
    async with connect(await process.ready()) as client:
        await client.predict("model", [1, 0, 0, 1])
        said = await settled(client, folder / "node", "model")
    await stopped(process)
    assert said == recorded(folder / "node", "model")
    assert all_of(said)["daily"].requests == 31


def _lose_root_page(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(random.Random(1).randbytes(size))


async def test_windows_outlive_the_journal_that_they_were_made_of(
    folder: Path, server_process: Any, connect: Any
) -> None:
    """After the journal is set aside, new events are counted, and none that was counted before is counted again."""
    damage.garbage_first_page(folder / "node" / "events.db", random.Random(2))
    process = await server_process(folder)
    async with connect(await process.ready()) as client:
        status = (await client.get("/status")).body
        assert any("events.db was damaged" in reason for reason in status["node"]["reasons"])
        before = all_of(await summarised(client, "model"))
        answers = [await client.predict("model", [number, 0, 0, 1]) for number in range(7)]
        await label(client, answers[0]["inferenceId"], correct=True)
        after = all_of(await summarised(client, "model"))
    await stopped(process)
    assert before["daily"] == Counts(requests=30, errors=0, labelled=10, right=5)
    assert set(after.values()) == {Counts(requests=37, errors=0, labelled=11, right=6)}
