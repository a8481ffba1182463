"""Checks of the data folder: nothing in it is changed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from edge_aiops.base.settings import Settings
from edge_aiops.cli.checkup import Check, Finding
from edge_aiops.cli.output import size

_LEAST_FREE_BYTES = 256 * 1024**2
_SLOW_FLUSH_S = 0.05
_FLUSHES = 16
_CHECK_LIMIT_S = 10.0
_MOUNTS = Path("/proc/self/mounts")
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse.sshfs", "fuse.s3fs", "fuse.rclone")
_FLEETING = {"tmpfs": "is lost at the next boot", "overlay": "is lost with the container; mount a volume there"}


def folder(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, and how long the disk takes to have something safely."""
    place = _existing(settings.data_folder)
    where = f"{settings.data_folder}" + ("" if place == settings.data_folder else " (not there yet)")
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        yield Finding("FAIL", "data folder", f"{where} cannot be written", "chown it, or choose another with --data")
        return
    yield Finding("OK", "data folder", f"{where} can be written")
    try:
        took_s = _flush_time_s(place)
    except OSError as error:
        yield Finding("FAIL", "disk", f"a file in {place} cannot be written: {error}", "free some space")
        return
    said = f"{took_s * 1000:.1f} ms until something is safely on it"
    if took_s > _SLOW_FLUSH_S:
        yield Finding("WARN", "disk", f"{said}, which every answer waits for", "set journal.synchronous = 'normal'")
    else:
        yield Finding("OK", "disk", said)


def space(settings: Settings) -> Iterator[Finding]:
    """Room for the journal."""
    free, wanted = shutil.disk_usage(_existing(settings.data_folder)).free, settings.journal.max_bytes
    if free < _LEAST_FREE_BYTES:
        yield Finding("FAIL", "space", f"only {size(free)} free", "free some space, or choose another data folder")
    elif free < wanted:
        yield Finding(
            "WARN", "space", f"{size(free)} free, the journal may grow to {size(wanted)}", "lower journal.max_bytes"
        )
    else:
        yield Finding("OK", "space", f"{size(free)} free")


def file_system(settings: Settings) -> Iterator[Finding]:
    """Write-ahead logging needs a local file system."""
    kind = _file_system(_existing(settings.data_folder).resolve())
    if kind.startswith(_REMOTE):
        yield Finding(
            "FAIL", "file system", f"{kind} is not local, and SQLite needs one that is", "choose a local disk"
        )
    elif kind in _FLEETING:
        yield Finding("WARN", "file system", f"{kind}: what is kept {_FLEETING[kind]}", "choose a folder on a disk")
    else:
        yield Finding("OK", "file system", kind or "cannot be told here")


def lock(settings: Settings) -> Iterator[Finding]:
    """Who owns the data folder."""
    import fcntl

    path = settings.data_folder / "node" / "lock"
    if not path.is_file():
        yield Finding("OK", "owner", "nobody uses the data folder")
        return
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read(32).decode("ascii", "replace").strip() or "unknown"
            yield Finding("OK", "owner", f"process {holder} uses the data folder")
        else:
            yield Finding("OK", "owner", "nobody uses the data folder")


def databases(settings: Settings) -> Iterator[Finding]:
    """Whether the databases are whole, read only."""
    for path in sorted(settings.data_folder.glob("*/*.db")):
        yield _quick_check(path, f"{path.parent.name}/{path.name}")
    for path in sorted(settings.data_folder.glob("*/quarantine/*")):
        yield Finding("WARN", "database", f"{path} was damaged and set aside", "look at the disk; then delete it")


def _quick_check(path: Path, name: str) -> Finding:
    import sqlite3
    from contextlib import closing

    give_up_at = time.monotonic() + _CHECK_LIMIT_S
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > give_up_at, 10_000)
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return Finding("OK", "database", f"{name}: {size(path.stat().st_size)}, sound as far as read in 10 s")
        answer = str(error)
    if answer == "ok":
        return Finding("OK", "database", f"{name}: {size(path.stat().st_size)}, sound")
    return Finding(
        "FAIL", "database", f"{name}: {answer}", "restart the server, which sets it aside; or restore a backup"
    )


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())


def _flush_time_s(folder: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_FLUSHES):
            file.write(bytes(4096))
            started = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return median(times)


def _file_system(path: Path) -> str:
    """The kind of the file system that `path` is on, as Linux calls it; empty elsewhere."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    mounts = [(Path(fields[1].replace("\\040", " ")), fields[2]) for fields in map(str.split, lines)]
    fitting = [
        (len(mount.parts), place, kind) for place, (mount, kind) in enumerate(mounts) if path.is_relative_to(mount)
    ]
    return max(fitting)[2] if fitting else ""


CHECKS: tuple[Check, ...] = (folder, space, file_system, lock, databases)
