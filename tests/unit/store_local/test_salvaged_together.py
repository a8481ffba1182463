"""Tables that only mean something together are salvaged together, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.store.local import Schema

from .notes import opened

ROWS = 2_000
PAGE = 4_096
SCHEMA = Schema(
    name="counts",
    application_id=0x434F554E,
    migrations=(
        (
            "CREATE TABLE counted (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
            "CREATE TABLE reached (stage TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE said (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
        ),
    ),
    together=("counted", "reached"),
)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder whose file was closed in order."""
    rows = [(number, f"row {number} " * 10) for number in range(ROWS)]
    async with opened(tmp_path, SCHEMA) as database:
        await database.write(lambda connection: connection.executemany("INSERT INTO counted VALUES (?, ?)", rows))
        await database.write(lambda connection: connection.executemany("INSERT INTO said VALUES (?, ?)", rows))
        await database.write(lambda connection: connection.execute("INSERT INTO reached VALUES ('events', 2000)"))
    return tmp_path


@pytest.mark.parametrize("table", SCHEMA.together)
async def test_where_rows_of_one_are_lost_all_are_left_out(folder: Path, table: str) -> None:
    spoil(folder / "notes.db", table)
    assert await salvaged(folder) == {"counted": 0, "reached": 0, "said": ROWS}


async def test_where_another_table_is_damaged_they_are_kept(folder: Path) -> None:
    spoil(folder / "notes.db", "said")
    assert await salvaged(folder) == {"counted": ROWS, "reached": 1, "said": 0}


def spoil(file: Path, table: str) -> None:
    """Zero the first page of a table."""
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    with file.open("r+b") as damaged:
        damaged.seek((page - 1) * PAGE)
        damaged.write(bytes(PAGE))


async def salvaged(folder: Path) -> dict[str, int]:
    """How many rows of each table are there once every table has been read."""
    async with opened(folder, SCHEMA) as database:
        for _ in range(2):
            found = {table: len(await database.read(f"SELECT * FROM {table}")) for table in _TABLES}
        assert database.quarantined is not None
        return found


_TABLES = ("counted", "reached", "said")
