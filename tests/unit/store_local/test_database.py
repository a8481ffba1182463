"""A database file: its settings, its versions, its readers."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.base.errors import InvalidInput, StoreError, Unavailable
from edge_aiops.store.local import LocalDatabase, Schema
from edge_aiops.testing.clock import FakeClock

from .notes import NEWER_NOTES, NOTES, add, names_in, notes, opened

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, note"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[LocalDatabase]:
    async with opened(tmp_path) as database:
        await add(database, "one")
        yield database


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("auto_vacuum", 2),
        ("wal_autocheckpoint", 0),
        ("busy_timeout", 5_000),
        ("mmap_size", 0),
        ("temp_store", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("application_id", NOTES.application_id),
        ("user_version", 1),
    ],
)
async def test_the_writer_has_the_settings_that_durability_rests_on(
    database: LocalDatabase, pragma: str, value: object
) -> None:
    await database.checkpoint()
    assert await database.write(lambda connection: connection.execute(f"PRAGMA {pragma}").fetchone()) == (value,)


async def test_the_size_is_limited_in_pages(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=8 * 1024**2) as database:
        (pages,) = await database.write(lambda connection: connection.execute("PRAGMA max_page_count").fetchone())
        (page_size,) = await database.write(lambda connection: connection.execute("PRAGMA page_size").fetchone())
    assert pages * page_size == 8 * 1024**2


async def test_durability_can_be_traded_for_speed(tmp_path: Path) -> None:
    database = await LocalDatabase.open(tmp_path / "notes.db", NOTES, clock=FakeClock(), synchronous="normal")
    assert await database.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (1,)
    await database.close()


async def test_a_value_of_the_wrong_type_is_refused(database: LocalDatabase) -> None:
    with pytest.raises(StoreError, match="cannot store BLOB value in TEXT column"):
        await database.write(lambda connection: connection.execute("INSERT INTO note VALUES (9, x'00')"))


async def test_a_new_file_is_made_with_its_folder(tmp_path: Path) -> None:
    async with opened(tmp_path / "new" / "folder") as database:
        await add(database, "one")
        assert database.quarantined is None


async def test_a_file_closed_in_order_stands_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await add(database, "one")
        assert len(names_in(tmp_path)) > 1
    assert names_in(tmp_path) == ["notes.db"]


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        async with opened(tmp_path) as database:
            await add(database, text)
    async with opened(tmp_path) as database:
        assert await notes(database) == ["one", "two", "three"]


async def test_an_older_file_is_brought_to_the_newest_version(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await add(database, "one")
    async with opened(tmp_path, NEWER_NOTES) as database:
        assert await database.read("SELECT text, colour FROM note") == [("one", None)]
        assert await database.read("PRAGMA user_version") == [(2,)]


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    broken = NEWER_NOTES._replace(
        migrations=(*NEWER_NOTES.migrations, ("CREATE TABLE fine (x)", "CREATE TABLE broken (")),
    )
    async with opened(tmp_path) as database:
        await add(database, "one")
    with pytest.raises(StoreError, match="incomplete input"):
        async with opened(tmp_path, broken):
            pass
    async with opened(tmp_path) as database:
        assert await notes(database) == ["one"]
        assert await database.read("SELECT count(*) FROM sqlite_schema WHERE name = 'fine'") == [(0,)]
        assert database.quarantined is None


def make_stranger(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TABLE other (x)"], "is not a notes database of edge_aiops"),
        (["CREATE TABLE other (x)", "PRAGMA journal_mode = WAL"], "is not a notes database of edge_aiops"),
        (["PRAGMA application_id = 7", "CREATE TABLE other (x)"], r"application_id 0x7"),
        (["PRAGMA auto_vacuum = FULL", "PRAGMA user_version = 3", "CREATE TABLE note (x)"], "is not a notes database"),
        (
            [f"PRAGMA application_id = {NOTES.application_id}", "PRAGMA user_version = 2", "CREATE TABLE future (x)"],
            "has version 2, this edge_aiops knows up to 1; install a newer edge_aiops",
        ),
    ],
)
async def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, statements: list[str], said: str
) -> None:
    make_stranger(tmp_path / "notes.db", *statements)
    before = hashlib.sha256((tmp_path / "notes.db").read_bytes()).digest()
    with pytest.raises(StoreError, match=said):
        async with opened(tmp_path):
            pass
    assert names_in(tmp_path) == ["notes.db"]
    assert hashlib.sha256((tmp_path / "notes.db").read_bytes()).digest() == before


async def test_a_newer_file_is_refused_and_still_opens_with_the_newer_program(tmp_path: Path) -> None:
    async with opened(tmp_path, NEWER_NOTES) as database:
        await add(database, "one")
    with pytest.raises(StoreError, match="has version 2"):
        async with opened(tmp_path, NOTES):
            pass
    async with opened(tmp_path, NEWER_NOTES) as database:
        assert await notes(database) == ["one"]
        assert database.quarantined is None


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        async with opened(tmp_path / "file"):
            pass


async def test_a_table_may_do_without_row_numbers(tmp_path: Path) -> None:
    only = Schema("only", 7, (("CREATE TABLE pair (a TEXT, b TEXT, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID",),))
    for _ in range(2):
        async with opened(tmp_path, only) as database:
            assert database.quarantined is None


async def test_a_reader_sees_what_was_committed(database: LocalDatabase) -> None:
    assert await database.read("SELECT text FROM note WHERE text = ?", ("one",)) == [("one",)]
    assert await database.read("SELECT text FROM note WHERE text = :text", {"text": "two"}) == []


@pytest.mark.parametrize("statement", ["INSERT INTO note (text) VALUES ('x')", "DELETE FROM note", "DROP TABLE note"])
async def test_a_reader_cannot_write(database: LocalDatabase, statement: str) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await database.read(statement)
    assert await notes(database) == ["one"]
    assert database.quarantined is None


@pytest.mark.parametrize("value", [2**63, "\ud800"])
async def test_a_value_that_no_row_can_have_is_the_callers_mistake(database: LocalDatabase, value: object) -> None:
    with pytest.raises(InvalidInput):
        await database.read("SELECT text FROM note WHERE text = ?", (value,))


async def cut_log(database: LocalDatabase) -> int:
    """The size of the log after a checkpoint that no reader hinders would have cut it to nothing."""
    await add(database, "more")
    await database.checkpoint()
    return database.path.with_name("notes.db-wal").stat().st_size


async def test_a_reader_that_takes_too_long_is_interrupted(database: LocalDatabase) -> None:
    with pytest.raises(Unavailable, match=r"the query took over 0\.05 s"):
        await database.read(ENDLESS, timeout_s=0.05)
    assert await cut_log(database) == 0


async def test_a_reader_whose_caller_is_gone_is_interrupted(database: LocalDatabase) -> None:
    reading = asyncio.create_task(database.read(ENDLESS, timeout_s=120))
    while await cut_log(database) == 0:
        assert not reading.done()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await cut_log(database) == 0


async def test_a_reader_never_holds_the_writer_up(database: LocalDatabase) -> None:
    reading = asyncio.create_task(database.read(ENDLESS, timeout_s=120))
    while await cut_log(database) == 0:
        assert not reading.done()
    await asyncio.gather(*(add(database, "meanwhile") for _ in range(20)))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await notes(database)).count("meanwhile") == 20
