"""Kill -9 of the real server at any moment: whatever it has answered is there when it is back."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

CALLERS = 8
LEAST = 25
"""Events that are acknowledged before each kill, however slow the machine is."""
PATIENT = {"mostAttempts": 1_000}
"""Whoever kills the server, it is not the model."""
SIGNATURE = {"inputs": [{"name": "input", "dtype": "float32", "shape": [None, 4]}]}


class Acknowledged(NamedTuple):
    """What the server has answered with success: fields of events by their id, and registered versions."""

    events: dict[str, dict[str, Any]]
    versions: set[str]


class Tally(NamedTuple):
    """What came of a number of kills."""

    kills: int
    acknowledged: int
    lost: list[str]
    worst_ready_s: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.acknowledged} acknowledged, {len(self.lost)} lost; "
            f"at the worst {self.worst_ready_s:.2f} s from the start of the process to the first answer"
        )


async def call(client: Any, acknowledged: Acknowledged, *, caller: int) -> None:
    """Predict until the server is gone, and label every third event."""
    for number in range(1_000_000):
        features = [caller, number, 0, 1]
        request = {"modelName": "model", "features": features, "requestId": f"{caller}-{number}"}
        answer = await client.post("/predict", request)
        assert answer.status == 200, answer
        inference_id = answer.body["inferenceId"]
        acknowledged.events[inference_id] = {
            "features": features,
            "requestId": request["requestId"],
            "prediction": answer.body["prediction"],
            "deploymentVersion": answer.body["deploymentVersion"],
        }
        if number % 3 == 0:
            label = {"actualOutcome": {"number": number}, "correct": number % 2 == 0, "feedbackTimestamp": number}
            labelled = await client.call("PATCH", f"/events/{inference_id}", json=label)
            assert labelled.status == 200, labelled
            acknowledged.events[inference_id].update(label)


async def register(client: Any, acknowledged: Acknowledged, *, prefix: str) -> None:
    """Register one version after the other until the server is gone."""
    for number in range(1_000_000):
        version = f"{prefix}-{number}"
        body = {
            "modelName": "more",
            "modelVersion": version,
            "framework": "echo",
            "options": SIGNATURE,
            "commit": PATIENT,
        }
        answer = await client.post("/models", body)
        assert answer.status == 201, answer
        acknowledged.versions.add(version)


async def until_gone(work: Any) -> None:
    try:
        await work
    except aiohttp.ClientError:
        return


async def missing(client: Any, acknowledged: Acknowledged) -> list[str]:
    """What was acknowledged and is not there, or not as it was told."""
    wanted = dict(acknowledged.events)
    cursor = ""
    while wanted and cursor is not None:
        page = (await client.get(f"/events?limit=1000{cursor and f'&cursor={cursor}'}")).body
        for event in page["events"]:
            told = wanted.get(event["inferenceId"])
            if told is not None and all(event[field] == value for field, value in told.items()):
                del wanted[event["inferenceId"]]
        cursor = page["nextCursor"]
    registered = {version["modelVersion"] for version in (await client.get("/models")).body}
    return [*wanted, *(acknowledged.versions - registered)]


async def kill_again_and_again(
    start: Any, connect: Any, folder: Path, *, kills: int, seed: int, number: signal.Signals = signal.SIGKILL
) -> Tally:
    """Kill the server `kills` times under load, some times while it starts, and look for everything each time."""
    chance = random.Random(seed)
    acknowledged, lost, count, worst_ready_s = Acknowledged({}, set()), [], 0, 0.0
    for kill in range(kills + 1):
        if kill and chance.random() < 0.15:
            process = await start(folder)
            await asyncio.sleep(chance.uniform(0, 1))
            process.send(signal.SIGKILL)
            await process.ended()
        began = time.monotonic()
        process = await start(folder)
        async with connect(await process.ready()) as client:
            if kill == 0:
                await client.register("model", framework="echo", stage="production", commit=PATIENT)
            await client.predict("model", [0, 0, 0, 0])
            worst_ready_s = max(worst_ready_s, time.monotonic() - began)
            status = (await client.get("/status")).body
            assert status["node"]["reasons"] == [], "a database was found damaged"
            lost += await missing(client, acknowledged)
            count += len(acknowledged.events) + len(acknowledged.versions)
            if kill == kills:
                break
            acknowledged = Acknowledged({}, set())
            callers = [call(client, acknowledged, caller=caller) for caller in range(CALLERS)]
            load = [
                asyncio.create_task(until_gone(work))
                for work in (*callers, register(client, acknowledged, prefix=str(kill)))
            ]
            await asyncio.sleep(chance.uniform(0.02, 0.6))
            while len(acknowledged.events) < LEAST and not any(task.done() for task in load):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            process.send(number)
            assert await process.ended() == (0 if number == signal.SIGTERM else -number), process.said
            await asyncio.gather(*load)
    process.send(signal.SIGTERM)
    assert await process.ended() == 0, process.said
    return Tally(kills, count, lost, worst_ready_s)


async def test_nothing_that_the_server_answered_is_lost_in_a_kill(
    server_process: Any, connect: Any, tmp_path: Path
) -> None:
    tally = await kill_again_and_again(server_process, connect, tmp_path, kills=5, seed=1)
    assert tally.lost == []
    assert tally.acknowledged > 5 * LEAST


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_nothing_that_the_server_answered_is_lost_in_three_hundred_kills(
    server_process: Any, connect: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await kill_again_and_again(server_process, connect, tmp_path, kills=300, seed=2)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.lost == []


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_nothing_that_the_server_answered_is_lost_when_it_is_stopped_a_hundred_times_under_load(
    server_process: Any, connect: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await kill_again_and_again(server_process, connect, tmp_path, kills=100, seed=3, number=signal.SIGTERM)
    with capsys.disabled():
        print(f"\n{tally} (stopped, not killed)")
    assert tally.lost == []
