"""What was acknowledged survives a kill at any moment."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.journal import Journal
from edge_aiops.testing.clock import FakeClock

from .appender import Acknowledged, appending, missing


async def kill_and_look(folder: Path, *, rounds: int, seed: int) -> int:
    """Kill the appending program in each round after a random number of acknowledgements; how many there were."""
    chance = random.Random(seed)
    promised = Acknowledged({}, {})
    for number in range(rounds):
        said = ""
        with appending(folder, "--seed", str(number), "--first", str(1 + 100_000 * number)) as process:
            assert process.stdout is not None
            for line in itertools.islice(process.stdout, chance.randrange(1, 600)):
                said += line
            process.kill()
            said += process.stdout.read()
        new = Acknowledged.parse(said)
        assert new.events
        promised.events.update(new.events)
        promised.labels.update(new.labels)
        journal = await Journal.open(folder, clock=FakeClock(), settings=JournalSettings())
        try:
            assert journal.database.quarantined is None
            assert await missing(journal, promised) == []
        finally:
            await journal.close()
    return len(promised.events) + len(promised.labels)


async def test_nothing_acknowledged_is_lost_in_a_kill(tmp_path: Path) -> None:
    assert await kill_and_look(tmp_path, rounds=10, seed=1) > 100


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_nothing_acknowledged_is_lost_in_three_hundred_kills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promised = 0
    for seed in range(30):
        promised += await kill_and_look(tmp_path / str(seed), rounds=10, seed=seed)
    with capsys.disabled():
        print(f"\n300 kills: all of {promised} promises kept")
