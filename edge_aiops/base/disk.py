"""What it takes to have something on the disk, and how a disk says that it is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def flush(path: Path) -> None:
    """Have the file, or the folder's entries, on the disk and not only in the kernel's memory.

    Never for a database that is open: closing any descriptor of a file drops the locks that SQLite holds on it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(file: Path, content: bytes) -> None:
    """Have `content` in `file`, on the disk, in place of what was there; never half of it."""
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)
    flush(file.parent)


def is_full(error: OSError) -> bool:
    """Whether the disk, or somebody's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
