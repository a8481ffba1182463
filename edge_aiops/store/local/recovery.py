"""How damage is found at boot, and where a damaged file goes: aside, whole.

A marker file stands beside an open database and is removed when it is closed in order. Where it is found at
boot, the file is checked thoroughly first. A damaged database costs history, never service.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge_aiops.base.errors import StoreCorrupt
from edge_aiops.store.local.connection import (
    PROGRESS_STEPS,
    is_damage_at_boot,
    open_reader,
    translated,
    was_interrupted,
)
from edge_aiops.store.local.schema import Schema, check

CHECK_LIMIT_S = 1.5
"""A check that takes longer counts as passed: a large journal must not keep the node from its work.

What it did not reach is mended when a write or a read meets it.
"""
CLEAN_CHECK_LIMIT_S = 0.2
"""The same for a file that was closed in order: enough for a small precious one."""
KEPT_QUARANTINED = 2
"""How many files are kept aside of each database; flash that breaks must not fill up with what it broke."""

_SUFFIXES = ("", "-wal", "-shm", "-journal")
_ENVIRONMENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
}
_PRIMARY_CODE = 0xFF

logger = logging.getLogger(__name__)


class Quarantined(NamedTuple):
    """A file that was set aside: where to, why, and how many rows were copied to its successor."""

    folder: Path
    reason: str
    salvaged_rows: int


class OpenMarker:
    """Tells at boot whether the last owner closed the file in order."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".open")

    @property
    def present(self) -> bool:
        """Whether the last owner died with the file open."""
        return self._path.exists()

    def set(self) -> None:
        """From here on the file is open."""
        self._path.touch()
        flush(self._path.parent)

    def clear(self) -> None:
        """The file was closed in order."""
        self._path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the file or folder on the disk, not only in the kernel's memory. Never for a database that is open:
    closing any descriptor of a file drops the locks that SQLite holds on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damage(path: Path, schema: Schema) -> str | None:
    """What is wrong with the file, by its header and `quick_check`; None if nothing was found in time.

    Nothing is written. Raises `StoreError` for a file that is none of ours, or that is out of reach.
    """
    marker = OpenMarker(path)
    if not path.exists():
        return "the file is gone" if marker.present else None
    if path.stat().st_size == 0:
        return "the file is empty" if marker.present else None
    give_up_at = time.monotonic() + (CHECK_LIMIT_S if marker.present else CLEAN_CHECK_LIMIT_S)
    known_as_ours = marker.present or _marked(path, schema)
    try:
        with closing(_inspecting(path, lambda: time.monotonic() > give_up_at)) as connection:
            check(connection, schema, known_as_ours=known_as_ours)
            connection.execute("PRAGMA cell_size_check = ON")
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except StoreCorrupt as error:
        return error.message
    except UnicodeDecodeError as error:
        return f"a message of SQLite quotes what is no text: {error.object!r}"
    except sqlite3.Error as error:
        if was_interrupted(error):
            return None
        if not is_damage_at_boot(error, path) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _ENVIRONMENT:
            raise translated(error, path) from error
        return str(error)  # these statements are sound, so it is the file that is not
    return None if answer == "ok" else str(answer)


def _inspecting(path: Path, expired: Callable[[], bool]) -> sqlite3.Connection:
    if path.with_name(path.name + "-journal").exists():
        # A power cut while the file was made. Only a connection that may write takes back what was half written.
        connection = sqlite3.connect(path, isolation_level=None)
        connection.set_progress_handler(expired, PROGRESS_STEPS)
        return connection
    # Without a log the file is read as it is, so that not even an empty log appears beside a stranger's file.
    return open_reader(path, expired=expired, ignore_log=not path.with_name(path.name + "-wal").exists())


def set_aside(path: Path, *, now_ms: int) -> Path:
    """Move the database, its log and its index together into `quarantine/`; gives the new folder.

    Only the newest `KEPT_QUARANTINED` of each database stay there.
    """
    quarantine = path.parent / "quarantine"
    quarantine.mkdir(exist_ok=True)
    older = sorted(quarantine.glob(f"{path.stem}-*"), key=_number)
    folder = quarantine / f"{path.stem}-{_number(older[-1]) + 1 if older else 1}-{now_ms}"
    folder.mkdir()
    for suffix in _SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(folder / part.name)
    for synced in (folder, quarantine, path.parent):
        flush(synced)
    for forgotten in older[: max(len(older) + 1 - KEPT_QUARANTINED, 0)]:
        shutil.rmtree(forgotten, ignore_errors=True)
    return folder


def _number(folder: Path) -> int:
    # A count and not the time, which may have been wrong.
    _, _, number = folder.name.rpartition("-")[0].rpartition("-")
    return int(number) if number.isdigit() else 0


def _marked(path: Path, schema: Schema) -> bool:
    """Whether the file itself, whatever its log says, bears our mark (SQLite's file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(72)
    return header[68:72] == schema.application_id.to_bytes(4, "big")
