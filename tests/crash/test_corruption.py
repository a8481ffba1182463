"""A broken database costs history, not service."""

from __future__ import annotations

import random
import shutil
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_aiops.base.settings import JournalSettings
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.journal.journal import Journal
from edge_aiops.testing.clock import FakeClock

from . import damage
from .appender import appending, event

DESIRED = SavedDesired(7, "etag", b'{"models":[]}' * 2_000)


class Boot(NamedTuple):
    """How a start on a damaged folder went."""

    what: str
    seconds: float
    set_aside: int
    events_kept: int
    failure: str | None


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Data folders as nodes leave them: one was killed, one was stopped in order."""
    killed, stopped = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("stopped")
    with appending(killed, "--seed", "5", "--state") as process:
        assert process.stdout is not None
        for _ in range(2_000):
            process.stdout.readline()
    with appending(stopped, "--seed", "6", "--rounds", "200", "--state") as process:
        process.communicate()
    return [killed, stopped]


async def boot(folder: Path) -> tuple[int, int]:
    """Start the stores of a node, and use them; how many files were set aside, and how many events are there."""
    async with AsyncExitStack() as stack:
        state = await NodeState.open(folder, clock=FakeClock())
        stack.push_async_callback(state.close)
        identity = await state.identity()
        await state.desired()
        journal = await Journal.open(folder, clock=FakeClock(), settings=JournalSettings())
        stack.push_async_callback(journal.close)
        ((kept,),) = await journal.database.read("SELECT count(*) FROM event")

        await state.save_desired(DESIRED)
        for number in range(3):
            (inference_id,), committed = journal.append([event(number)])
            await committed
            assert (await journal.get(inference_id)).request_id == str(number)
        assert await state.desired() == DESIRED
        assert await state.identity() == identity
        aside = sum(database.quarantined is not None for database in (state.database, journal.database))
    return aside, kept


async def damaged_boots(
    folders: list[Path], place: Path, *, count: int, seed: int, target: str | None = None
) -> list[Boot]:
    """Starts on copies of `folders`, each damaged in its own way: the file `target`, or one of the two."""
    chance = random.Random(seed)
    boots = []
    for number in range(count):
        source = chance.choice(folders)
        folder = shutil.copytree(source, place / str(number))
        file = folder / (target or chance.choice(["state.db", "events.db"]))
        names = damage.at_random(file, chance)
        boots.append(await _boot(folder, f"number {number}, {source.name}, {file.name}: {names}"))
        shutil.rmtree(folder)
    return boots


async def _boot(folder: Path, what: str) -> Boot:
    started = time.perf_counter()
    try:
        aside, kept = await boot(folder)
    except Exception as error:
        return Boot(what, time.perf_counter() - started, 0, 0, repr(error))
    seconds = time.perf_counter() - started
    # And the start after that finds a sound folder.
    again, _ = await boot(folder)
    return Boot(what, seconds, aside, kept, "damaged again" if again else None)


def report(boots: list[Boot]) -> str:
    slowest = max(boots, key=lambda one: one.seconds)
    return (
        f"{len(boots)} damaged folders: {sum(one.failure is not None for one in boots)} failed starts, "
        f"{sum(one.set_aside for one in boots)} files set aside, "
        f"slowest start {slowest.seconds:.2f} s ({slowest.what})"
    )


async def test_a_damaged_file_never_keeps_a_node_from_starting(folders: list[Path], tmp_path: Path) -> None:
    boots = await damaged_boots(folders, tmp_path, count=40, seed=1)
    assert [one for one in boots if one.failure] == []
    assert sum(one.set_aside for one in boots) > 10
    assert sum(one.events_kept > 0 for one in boots) > 20


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_a_file_too_large_to_be_checked_whole_never_keeps_a_node_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large"
    journal = await Journal.open(large, clock=FakeClock(), settings=JournalSettings())
    events = [event(number) for number in range(1, 97)] * 10
    for _ in range(700):
        _, committed = journal.append(events)
        await committed
    await journal.close()
    boots = await damaged_boots([large], tmp_path, count=40, seed=3, target="events.db")
    with capsys.disabled():
        print(f"\n{(large / 'events.db').stat().st_size // 1_000_000} MB: {report(boots)}")
    assert [one for one in boots if one.failure] == []


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_a_thousand_damaged_files_never_keep_a_node_from_starting(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boots = await damaged_boots(folders, tmp_path, count=1_000, seed=2)
    with capsys.disabled():
        print(f"\n{report(boots)}")
    assert [one for one in boots if one.failure] == []
