"""The protocol's specification: whatever is lost, repeated, reordered, restored or dies, sums in the hub are right."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge_aiops.fleet.hub import rows
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.messages.push import Push
from edge_aiops.store.shared.database import Database

from .history import History, Verdict
from .machines import copied

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
    return copied(folder / "new.db")


async def live(seed: int, folder: Path, empty_hub: bytes, **more: Any) -> Verdict:
    """One history in a folder of its own."""
    own = folder / str(seed)
    own.mkdir()
    verdict = await History(seed, own, empty_hub, **more).run(STEPS)
    shutil.rmtree(own)
    return verdict


async def right(seeds: range, folder: Path, empty_hub: bytes) -> None:
    for seed in seeds:
        verdict = await live(seed, folder, empty_hub, rolls_up=seed % 8 == 0)
        assert (verdict.lost, verdict.double, verdict.merged) == ([], [], {}), f"history {seed}"


async def test_sums_in_the_hub_are_those_of_the_edge_whatever_happened(folder: Path, empty_hub: bytes) -> None:
    await right(range(48), folder, empty_hub)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_so_they_are_in_thousands_of_histories(folder: Path, empty_hub: bytes) -> None:
    await right(range(1_000, 11_000), folder, empty_hub)


def without_revisions(patch: pytest.MonkeyPatch) -> None:
    """What comes last stays."""
    statement = rows._PUT_ROW.replace("excluded.revision > fleet_rows.revision", "true")
    assert statement != rows._PUT_ROW
    patch.setattr(rows, "_PUT_ROW", statement)


def without_cursors(patch: pytest.MonkeyPatch) -> None:
    """A hub does not look whether it went back in time."""
    push = Ingest.push
    patch.setattr(Ingest, "push", lambda self, node_id, sent: push(self, node_id, replace(sent, have={})))


def without_boots(patch: pytest.MonkeyPatch) -> None:
    """Windows of all starts of a process are one."""
    push = Ingest.push

    def changed(sent: Push) -> Push:
        return replace(sent, rows=tuple(replace(row, key=replace(row.key, boot=1)) for row in sent.rows))

    patch.setattr(Ingest, "push", lambda self, node_id, sent: push(self, node_id, changed(sent)))


@pytest.mark.parametrize("break_rule", [without_revisions, without_cursors, without_boots])
async def test_without_one_of_the_rules_sums_would_be_wrong(
    break_rule: Callable[[pytest.MonkeyPatch], None], folder: Path, empty_hub: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rule(monkeypatch)
    for seed in range(60):
        verdict = await live(seed, folder, empty_hub)
        if verdict.lost or verdict.double:
            return
    pytest.fail("60 histories went well without the rule")
