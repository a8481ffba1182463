"""Kill -9 at any moment: what monitoring counts in every window is what the journal holds, no more and no less."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from .totals import GRANULARITIES, recorded, settled, summarised

CALLERS = 4
VERSIONS = ("1", "2")
HASTE = {"fiveMinuteAggregation": "200ms", "hourlyAggregation": "300ms", "dailyAggregation": "500ms"}
STILL_S = 1.5
"""How long totals are watched once they are right: several writes and merges."""


class Tally(NamedTuple):
    """What came of a number of kills."""

    kills: int
    events: int
    labels: int
    wrong: list[str]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.events} events and {self.labels} labels in the journal, "
            f"{len(self.wrong)} times other totals in a window of {', '.join(GRANULARITIES)}"
        )


async def prepare(client: Any) -> None:
    """Two versions of a model, one of which has a baseline; windows are written and merged all the time."""
    for version in VERSIONS:
        stage = "production" if version == "1" else "staging"
        await client.register("model", version, framework="echo", stage=stage)
    assert (await client.call("PUT", "/monitoring/config", json={"aggregation": HASTE})).status == 200


async def call(client: Any, chance: random.Random) -> None:
    """Predict with either version until the server is gone, some times in vain; label some events, some of them twice."""
    while True:
        version = chance.choice(VERSIONS)
        features: Any = [chance.random(), chance.random(), 0, 1]
        answer = await client.post("/predict", {"modelName": "model", "modelVersion": version, "features": features})
        assert answer.status == 200, answer
        for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
            label = {"actualOutcome": chance.choice("abc"), "correct": chance.random() < 0.7}
            labelled = await client.call("PATCH", f"/events/{answer.body['inferenceId']}", json=label)
            assert labelled.status == 200, labelled


async def until_gone(work: Any) -> None:
    try:
        await work
    except aiohttp.ClientError:
        return


async def kill_again_and_again(start: Any, connect: Any, folder: Path, *, kills: int, seed: int) -> Tally:
    """Kill the server under load, and compare all windows with the journal after each new start."""
    chance = random.Random(seed)
    wrong: list[str] = []
    for kill in range(kills + 1):
        process = await start(folder)
        async with connect(await process.ready()) as client:
            if kill == 0:
                await prepare(client)
            said = await settled(client, folder / "node", "model", still_s=STILL_S if kill else 0)
            if said != recorded(folder / "node", "model"):
                wrong.append(f"after kill {kill}: {said}, but {recorded(folder / 'node', 'model')}")
            status = (await client.get("/status")).body
            assert status["node"]["reasons"] == []
            if kill == kills:
                break
            load = [asyncio.create_task(until_gone(call(client, chance))) for _ in range(CALLERS)]
            await asyncio.sleep(chance.uniform(0.05, 1.5))
            process.send(signal.SIGKILL)
            assert await process.ended() == -signal.SIGKILL, process.said
            await asyncio.gather(*load)
    process.send(signal.SIGTERM)
    assert await process.ended() == 0, process.said
    daily = recorded(folder / "node", "model")["daily"].values()
    return Tally(kills, sum(of.requests for of in daily), sum(of.labelled for of in daily), wrong)


async def test_windows_count_what_the_journal_holds_after_every_kill(
    server_process: Any, connect: Any, tmp_path: Path
) -> None:
    tally = await kill_again_and_again(server_process, connect, tmp_path, kills=4, seed=1)
    assert tally.wrong == []
    assert tally.events > 100
    assert tally.labels > 30


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_windows_count_what_the_journal_holds_after_two_hundred_kills(
    server_process: Any, connect: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await kill_again_and_again(server_process, connect, tmp_path, kills=200, seed=2)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.wrong == []
