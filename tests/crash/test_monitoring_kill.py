"""Kill -9 at any moment: what monitoring counts in every window is what the journal holds, no more and no less."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from .totals import GRANULARITIES, recorded, settled

CALLERS = 4
DYING = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from dying import run; run()"
VERSIONS = ("1", "2")
PATIENT = {"mostAttempts": 1_000}
"""Whoever kills the server, it is not the model."""
HASTE = {"fiveMinuteAggregation": "1s", "hourlyAggregation": "1s", "dailyAggregation": "1s"}
LEAST = 12
"""Labelled events before each kill, however slow the machine is."""
STILL_S = 3.0
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
        await client.register("model", version, framework="echo", stage=stage, commit=PATIENT)
    assert (await client.call("PUT", "/monitoring/config", json={"aggregation": HASTE})).status == 200


async def call(client: Any, chance: random.Random, labelled_events: set[str]) -> None:
    """Predict with either version until the server is gone; label some events, and some of those twice."""
    while True:
        version = chance.choice(VERSIONS)
        features: Any = [chance.random(), chance.random(), 0, 1]
        answer = await client.post("/predict", {"modelName": "model", "modelVersion": version, "features": features})
        assert answer.status == 200, answer
        for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
            label = {"actualOutcome": chance.choice("abc"), "correct": chance.random() < 0.7}
            labelled = await client.call("PATCH", f"/events/{answer.body['inferenceId']}", json=label)
            assert labelled.status == 200, labelled
            labelled_events.add(answer.body["inferenceId"])


async def until_gone(work: Any) -> None:
    try:
        await work
    except aiohttp.ClientError:
        return


async def other_totals(client: Any, folder: Path) -> str | None:
    """What the server counts in another way than the journal, once it has had the time to; None where it does not."""
    said = await settled(client, folder / "node", "model", still_s=STILL_S)
    holds = recorded(folder / "node", "model")
    status = (await client.get("/status")).body
    assert status["node"]["reasons"] == []
    return None if said == holds else f"{said}, but the journal holds {holds}"


@asynccontextmanager
async def load(client: Any, chance: random.Random) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Callers that go on until the server is gone; gives what waits until they have done the `LEAST`."""
    labelled: set[str] = set()
    callers = [asyncio.create_task(until_gone(call(client, chance, labelled))) for _ in range(CALLERS)]

    async def begun() -> None:
        while len(labelled) < LEAST and not any(caller.done() for caller in callers):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    try:
        yield begun
        await asyncio.gather(*callers)
    finally:
        for caller in callers:
            caller.cancel()


def tally(folder: Path, kills: int, wrong: list[str]) -> Tally:
    daily = recorded(folder / "node", "model")["daily"].values()
    return Tally(kills, sum(of.requests for of in daily), sum(of.labelled for of in daily), wrong)


async def kill_again_and_again(start: Any, connect: Any, folder: Path, *, kills: int, seed: int) -> Tally:
    """Kill the server under load, and compare all windows with the journal after each new start."""
    chance = random.Random(seed)
    wrong: list[str] = []
    for kill in range(kills + 1):
        process = await start(folder)
        async with connect(await process.ready()) as client:
            if kill == 0:
                await prepare(client)
            elif other := await other_totals(client, folder):
                wrong.append(f"after kill {kill}: {other}")
            if kill < kills:
                async with load(client, chance) as begun:
                    await asyncio.sleep(chance.uniform(0.05, 1.5))
                    await begun()
                    process.send(signal.SIGKILL)
                    assert await process.ended() == -signal.SIGKILL, process.said
    process.send(signal.SIGTERM)
    assert await process.ended() == 0, process.said
    return tally(folder, kills, wrong)


async def die_at(start: Any, connect: Any, folder: Path, points: Sequence[tuple[int, str]]) -> Tally:
    """Let the server die at each of these of its own writes, under load, and compare after each new start."""
    chance = random.Random(0)
    wrong: list[str] = []
    for number, moment in [(0, "never"), *points]:
        if number:
            process = await start(folder, program=DYING, DIE_AT=str(number), DIE=moment)
            async with connect(await process.ready()) as client, load(client, chance):
                assert await process.ended() == -signal.SIGKILL, process.said
        process = await start(folder)
        async with connect(await process.ready()) as client:
            if not number:
                await prepare(client)
            elif other := await other_totals(client, folder):
                wrong.append(f"killed {moment} the commit of write {number}: {other}")
            process.send(signal.SIGTERM)
            assert await process.ended() == 0, process.said
    return tally(folder, len(points), wrong)


async def test_windows_count_what_the_journal_holds_after_every_kill(
    server_process: Any, connect: Any, tmp_path: Path
) -> None:
    found = await kill_again_and_again(server_process, connect, tmp_path, kills=3, seed=1)
    assert found.wrong == []
    assert found.events > 20
    assert found.labels > 30


async def test_windows_count_what_the_journal_holds_after_a_death_in_the_middle_of_a_write(
    server_process: Any, connect: Any, tmp_path: Path
) -> None:
    """The first seconds write windows, merge them into hours and days, and check drift and data quality."""
    points = [(9, "before"), (10, "after")]
    found = await die_at(server_process, connect, tmp_path, points)
    assert found.wrong == []
    assert found.events > 20


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_windows_count_what_the_journal_holds_after_two_hundred_kills(
    server_process: Any, connect: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await kill_again_and_again(server_process, connect, tmp_path, kills=200, seed=2)
    with capsys.disabled():
        print(f"\n{found}")
    assert found.wrong == []


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_windows_count_what_the_journal_holds_after_a_death_at_each_of_the_first_writes(
    server_process: Any, connect: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [(number, moment) for number in range(3, 33) for moment in ("before", "after")]
    found = await die_at(server_process, connect, tmp_path, points)
    with capsys.disabled():
        print(f"\n{found} (at its own writes)")
    assert found.wrong == []
