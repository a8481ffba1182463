"""What was acknowledged survives a power cut at any moment."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.journal import Journal
from edge_aiops.testing.clock import FakeClock

from . import appender
from .appender import Acknowledged
from .power import Disk, Operation, Say, operations, rebuild, trace_command


class Outcome(NamedTuple):
    """What was found after one power cut."""

    promised: int
    lost: list[str]
    damage: str | None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where there is one: real syncs would only cost time here."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="edge-aiops-cut-") as name:
        yield Path(name)


def recorded(folder: Path, *options: str) -> list[Operation]:
    """What the appending program does in `folder`/data when nobody disturbs it."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; it records the writes that the power cuts are replayed from")
    log = folder / "log"
    data = folder / "data"
    command = [*trace_command(log), sys.executable, appender.__file__, str(data), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0 and "ptrace" in ended.stderr:
        pytest.skip(f"strace may not trace here: {ended.stderr.strip().splitlines()[0]}")
    assert ended.returncode == 0, ended.stderr
    found = operations(log, data)
    log.unlink()
    shutil.rmtree(data)
    assert "".join(one.text for one in found if isinstance(one, Say)) == ended.stdout
    return found


async def cut(folder: Path, done: list[Operation], *, cuts: int, seed: int) -> list[Outcome]:
    """The outcomes of power cuts at random moments."""
    chance = random.Random(seed)
    moments = sorted(chance.randrange(1, len(done) + 1) for _ in range(cuts))
    disk, said, position = Disk(folder / "data"), "", 0
    outcomes = []
    for moment in moments:
        for operation in done[position:moment]:
            disk.do(operation)
            said += operation.text if isinstance(operation, Say) else ""
        position = moment
        place = folder / "found"
        rebuild(disk.after_a_cut(chance), folder / "data", place, chance)
        outcomes.append(await _outcome(place, Acknowledged.parse(said)))
        shutil.rmtree(place)
    return outcomes


async def _outcome(place: Path, promised: Acknowledged) -> Outcome:
    journal = await Journal.open(place, clock=FakeClock(), settings=JournalSettings())
    try:
        quarantined = journal.database.quarantined
        ((checked,),) = await journal.database.read("PRAGMA integrity_check(1)")
        damage = quarantined.reason if quarantined else None if checked == "ok" else str(checked)
        lost = await appender.missing(journal, promised)
        # And it goes on.
        _, committed = journal.append([appender.event(1)])
        await committed
    finally:
        await journal.close()
    return Outcome(len(promised.events) + len(promised.labels), lost, damage)


async def replay(folder: Path, *options: str, recordings: int, cuts: int, rounds: int) -> list[Outcome]:
    """The outcomes of `cuts` power cuts in each of some recordings of `rounds` groups."""
    outcomes = []
    for seed in range(recordings):
        done = await asyncio.to_thread(
            recorded, folder, "--rounds", str(rounds), "--seed", str(seed), "--quiet", *options
        )
        outcomes += await cut(folder, done, cuts=cuts, seed=seed)
    return outcomes


def report(outcomes: list[Outcome]) -> str:
    losing = [outcome for outcome in outcomes if outcome.lost]
    lost = sum(len(outcome.lost) for outcome in losing)
    promised = sum(outcome.promised for outcome in outcomes)
    damaged = sum(outcome.damage is not None for outcome in outcomes)
    return (
        f"{len(outcomes)} power cuts: {len(losing)} lost something acknowledged "
        f"({lost} of {promised} promises), {damaged} damaged the file"
    )


async def test_nothing_acknowledged_is_lost_in_a_power_cut(folder: Path) -> None:
    outcomes = await replay(folder, recordings=2, cuts=30, rounds=80)
    assert sum(outcome.promised for outcome in outcomes) > 1_000
    assert [outcome for outcome in outcomes if outcome.lost or outcome.damage] == []


async def test_the_replay_finds_the_losses_of_a_setting_that_promises_less(folder: Path) -> None:
    outcomes = await replay(folder, "--synchronous", "normal", recordings=1, cuts=30, rounds=80)
    assert sum(bool(outcome.lost) for outcome in outcomes) > 10
    assert [outcome for outcome in outcomes if outcome.damage] == []


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_nothing_acknowledged_is_lost_in_ten_thousand_power_cuts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = await replay(folder, recordings=50, cuts=200, rounds=150)
    control = await replay(folder, "--synchronous", "normal", recordings=5, cuts=200, rounds=150)
    with capsys.disabled():
        print(f"\nsynchronous=full: {report(outcomes)}\nsynchronous=normal: {report(control)}")
    assert len(outcomes) == 10_000
    assert [outcome for outcome in outcomes if outcome.lost or outcome.damage] == []
    assert sum(bool(outcome.lost) for outcome in control) > len(control) / 2
