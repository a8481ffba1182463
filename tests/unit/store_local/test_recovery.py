"""A damaged file costs history, never service: it is set aside, salvaged, and the database goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.base.errors import StoreError
from edge_aiops.testing.clock import FakeClock

from .notes import add, another_owner, names_in, notes, opened, text_of

COUNT = 2_000
PAGE = 4_096
ALL = [text_of(number) for number in range(COUNT)]

Damage = Callable[[Path], None]


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that was killed with its file open, half of the notes still in the log."""
    folder = tmp_path_factory.mktemp("killed")
    with another_owner(folder, COUNT) as owner:
        owner.kill()
        owner.wait()
    assert {"notes.db", "notes.db-wal", "notes.db-shm"} < set(names_in(folder))
    return folder


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that closed its file in order."""
    folder = tmp_path_factory.mktemp("closed")
    with another_owner(folder, COUNT) as owner:
        owner.communicate("close\n")
    assert names_in(folder) == ["notes.db"]
    return folder


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of `killed` or `closed`."""
    return shutil.copytree(request.getfixturevalue(request.param), tmp_path / "data")


either = pytest.mark.parametrize("folder", ["killed", "closed"], indirect=True)
after_a_kill = pytest.mark.parametrize("folder", ["killed"], indirect=True)
after_a_close = pytest.mark.parametrize("folder", ["closed"], indirect=True)


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened_file:
        opened_file.seek(offset, 2 if offset < 0 else 0)
        opened_file.write(content)


def roots(file: Path) -> dict[str, int]:
    """The offset of the root page of each table."""
    with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as connection:
        return {
            name: (page - 1) * PAGE for name, page in connection.execute("SELECT name, rootpage FROM sqlite_schema")
        }


def garbage_header(file: Path) -> None:
    overwrite(file, 0, bytes(range(100)))


