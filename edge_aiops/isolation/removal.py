"""Removes a folder that somebody else has filled."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove `folder` with all that is in it, as far as possible, even where its folders are nested too deep for a
    path or for recursion, or closed to their owner."""
    with suppress(OSError):
        # Beside it and under a name that begins like its, so that it is found again where this is interrupted.
        flat = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        try:
            _remove(folder, flat)
        finally:
            flat.rmdir()


def _remove(folder: Path, flat: Path) -> None:
    """Every folder is moved to `flat` before it is emptied, which keeps its path short."""
    names = map(str, count())
    waiting = [_moved(folder, flat / next(names))]
    while waiting:
        one = waiting.pop()
        with os.scandir(one) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(_moved(Path(entry), flat / next(names)))
                else:
                    Path(entry).unlink()
        one.rmdir()


def _moved(folder: Path, to: Path) -> Path:
    folder.chmod(0o700)
    return folder.rename(to)
