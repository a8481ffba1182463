"""Which boot an event or a label belongs to follows from its number, for as long as the journal has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Raw

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.boots import Boot, Boots
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.following import label_changes, log_every_label
from edge_aiops.journal.journal import Journal, Positions
from edge_aiops.testing.clock import FakeClock

EVENT = NewEvent(
    FakeClock().now_ms(), ServedBy("m", "1", 1), None, None, None, 1, 1, 1, 1, None, None, None, '"a"', None
)


@asynccontextmanager
async def opened(folder: Path, *, read_to: Positions | None = None) -> AsyncIterator[Journal]:
    journal = await Journal.open(folder, clock=FakeClock(), settings=JournalSettings(), read_to=read_to)
    yield journal
    await journal.close()


async def record(journal: Journal, count: int = 1) -> list[str]:
    ids, on_disk = journal.append([EVENT] * count)
    await on_disk
    return ids


async def test_each_start_that_records_something_is_a_boot_and_stays_one(tmp_path: Path) -> None:
    boots: list[Boot] = []
    for count in (3, 0, 2):
        async with opened(tmp_path) as journal:
            boots += [journal.boots.present] if count else []
            if count:
                await record(journal, count)
    async with opened(tmp_path) as journal:
        assert [journal.boots.of_place(place) for place in range(1, 6)] == [boots[0]] * 3 + [boots[1]] * 2
        assert journal.boots.of_place(6) == journal.boots.present
        assert journal.boots.present not in boots


async def test_another_boot_may_begin_while_the_process_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        first = journal.boots.present
        (inference_id, _) = await record(journal, 2)
        await journal.label(inference_id, Feedback(actual_outcome=Raw(b'"a"')))
        second = journal.begin_boot(width_ms=3_600_000)
        await journal.label(inference_id, Feedback(actual_outcome=Raw(b'"b"')))
        await record(journal)
        assert journal.boots.changes_end(1) == 2
        assert journal.boots.growing(2, 1) == {second.id}
        assert journal.boots.growing(1, 1) == journal.boots.growing(2, 0) == {first.id, second.id}
    async with opened(tmp_path, read_to=Positions()) as journal:
        assert [journal.boots.of_place(place) for place in (1, 2, 3)] == [first, first, second]
        assert [journal.boots.of_change(change) for change in (1, 2)] == [first, second]


async def test_events_without_a_boot_get_one_that_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await record(journal, 2)
        await journal.database.write(lambda connection: connection.execute("DELETE FROM boot"))
    async with opened(tmp_path) as journal:
        boot = journal.boots.of_place(1)
        assert boot != journal.boots.present
    async with opened(tmp_path) as journal:
        assert journal.boots.of_place(2) == boot


async def test_a_boot_is_forgotten_with_the_last_of_its_events(tmp_path: Path) -> None:
    for _ in range(2):
        async with opened(tmp_path, read_to=Positions()) as journal:
            await record(journal)
    async with opened(tmp_path, read_to=Positions()) as journal:
        await record(journal)
        await journal.database.write(lambda connection: connection.execute("DELETE FROM event WHERE place < 3"))
    async with opened(tmp_path, read_to=Positions()) as journal:
        assert len(await journal.database.read("SELECT * FROM boot")) == 1
        assert journal.boots.of_place(3) != journal.boots.present


def test_a_boot_that_has_nothing_is_replaced_by_the_next() -> None:
    boots = Boots([])
    boots.begin(1, 1)
    second = boots.begin(1, 1, width_ms=5)
    assert boots.unwritten == (second,)
    boots.written([second])
    third = boots.begin(1, 2)
    assert boots.unwritten == (third,)
    assert boots.of_change(1) == second


async def test_a_reader_that_begins_anew_finds_the_changes_that_are_kept_and_what_came_before_them(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as journal:
        first, second, third = await record(journal, 3)
        for inference_id, outcome in ((first, "a"), (second, "a"), (first, "b"), (third, "a"), (first, "c")):
            await journal.label(inference_id, Feedback(actual_outcome=Raw(f'"{outcome}"'.encode())))
        everything = await label_changes(journal.database, 0, limit=2)
        await journal.database.write(
            lambda connection: connection.execute("DELETE FROM label_change WHERE sequence < 3")
        )
        await journal.database.write(log_every_label)
        assert await label_changes(journal.database, 0, limit=2) == everything
        await journal.database.write(log_every_label)
        rows = await journal.database.read("SELECT sequence, place, first, new_outcome FROM label_change")
    assert rows == [(1, 1, 1, '"a"'), (2, 2, 1, '"a"'), (3, 1, 0, '"b"'), (4, 3, 1, '"a"'), (5, 1, 0, '"c"')]