def cut_in_half(file: Path) -> None:
    with file.open("r+b") as opened_file:
        opened_file.truncate(file.stat().st_size // 2 + 100)


def cut_to_nothing(file: Path) -> None:
    with file.open("r+b") as opened_file:
        opened_file.truncate(0)


def zeroed_page(file: Path) -> None:
    overwrite(file, file.stat().st_size // PAGE // 2 * PAGE, bytes(PAGE))


def zeroed_root(file: Path) -> None:
    overwrite(file, roots(file)["note"], bytes(PAGE))


def zeroed_first_page(file: Path) -> None:
    overwrite(file, 0, bytes(PAGE))


def flipped_page_type(file: Path) -> None:
    overwrite(file, file.stat().st_size // PAGE // 2 * PAGE, b"\xff")


def flipped_bytes(file: Path) -> None:
    for page in range(3, file.stat().st_size // PAGE, 7):
        overwrite(file, page * PAGE + 5, b"\x55\xaa\x55\xaa")


def another_mark(file: Path) -> None:
    overwrite(file, 68, b"\0\0\0\7")


def another_version(file: Path) -> None:
    overwrite(file, 60, b"\0\0\1\1")


def version_zero(file: Path) -> None:
    overwrite(file, 60, bytes(4))


def another_page_size(file: Path) -> None:
    overwrite(file, 16, b"\x08\0")


def read_only_by_its_header(file: Path) -> None:
    overwrite(file, 18, b"\x09")


def all_zero(file: Path) -> None:
    overwrite(file, 0, bytes(file.stat().st_size))


def gone(file: Path) -> None:
    file.unlink()


DAMAGES: list[Damage] = [
    garbage_header,
    cut_in_half,
    zeroed_page,
    zeroed_root,
    zeroed_first_page,
    flipped_page_type,
    flipped_bytes,
    another_mark,
    another_version,
    version_zero,
    another_page_size,
    read_only_by_its_header,
    all_zero,
]


async def good_as_new(folder: Path, kept: list[str]) -> None:
    """The database takes new notes, and the next start finds nothing to mend."""
    async with opened(folder) as database:
        assert database.quarantined is None
        assert await notes(database) == kept
        await add(database, "new")
    async with opened(folder) as database:
        assert database.quarantined is None
        assert await notes(database) == [*kept, "new"]
        assert await database.read("PRAGMA integrity_check") == [("ok",)]
        assert await database.read("PRAGMA foreign_key_check") == []


@either
@pytest.mark.parametrize("damage", [*DAMAGES, cut_to_nothing, gone], ids=lambda damage: damage.__name__)
async def test_a_damaged_file_never_keeps_the_database_from_opening(folder: Path, damage: Damage) -> None:
    damage(folder / "notes.db")
    async with opened(folder) as database:
        await add(database, "written at once")
        kept = await notes(database)
    assert kept[-1] == "written at once"
    assert set(kept) <= {*ALL, "written at once"}
    await good_as_new(folder, kept)


@after_a_close
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_file_is_set_aside_and_told(folder: Path, damage: Damage) -> None:
    damage(folder / "notes.db")
    damaged = (folder / "notes.db").stat().st_size
    async with opened(folder) as database:
        found = database.quarantined
    assert found is not None
    assert found.reason
    assert found.folder.parent == folder / "quarantine"
    assert names_in(found.folder)[0] == "notes.db"
    assert (found.folder / "notes.db").stat().st_size == damaged


@pytest.mark.parametrize(
    ("damage", "lost_at_most"),
    [
        (another_mark, 0),
        (another_version, 0),
        (version_zero, 0),
        (another_page_size, 0),
        (read_only_by_its_header, 0),
        (zeroed_page, 20),
        (flipped_page_type, 20),
        (cut_in_half, COUNT // 2 + 50),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
@after_a_close
async def test_what_still_reads_is_saved(folder: Path, damage: Damage, lost_at_most: int) -> None:
    damage(folder / "notes.db")
    async with opened(folder) as database:
        kept = await notes(database)
        assert database.quarantined is not None
        tags = await database.read("SELECT note FROM tag")
        settings = await database.read("SELECT count(*) FROM setting WHERE name = 'colour'")
        rows = len(kept) + len(tags) + settings[0][0]
        assert database.quarantined.salvaged_rows == rows
    assert kept == [text for text in ALL if text in set(kept)]
    assert len(kept) >= COUNT - lost_at_most
    if lost_at_most == 0:
        assert len(tags) == COUNT
        assert settings == [(50,)]


@after_a_close
async def test_nothing_saved_refers_to_what_was_lost(folder: Path) -> None:
    overwrite(folder / "notes.db", roots(folder / "notes.db")["note"], bytes(PAGE))
    async with opened(folder) as database:
        assert await notes(database) == []
        assert await database.read("SELECT count(*) FROM tag") == [(0,)]


@after_a_close
async def test_a_row_that_changed_its_type_is_lost_without_its_neighbours(folder: Path) -> None:
    file = folder / "notes.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'note'")
        connection.commit()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE note SET text = x'ff00' WHERE number = 700")
        connection.execute("UPDATE note SET text = CAST(x'ff00' AS TEXT) WHERE number = 900")
        connection.commit()
    zeroed_page(file)
    async with opened(folder) as database:
        kept = set(await notes(database))
        assert database.quarantined is not None
    assert not kept & {ALL[699], ALL[899]}
    assert {ALL[698], ALL[700], ALL[898], ALL[900]} <= kept
    assert kept <= set(ALL)


@after_a_kill
async def test_the_log_and_the_index_go_aside_with_their_file(folder: Path) -> None:
    garbage_header(folder / "notes.db-wal")
    zeroed_page(folder / "notes.db")
    async with opened(folder) as database:
        assert database.quarantined is not None
        assert names_in(database.quarantined.folder) == ["notes.db", "notes.db-shm", "notes.db-wal"]


@after_a_kill
async def test_notes_in_the_log_are_there_after_a_kill(folder: Path) -> None:
    async with opened(folder) as database:
        assert database.quarantined is None
        assert await notes(database) == ALL


@after_a_kill
async def test_a_lost_log_costs_what_was_in_it(folder: Path) -> None:
    gone(folder / "notes.db-wal")
    async with opened(folder) as database:
        assert await notes(database) == ALL[: COUNT // 2]
    await good_as_new(folder, ALL[: COUNT // 2])


@either
async def test_the_log_of_another_database_costs_no_more_than_ones_own(
    folder: Path, tmp_path: Path, killed: Path
) -> None:
    stranger = tmp_path / "stranger.db"
    with closing(sqlite3.connect(stranger, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE other (x)")
        connection.executemany("INSERT INTO other VALUES (?)", [("y" * 500,) for _ in range(200)])
        shutil.copy(tmp_path / "stranger.db-wal", folder / "notes.db-wal")
    async with opened(folder) as database:
        assert database.quarantined is not None
        kept = await notes(database)
    assert len(kept) >= COUNT // 2
    await good_as_new(folder, kept)


@after_a_kill
async def test_an_empty_or_missing_file_is_told_where_there_was_one(folder: Path) -> None:
    cut_to_nothing(folder / "notes.db")
    async with opened(folder) as database:
        assert database.quarantined is not None
        assert database.quarantined.reason == "the file is empty"


def overwrite_elsewhere(file: Path, offset: int, length: int) -> None:
    """Zero a part of an open database, by another process: a file closed in this one would drop SQLite's locks."""
    program = f"f = open({str(file)!r}, 'r+b'); f.seek({offset}); f.write(bytes({length}))"
    subprocess.run([sys.executable, "-c", program], check=True)


def settle_up(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE setting SET value = 'blue'")


@after_a_close
async def test_damage_that_a_write_meets_is_mended_while_the_node_runs(folder: Path) -> None:
    note_root = roots(folder / "notes.db")["note"]
    async with opened(folder) as database:
        overwrite_elsewhere(folder / "notes.db", note_root, PAGE)
        submitted = [database.submit(lambda connection: None), database.submit(settle_up)]
        await add(database, "meets the damage")
        assert database.quarantined is not None
        assert [await unit for unit in submitted] == [None, None]
        assert (await notes(database))[-1] == "meets the damage"
        kept = await notes(database)
    await good_as_new(folder, kept)


@after_a_close
async def test_damage_that_a_reader_meets_is_mended_while_the_node_runs(folder: Path) -> None:
    middle = (folder / "notes.db").stat().st_size // PAGE // 2 * PAGE
    async with opened(folder) as database:
        overwrite_elsewhere(folder / "notes.db", middle, PAGE)
        # All of them meet it, and it is mended once.
        found = await asyncio.gather(*(notes(database) for _ in range(5)))
        assert all(COUNT - 20 <= len(kept) < COUNT for kept in found)
        await add(database, "and it goes on")
        assert len(names_in(folder / "quarantine")) == 1
    await good_as_new(folder, [*found[0], "and it goes on"])


@after_a_close
async def test_a_damaged_schema_is_set_aside(folder: Path) -> None:
    file = folder / "notes.db"
    content = file.read_bytes()
    for part, other in ((b"text TEXT", b"texx TEXT"), (b"name TEXT", b"name\xa0TEXT")):
        place = content.index(part)
        overwrite(file, place, other)
        async with opened(folder) as database:
            assert database.quarantined is not None
            await add(database, "new")
        overwrite(file, 0, content)


@after_a_close
async def test_an_index_that_somebody_added_is_no_damage(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "notes.db")) as connection:
        connection.execute("CREATE INDEX extra ON note (text)")
    async with opened(folder) as database:
        assert database.quarantined is None
        assert await notes(database) == ALL


async def test_a_power_cut_while_the_file_was_made_leaves_nothing_to_mend(tmp_path: Path) -> None:
    # Half a first page, and the journal that takes it back (SQLite's file format, section 3.1).
    journal = bytes.fromhex("d9d505f920a163d7") + bytes(4) + bytes(4) + bytes(4) + (512).to_bytes(4, "big")
    (tmp_path / "notes.db-journal").write_bytes(journal + PAGE.to_bytes(4, "big") + bytes(484))
    (tmp_path / "notes.db").write_bytes(b"SQLite format 3\0".ljust(100, b"x"))
    async with opened(tmp_path) as database:
        assert database.quarantined is None
        await add(database, "one")
    await good_as_new(tmp_path, ["one"])


async def test_only_the_newest_files_are_kept_aside(tmp_path: Path) -> None:
    clock = FakeClock()
    folders = []
    for number in range(5):
        async with opened(tmp_path, clock=clock) as database:
            await add(database, f"note {number}")
        garbage_header(tmp_path / "notes.db")
        zeroed_first_page(tmp_path / "notes.db")
        clock.jump(-1_000 * number)
        async with opened(tmp_path, clock=clock) as database:
            assert database.quarantined is not None
            folders.append(database.quarantined.folder.name)
    assert len(set(folders)) == 5
    assert names_in(tmp_path / "quarantine") == sorted(folders[-2:])


@after_a_close
async def test_a_file_that_is_only_out_of_reach_is_never_set_aside(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "notes.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("INSERT INTO note (text) VALUES ('held')")
        with pytest.raises(StoreError, match="locked"):
            async with opened(folder):
                pass
        connection.execute("ROLLBACK")
    async with opened(folder) as database:
        assert database.quarantined is None
        assert await notes(database) == ALL


@after_a_close
async def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_moved(folder: Path) -> None:
    overwrite(folder / "notes.db", 0, b"garbage")
    (folder / "quarantine").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be opened"):
        async with opened(folder):
            pass
    assert stat.S_ISREG((folder / "notes.db").stat().st_mode)
