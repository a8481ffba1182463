"""Killed anywhere between the first byte of a download and its commit, a node answers from the old version or the new.

In this process it is killed at chosen operations on its disk, before or after they are done; and for the rest, at any
moment, a real one by SIGKILL.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from edge_aiops.base.chunks import CHUNK_BYTES
from edge_aiops.fleet.node.deployments import Serving
from edge_aiops.serving.statistics import Vitals
from edge_aiops.testing.clock import FakeClock
from tests.crash.activating import Device, Hub

OLD, NEW = b"old" * 1_000, b"".join(number.to_bytes(4, "big") for number in range((2 * CHUNK_BYTES + 100_000) // 4))
GOOD, BAD, UNKNOWN = Vitals(100, 0), Vitals(10, 10), Vitals(0, 0)
NEVER = {"commit": {"mostAttempts": 1_000}}
"""Kills of a test say nothing of the version."""


class Killed(BaseException):
    """The power is gone."""


class Power:
    """Fails at one step, and from then on."""

    def __init__(self, fails_at: int | None) -> None:
        self.steps = 0
        self._fails_at = fails_at

    def step(self) -> None:
        self.steps += 1
        if self._fails_at is not None and self.steps >= self._fails_at:
            raise Killed


class Lived(NamedTuple):
    """How far one life of the node went."""

    whole: bool
    steps: int


async def live(folder: Path, hub: Hub, *, vital: Vitals, fails_at: int | None = None) -> Lived:
    """One life: start, follow the hub, judge; until all is done, or the power fails. What is served is looked at."""
    power, device, clock = Power(fails_at), Device(), FakeClock()
    wrong: list[str] = []

    def look(serving: Serving) -> None:
        versions = [one.version for one in serving.deployments]
        paths = [one.path for one in serving.deployments if one.path is not None]
        if versions not in (["1"], ["2"]) or paths[0].read_bytes() != (OLD if versions == ["1"] else NEW):
            wrong.append(f"{versions} from {paths}")

    device.look = look
    try:
        async with device.running(folder, hub.url, step=power.step, clock=clock) as running:
            await running.follower.pull()
            device.vital = vital
            await running.activator.judge()
            await running.follower.pull()
    except Killed:
        pass
    assert wrong == []
    return Lived(power._fails_at is None or power.steps < power._fails_at, power.steps)


async def prepared(folder: Path, hub: Hub) -> None:
    """The old version has proved itself, and the hub wants the new one."""
    hub.want(1, OLD)
    assert (await live(folder, hub, vital=GOOD)).whole
    hub.want(2, NEW, **NEVER)


async def outcome(folder: Path, hub: Hub) -> tuple[list[str], dict[str, str]]:
    async with Device().running(folder, hub.url, clock=FakeClock()) as device:
        return [one.version for one in device.serving.deployments], device.states


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub().running() as running:
        yield running


async def test_a_kill_at_any_operation_leaves_the_old_version_or_the_new_and_the_rest_is_made_up(
    hub: Hub, tmp_path: Path
) -> None:
    await prepared(tmp_path / "measured", hub)
    steps = (await live(tmp_path / "measured", hub, vital=GOOD)).steps
    assert steps > 25
    await killed_each(hub, tmp_path, list(range(1, steps + 1, 2)), vital=GOOD)


@pytest.mark.soak
async def test_a_thousand_kills_lose_nothing(hub: Hub, tmp_path: Path) -> None:
    chance = random.Random(20)
    kills = 0
    await prepared(tmp_path / "begun", hub)
    for number in range(1_000):
        folder = tmp_path / str(number)
        await asyncio.to_thread(shutil.copytree, tmp_path / "begun", folder)
        own, whole = 0, False
        while not whole:
            have = whole_chunks(folder)
            hub.asked.clear()
            whole = (await live(folder, hub, vital=GOOD, fails_at=chance.randrange(1, 40))).whole
            assert hub.asked in ([], [have])
            own += not whole
        assert await outcome(folder, hub) == (["2"], {"m:2": "committed"})
        await asyncio.to_thread(shutil.rmtree, folder)
        kills += own
        if kills >= 1_000:
            break
    print(f"{kills} kills: the old version or the new answered after each")


async def test_a_kill_at_any_operation_of_a_rollback_ends_with_the_old_version(hub: Hub, tmp_path: Path) -> None:
    await prepared(tmp_path / "measured", hub)
    steps = (await live(tmp_path / "measured", hub, vital=BAD)).steps
    await killed_each(hub, tmp_path, list(range(steps - 5, steps + 1, 2)), vital=BAD)


def whole_chunks(folder: Path) -> int:
    """Bytes in the whole chunks that the node has of what it fetches; that many need not come again."""
    return sum(path.stat().st_size for path in (folder / "models").glob("*.partial")) // CHUNK_BYTES * CHUNK_BYTES


async def killed_each(hub: Hub, folder: Path, points: list[int], *, vital: Vitals) -> None:
    """Kill a node at each of these operations, then let it live."""
    await prepared(folder / "begun", hub)
    for point in points:
        own = folder / str(point)
        await asyncio.to_thread(shutil.copytree, folder / "begun", own)
        assert not (await live(own, hub, vital=vital, fails_at=point)).whole
        have = whole_chunks(own)
        hub.asked.clear()
        assert (await live(own, hub, vital=vital)).whole
        assert hub.asked in ([], [have])
        wanted = (["2"], {"m:2": "committed"}) if vital is GOOD else (["1"], {"m:2": "rolledBack"})
        assert await outcome(own, hub) == wanted
        assert [path.name for path in (own / "models").iterdir()] == [
            hashlib.sha256(NEW if vital is GOOD else OLD).hexdigest()
        ] or vital is BAD


async def test_a_real_process_killed_at_any_moment_serves_the_old_version_or_the_new(hub: Hub, tmp_path: Path) -> None:
    await prepared(tmp_path, hub)
    hub.pause_s = 0.02
    digests = {"1": hashlib.sha256(OLD).hexdigest(), "2": hashlib.sha256(NEW).hexdigest()}
    program = str(Path(__file__).with_name("activating.py"))
    for pause_s in (0.2, 0.5, None):
        process = await asyncio.create_subprocess_exec(
            sys.executable, program, str(tmp_path), hub.url, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            lines = [await process.stdout.readline()]
            if pause_s is None:
                lines += [await process.stdout.readline(), await process.stdout.readline()]
            else:
                await asyncio.sleep(pause_s)
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        for line in lines:
            [[version, digest]], states = msgspec.json.decode(line)
            assert digests[version] == digest
        for path in (tmp_path / "models").iterdir():
            if path.suffix != ".partial":
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert (version, states) == ("2", {"m:2": "committed"})
