"""A small database for tests: notes, tags that refer to them, and settings without row numbers.

Run as a program with a folder and a number, it writes that many notes, says so, and waits with the file open.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from edge_aiops.store.local import LocalDatabase, Schema
from edge_aiops.testing.clock import FakeClock

NOTES = Schema(
    name="notes",
    application_id=0x4E4F5445,
    migrations=(
        (
            "CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
            "CREATE TABLE tag (note INTEGER NOT NULL REFERENCES note (number) ON DELETE CASCADE, name TEXT) STRICT",
            "CREATE TABLE setting (name TEXT, part INT, value TEXT, PRIMARY KEY (name, part)) STRICT, WITHOUT ROWID",
        ),
    ),
)
NEWER_NOTES = NOTES._replace(
    migrations=(
        *NOTES.migrations,
        ("ALTER TABLE note ADD COLUMN colour TEXT", "CREATE INDEX note_of_colour ON note (colour)"),
    )
)


@asynccontextmanager
async def opened(
    folder: Path, schema: Schema = NOTES, *, max_bytes: int | None = None, clock: FakeClock | None = None
) -> AsyncIterator[LocalDatabase]:
    """The database `folder`/notes.db, closed in the end."""
    database = await LocalDatabase.open(folder / "notes.db", schema, clock=clock or FakeClock(), max_bytes=max_bytes)
    try:
        yield database
    finally:
        await database.close()


async def add(database: LocalDatabase, *texts: str) -> None:
    """Write notes in one unit."""
    await database.write(lambda connection: insert(connection, texts))


def insert(connection: sqlite3.Connection, texts: Iterable[str]) -> None:
    connection.executemany("INSERT INTO note (text) VALUES (?)", [(text,) for text in texts])


async def notes(database: LocalDatabase) -> list[str]:
    """The texts of all notes in the order of their numbers."""
    return [text for (text,) in await database.read("SELECT text FROM note ORDER BY number")]


def tag(connection: sqlite3.Connection) -> None:
    """Give every note a tag, and settings besides."""
    connection.execute("INSERT INTO tag SELECT number, 'tag of ' || number FROM note")
    connection.executemany("INSERT INTO setting VALUES ('colour', ?, 'red')", [(part,) for part in range(50)])


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def another_owner(folder: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has written `count` notes and holds the file open; killed in the end, where it still lives."""
    with subprocess.Popen(
        [sys.executable, __file__, str(folder), str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()


def text_of(number: int) -> str:
    """The text of the notes that the program writes."""
    return f"note {number} " + "x" * 400


async def main() -> None:
    database = await LocalDatabase.open(Path(sys.argv[1]) / "notes.db", NOTES, clock=FakeClock())
    count = int(sys.argv[2])
    await add(database, *map(text_of, range(count // 2)))
    await database.checkpoint()
    await add(database, *map(text_of, range(count // 2, count)))
    await database.write(tag)
    print("written", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
