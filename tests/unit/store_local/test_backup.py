"""Backup: a consistent copy, whoever has the database open."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.base.errors import StoreError
from edge_aiops.store.local.database import backup

from .notes import add, another_owner, insert, names_in, notes, opened, tag, text_of


def restore(folder: Path, copy: Path) -> Path:
    """Make `copy` the database of a new folder."""
    folder.mkdir()
    copy.rename(folder / "notes.db")
    return folder


async def notes_of(folder: Path) -> list[str]:
    async with opened(folder) as database:
        assert database.quarantined is None
        return await notes(database)


async def test_a_database_that_was_closed_is_copied(tmp_path: Path) -> None:
    async with opened(tmp_path / "live") as database:
        await add(database, "one", "two")
    await asyncio.to_thread(backup, tmp_path / "live" / "notes.db", tmp_path / "copy.db")
    assert names_in(tmp_path) == ["copy.db", "live"]
    assert await notes_of(restore(tmp_path / "restored", tmp_path / "copy.db")) == ["one", "two"]
    async with opened(tmp_path / "live") as database:
        assert await notes(database) == ["one", "two"]
    assert names_in(tmp_path / "live") == ["notes.db"]


async def test_what_is_only_in_the_log_is_copied_too(tmp_path: Path) -> None:
    async with opened(tmp_path / "live") as database:
        await add(database, "one")
        await asyncio.to_thread(backup, database.path, tmp_path / "copy.db")
    assert await notes_of(restore(tmp_path / "restored", tmp_path / "copy.db")) == ["one"]


async def test_a_copy_made_while_it_is_written_to_is_one_moment(tmp_path: Path) -> None:
    async with opened(tmp_path / "live") as database:
        await add(database, *map(text_of, range(2_000)))
        copying = asyncio.create_task(asyncio.to_thread(backup, database.path, tmp_path / "copy.db"))
        written = 0
        while not copying.done() or written < 100:
            # Both or neither.
            await database.write(lambda connection: insert(connection, ["left", "right"]))
            written += 1
        await copying
    copied = await notes_of(restore(tmp_path / "restored", tmp_path / "copy.db"))
    assert copied[:2_000] == [text_of(number) for number in range(2_000)]
    assert copied.count("left") == copied.count("right")


async def test_the_database_of_another_live_process_is_copied_and_the_process_goes_on(tmp_path: Path) -> None:
    with another_owner(tmp_path / "live", 500) as owner:
        await asyncio.to_thread(backup, tmp_path / "live" / "notes.db", tmp_path / "copy.db")
        owner.communicate("close\n")
        assert owner.returncode == 0
    assert len(await notes_of(restore(tmp_path / "restored", tmp_path / "copy.db"))) == 500
    assert names_in(tmp_path / "live") == ["notes.db"]
    async with opened(tmp_path / "live") as database:
        assert len(await notes(database)) == 500


async def test_the_database_of_a_killed_process_is_copied_with_its_log(tmp_path: Path) -> None:
    with another_owner(tmp_path / "live", 500) as owner:
        owner.kill()
        owner.wait()
    await asyncio.to_thread(backup, tmp_path / "live" / "notes.db", tmp_path / "copy.db")
    assert len(await notes_of(restore(tmp_path / "restored", tmp_path / "copy.db"))) == 500


async def test_a_copy_is_one_file(tmp_path: Path) -> None:
    async with opened(tmp_path / "live") as database:
        await add(database, "one")
        await database.write(tag)
        await asyncio.to_thread(backup, database.path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT name FROM tag").fetchall() == [("tag of 1",)]


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    async with opened(tmp_path / "live") as database:
        with pytest.raises(StoreError, match=r"copy\.db exists; choose another place"):
            await asyncio.to_thread(backup, database.path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no database"), (b"no database at all" * 1_000, "damaged")],
)
async def test_what_cannot_be_copied_is_told_and_leaves_nothing_behind(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "notes.db").write_bytes(content)
    with pytest.raises(StoreError, match=said):
        await asyncio.to_thread(backup, tmp_path / "notes.db", tmp_path / "copy.db")
    assert "copy.db" not in names_in(tmp_path)


async def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path / "live") as database:
        with pytest.raises(StoreError, match="unable to open database file"):
            await asyncio.to_thread(backup, database.path, tmp_path / "nowhere" / "copy.db")
        assert database.quarantined is None
