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


def is_full(error: OSError) -> bool:
    """Whether the disk, or somebody's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
