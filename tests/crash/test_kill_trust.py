"""Kill -9 at any step of a refresh: what a node trusts is whole, has not gone back, and the next refresh goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from edge_aiops.base.errors import Untrusted
from edge_aiops.testing.clock import FakeClock
from tests.fleet.hostile_hub import HostileHub, device

PROGRAM = Path(__file__).with_name("dying_trust.py")
STEPS = 15
"""Of root, timestamp, snapshot, targets and the mark of what was accepted: fsync, renaming, fsync of the folder."""


async def refreshed_in_a_process(hub: HostileHub, folder: Path, *, die_at: int) -> int:
    """Have another process refresh; gives how it ended."""
    root = folder.with_name("first.json")
    await asyncio.to_thread(root.write_bytes, hub.roots[0].body)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), hub.url, str(folder), str(root), str(die_at)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return await process.wait()


async def survives(hub: HostileHub, folder: Path, *, die_at: int, clock: FakeClock) -> None:
    """Two states are trusted, the refresh for a third, under new keys, is killed."""
    hub.publish(1, b"one")
    old = dict(hub.files)
    hub.publish(2, b"two")
    async with device(hub, folder, clock=clock) as node:
        assert await node.pull() == 2
        accepted = node.accepted
    hub.rotate()
    hub.publish(3, b"three")
    assert await refreshed_in_a_process(hub, folder, die_at=die_at) == -signal.SIGKILL
    async with device(hub, folder, clock=clock, accepted=accepted) as node:
        new, hub.files = hub.files, old
        with pytest.raises(Untrusted):
            await node.pull()
        hub.files = new
        assert await node.pull() == 3


@pytest.mark.parametrize("die_at", [3, 8, STEPS])
async def test_a_kill_leaves_what_is_trusted_whole(tmp_path: Path, fake_clock: FakeClock, die_at: int) -> None:
    async with HostileHub(fake_clock).running() as hub:
        await survives(hub, tmp_path / "trust", die_at=die_at, clock=fake_clock)


async def test_there_are_no_more_steps_than_those(tmp_path: Path, fake_clock: FakeClock) -> None:
    async with HostileHub(fake_clock).running() as hub:
        hub.rotate()
        hub.publish(1, b"one")
        assert await refreshed_in_a_process(hub, tmp_path / "trust", die_at=STEPS + 1) == 0


@pytest.mark.soak
async def test_a_kill_at_every_step(tmp_path: Path, fake_clock: FakeClock) -> None:
    for die_at in range(1, STEPS + 1):
        async with HostileHub(fake_clock).running() as hub:
            await survives(hub, tmp_path / str(die_at) / "trust", die_at=die_at, clock=fake_clock)
