"""The protocol's specification: whatever is lost, repeated, reordered, restored or dies, sums in the hub are right."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_aiops.store.shared.database import Database

from .history import History, Verdict
from .machines import _copied

STEPS = 60
MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where there is one: what is tested is not the disk."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def empty_hub(folder: Path) -> bytes:
    """The file of a new hub."""
    async with Database.open(folder / "new.db"):
        pass
    return _copied(folder / "new.db")


async def live(seed: int, folder: Path, empty_hub: bytes) -> Verdict:
    """One history in a folder of its own."""
    own = folder / str(seed)
    own.mkdir()
    verdict = await History(seed, own, empty_hub).run(STEPS)
    shutil.rmtree(own)
    return verdict


async def test_sums_in_the_hub_are_those_of_the_edge_whatever_happened(folder: Path, empty_hub: bytes) -> None:
    for seed in range(100):
        verdict = await live(seed, folder, empty_hub)
        assert (verdict.lost, verdict.double) == ([], []), f"history {seed}"
