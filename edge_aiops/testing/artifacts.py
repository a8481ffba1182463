"""Artifacts that no backend may accept: damaged, empty, mislabelled, hostile."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path


class _Canary:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self._path,)


def pickle_that_creates(path: Path) -> bytes:
    """A pickle that creates the file `path` in whoever loads it."""
    return pickle.dumps(_Canary(path))


def spoiled(good: bytes, canary: Path) -> dict[str, bytes]:
    """What may lie where the artifact `good` should: by a word for each kind.

    The kinds with a pickle create the file `canary` if they are loaded.
    """
    hostile = pickle_that_creates(canary)
    return {
        "empty": b"",
        "text": b"<!doctype html><title>404 Not Found</title>",
        "pickle": hostile,
        "zip of a pickle": _zipped("archive/data.pkl", hostile),
        "first half": good[: len(good) // 2],
        "zeros": bytes(4096),
    }


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()
