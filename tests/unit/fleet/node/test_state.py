"""Whatever becomes of its file, a node stays who it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.fleet.node.state import IDENTITY_FILE, Identity, NodeState
from edge_aiops.testing.clock import FakeClock


async def opened(folder: Path) -> tuple[Identity, bytes | None]:
    state = await NodeState.open(folder, clock=FakeClock())
    try:
        return await state.identity(), await state.remembered("hub_root")
    finally:
        await state.close()


@pytest.fixture
async def identity(tmp_path: Path) -> Identity:
    state = await NodeState.open(tmp_path, clock=FakeClock())
    await state.remember("hub_root", b"root")
    await state.close()
    return await state.identity()


def gone(file: Path) -> None:
    file.unlink()


def garbage(file: Path) -> None:
    file.write_bytes(b"x" * file.stat().st_size)


def index_without_rows(file: Path) -> None:
    """What a mixed-up page looks like: the index names rows that the table does not have."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'desired')"
            " WHERE name = 'identity'"
        )


@pytest.mark.parametrize("harm", [gone, garbage, index_without_rows])
async def test_a_node_whose_state_is_lost_is_the_same_node(
    tmp_path: Path, identity: Identity, harm: Callable[[Path], None]
) -> None:
    harm(tmp_path / "state.db")
    assert await opened(tmp_path) == (identity, b"root")
    assert await opened(tmp_path) == (identity, b"root")


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"node_id": "eHg="}', b"\xff"])
async def test_the_file_beside_is_made_anew(tmp_path: Path, identity: Identity, content: bytes | None) -> None:
    beside = tmp_path / IDENTITY_FILE
    whole = beside.read_bytes()
    beside.unlink() if content is None else beside.write_bytes(content)
    assert await opened(tmp_path) == (identity, b"root")
    assert beside.read_bytes() == whole


async def test_a_node_that_cannot_write_the_file_beside_starts_nevertheless(tmp_path: Path) -> None:
    (tmp_path / IDENTITY_FILE).mkdir()
    assert await opened(tmp_path) == await opened(tmp_path)
