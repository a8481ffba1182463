"""Retention: the journal stays within its limits, and no clock empties it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import StorageFull
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import Feedback
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.retention import Retention
from edge_aiops.testing.clock import FakeClock

from .events import append, event, numbers, opened

DAY_S = 86_400
YEAR_S = 365 * DAY_S


async def fill(journal: Journal, clock: FakeClock, count: int, *, every_s: float = 60, size: int = 10) -> None:
    """Append events, one each `every_s` seconds."""
    events = []
    for number in range(count):
        features = '"' + "x" * size + '"'
        events.append(event(number, at_ms=clock.now_ms(), request_id=str(number), features=features))
        clock.advance(every_s)
    await append(journal, *events)


async def count(journal: Journal) -> int:
    return int((await journal.database.read("SELECT count(*) FROM event"))[0][0])


def retention(journal: Journal, clock: FakeClock, **settings: object) -> Retention:
    return Retention(journal.database, clock=clock, settings=JournalSettings(**settings))  # type: ignore[arg-type]


async def test_within_its_limits_nothing_is_deleted(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        keeper = retention(journal, clock)
        assert await keeper.run() == 0
        await fill(journal, clock, 100)
        clock.advance(DAY_S)
        assert await keeper.run() == 0
        assert await count(journal) == 100


async def test_the_oldest_beyond_the_number_of_rows_go_with_their_feedback(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        ids = await append(journal, *map(event, range(3_500)))
        for inference_id in (ids[0], ids[2_499], ids[2_500]):
            await journal.label(inference_id, Feedback(correct=True))
        assert await retention(journal, clock, max_rows=1_000).run() == 2_500
        assert await numbers(journal) == list(reversed(range(2_500, 3_500)))
        assert await journal.database.read("SELECT count(*) FROM feedback") == [(1,)]
        assert (await journal.get(ids[2_500])).correct is True


async def test_places_that_never_held_an_event_are_not_counted_as_events(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        for number in range(5):
            _, failing = journal.append([event(number, rows="many")] * 1_000)
            await asyncio.gather(failing, return_exceptions=True)
            await append(journal, event(number))
        assert await retention(journal, clock, max_rows=1_000).run() == 0
        assert await count(journal) == 5


async def test_the_file_shrinks_to_the_size_that_is_set(tmp_path: Path) -> None:
    clock = FakeClock()
    limit = 16 * 1024**2
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 6_000, size=4_000)
        await journal.database.checkpoint()
        before = journal.database.path.stat().st_size
        keeper = retention(journal, clock, max_bytes=limit)
        while await keeper.run():
            pass
        after = journal.database.path.stat().st_size
        assert before > limit * 1.2
        assert limit * 0.9 < after <= limit
        assert journal.database.path.with_name("events.db-wal").stat().st_size == 0
        assert await count(journal) > 3_000
        newest = await journal.database.read("SELECT request_id FROM event ORDER BY place DESC LIMIT 1")
        assert newest == [("5999",)]
        assert await journal.database.read("PRAGMA integrity_check") == [("ok",)]


async def test_pages_freed_by_a_pass_that_was_broken_off_are_given_back(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 2_000, size=1_000)
        await journal.database.write(lambda connection: connection.execute("DELETE FROM event WHERE place < 1900"))
        await journal.database.checkpoint()
        before = journal.database.path.stat().st_size
        assert await retention(journal, clock).run() == 0
        assert journal.database.path.stat().st_size < before / 4


async def test_predictions_are_written_between_the_slices(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await append(journal, *map(event, range(10_000)))
        running = asyncio.create_task(retention(journal, clock, max_rows=1_000).run())
        seen = set()
        while not running.done():
            await append(journal, event(20_000))
            seen.add(await count(journal))
        assert await running >= 9_000
        assert len(seen) > 5


async def test_events_older_than_the_age_go_a_fifth_at_a_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 1_000)
        keeper = retention(journal, clock, max_age=Duration(DAY_S))
        clock.advance(10 * DAY_S)
        left = 1_000
        for _ in range(10):
            deleted = await keeper.run()
            assert 0 < deleted <= left * 0.2
            left -= deleted
            clock.advance(600)
        assert await count(journal) == left
        while await keeper.run():
            clock.advance(600)
        # The newest stays, so that its place is not given again.
        assert await numbers(journal) != []
        assert await count(journal) == 1


async def test_events_younger_than_the_age_stay(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 1_000, every_s=3_600)
        keeper = retention(journal, clock, max_age=Duration(30 * DAY_S))
        clock.advance(3_600)
        while await keeper.run():
            clock.advance(1)
        ages_s = [
            (clock.now_ms() - found) / 1000 for (found,) in await journal.database.read("SELECT at_ms FROM event")
        ]
        assert max(ages_s) < 30 * DAY_S
        assert len(ages_s) == pytest.approx(30 * 24, abs=2)


async def test_an_event_stays_while_one_that_came_before_it_is_young(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        young = clock.now_ms()
        await append(journal, *[event(at_ms=young)] * 10, *[event(at_ms=young - 20 * YEAR_S * 1000)] * 90)
        keeper = retention(journal, clock)
        clock.advance(2 * 3_600)
        assert await keeper.run() == 0
        clock.advance(40 * DAY_S)
        assert await keeper.run() == 20


@pytest.mark.parametrize("seed", range(5))
async def test_no_jump_of_the_clock_deletes_anything(tmp_path: Path, seed: int) -> None:
    clock, random_ = FakeClock(), random.Random(seed)
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 500)
        keeper = retention(journal, clock)
        for _ in range(50):
            clock.jump(random_.uniform(-20, 20) * YEAR_S)
            for _ in range(random_.randrange(1, 5)):
                await append(journal, event(at_ms=max(clock.now_ms(), 0)))
                assert await keeper.run() == 0
                clock.advance(600)
        assert await count(journal) > 500


async def test_after_a_jump_age_counts_again_once_the_clock_was_steady(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 100)
        keeper = retention(journal, clock)
        clock.advance(3_600)
        clock.jump(YEAR_S)
        for _ in range(6):
            assert await keeper.run() == 0
            clock.advance(600)
        assert await keeper.run() == 20


async def test_a_wrong_clock_at_the_start_deletes_nothing_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 100)
    clock.jump(20 * YEAR_S)
    async with opened(tmp_path, clock) as journal:
        keeper = retention(journal, clock)
        assert await keeper.run() == 0
        clock.advance(600)
        clock.jump(-20 * YEAR_S)
        for _ in range(20):
            assert await keeper.run() == 0
            clock.advance(600)


async def test_retention_frees_a_journal_that_is_full(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock, max_bytes=1024**2) as journal:
        big = event(features='"' + "x" * 10_000 + '"')
        with pytest.raises(StorageFull):
            for _ in range(1_000):
                await append(journal, big)
        keeper = Retention(
            journal.database, clock=clock, settings=JournalSettings(max_bytes=1024**2, max_rows=1_000_000)
        )
        assert await keeper.run() > 50
        for _ in range(50):
            await append(journal, big)


async def test_an_emptied_journal_never_gives_a_place_twice(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as journal:
        await fill(journal, clock, 50)
        clock.advance(100 * DAY_S)
        keeper = retention(journal, clock)
        clock.advance(3_600)
        while await keeper.run():
            clock.advance(1)
        ((highest,),) = await journal.database.read("SELECT max(place) FROM event")
    async with opened(tmp_path, clock) as journal:
        await append(journal, event())
        assert await journal.database.read("SELECT max(place) FROM event") == [(highest + 1,)]
