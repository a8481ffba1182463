"""One process owns a data folder."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_aiops.base.errors import StoreError, StoreLocked
from edge_aiops.store.local import FolderLock

HOLDER = """
import sys
from pathlib import Path
from edge_aiops.store.local import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        said = f"{re.escape(str(tmp_path))} is in use by process {process.pid}; stop it"
        with pytest.raises(StoreLocked, match=said), FolderLock(tmp_path):
            pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        with FolderLock(tmp_path):
            pass


def test_the_folder_is_free_after_the_block_and_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        with FolderLock(folder):
            pass


def test_a_failure_inside_the_block_frees_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a bug"), FolderLock(tmp_path):
        raise ValueError("a bug")
    with FolderLock(tmp_path):
        pass


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(StoreLocked), FolderLock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"), FolderLock(tmp_path / "file"):
        pass
