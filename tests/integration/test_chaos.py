"""Whatever a model does, the node is up, other models answer, and the model itself is there again."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput, ModelFailed
from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import start_worker
from edge_aiops.plugin import ModelSource
from edge_aiops.testing.models import gemm_softmax, saved

Serve = Any
Client = Any
MEMORY_BYTES = 1024**3
DEADLINE = {"X-Deadline-Ms": "500"}

pytestmark = pytest.mark.usefixtures("chaos_plugin")


@pytest.mark.parametrize(
    ("deed", "trust", "code"),
    [
        ("segfault", "data", "model_crashed"),
        ("abort", "data", "model_crashed"),
        ("native-memory", "data", "model_out_of_memory"),
        ("memory", "data", "model_out_of_memory"),
        ("hang", "data", "deadline_exceeded"),
        ("descriptors", "data", "model_failed"),
        ("bomb", "code", "model_failed"),
    ],
)
async def test_a_model_that_goes_wild_harms_only_itself(
    serve: Serve, tmp_path: Path, deed: str, trust: str, code: str
) -> None:
    settings = {"serving__worker_memory_bytes": MEMORY_BYTES, "serving__worker_grace": "200ms"}
    async with serve(tmp_path / "data", **settings) as client:
        await client.register("steady")
        await client.register("wild", framework="chaos", trust=trust)
        assert await _said(client, "ok") == (200, "")
        async with _asked_all_along(client) as steady:
            headers = DEADLINE if deed == "hang" else {}
            for _ in range(2):
                _, problem = await _said(client, deed, headers=headers)
                assert problem == code
                started = time.perf_counter()
                await _answers_again(client)
                print(f"{deed}: answers again after {time.perf_counter() - started:.2f} s")
            assert (await client.get("/readyz")).status == 200
        assert set(steady) == {200}


async def test_a_model_that_crashes_again_and_again_rests(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path / "data") as client:
        await client.register("wild", framework="chaos")
        codes = [(await _said(client, "segfault"))[1] for _ in range(4)]
        assert codes == ["model_crashed"] * 3 + ["circuit_open"]


async def test_damaged_models_are_refused_at_the_door(serve: Serve, tmp_path: Path, models_folder: Path) -> None:
    async with serve(tmp_path / "data") as client:
        await client.register("steady")
        async with _asked_all_along(client) as steady:
            for number, (framework, content) in enumerate(_mutants(models_folder, tmp_path, count=4, seed=1)):
                blob = base64.b64encode(content).decode()
                fields = {"modelName": f"damaged-{number}", "modelVersion": "1", "framework": framework}
                answer = await client.post("/models", {**fields, "modelBlob": blob})
                assert answer.status == 201 or 400 <= answer.status < 500, answer
        assert set(steady) == {200}


@pytest.mark.parametrize("count", [200, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_mutated_models_end_at_most_their_worker(models_folder: Path, tmp_path: Path, count: int) -> None:
    worker = await start_worker(
        WorkerRequest(
            framework="chaos",
            source=ModelSource(name="mutants", version="1", path=None),
            limits=WorkerLimits(memory_bytes=MEMORY_BYTES, grace_s=1.0),
        )
    )
    fates: Counter[str] = Counter()
    path = tmp_path / "mutant"
    for framework, content in _mutants(models_folder, tmp_path, count=count, seed=2):
        path.write_bytes(content)
        fates[f"{framework} {await _fate(worker, f'load {framework} {path}')}"] += 1
    print(dict(fates))
    assert sum(fates.values()) == count
    assert fates["onnx answers"] > 0 < fates["onnx refused"]
    assert fates["tensorflow answers"] > 0
    for framework, healthy in _healthy(models_folder, tmp_path):
        path.write_bytes(healthy)
        assert await _fate(worker, f"load {framework} {path}", within_s=60) == "answers"
    await worker.close()


async def _fate(worker: Any, command: str, *, within_s: float = 10) -> str:
    """What became of a mutant: the word of its loader, or the error that its worker ended with."""
    try:
        async with asyncio.timeout(within_s):
            outputs = await worker.predict({"command": np.array([command], object)})
    except (InvalidInput, ModelFailed) as error:
        return error.code
    except TimeoutError:
        return "too slow"
    return str(outputs["said"][0])


def _healthy(models: Path, folder: Path) -> list[tuple[str, bytes]]:
    return [
        ("onnx", saved(gemm_softmax(8, 4), folder / "small.onnx").read_bytes()),
        ("tensorflow", (models / "face-detection" / "face_detection_short_range.tflite").read_bytes()),
        ("onnx", (models / "basic-pitch" / "nmp.onnx").read_bytes()),
        ("tensorflow", (models / "basic-pitch" / "nmp.tflite").read_bytes()),
    ]


def _mutants(models: Path, folder: Path, *, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    random = Random(seed)
    healthy = _healthy(models, folder)
    for number in range(count):
        framework, content = healthy[number % len(healthy)]
        mutant = bytearray(content)
        # Structure is where a mutation hurts, and it is mostly at the ends of the file.
        end = len(mutant) if number % 3 else min(len(mutant), 4_096)
        for _ in range(random.choice((1, 3, 10, 100))):
            mutant[random.randrange(end)] = random.randrange(256)
        if number % 10 == 9:
            del mutant[random.randrange(len(mutant)) :]
        yield framework, bytes(mutant)


async def _said(client: Client, command: str, *, headers: dict[str, str] | None = None) -> tuple[int, str]:
    body = {"modelName": "wild", "features": {"command": [command]}}
    answer = await client.post("/predict", body, headers=headers or {})
    return answer.status, "" if answer.status == 200 else answer.body["code"]


async def _answers_again(client: Client) -> None:
    for _ in range(1_000):
        if (await _said(client, "ok"))[0] == 200:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the model never answered again")


@asynccontextmanager
async def _asked_all_along(client: Client) -> AsyncIterator[list[int]]:
    """The statuses that the model `steady` answers with until the end of the block."""
    statuses: list[int] = []

    async def ask() -> None:
        while True:
            body = {"modelName": "steady", "features": [1, 2, 3, 4]}
            statuses.append((await client.post("/predict", body)).status)
            await asyncio.sleep(0.005)

    asking = asyncio.create_task(ask())
    try:
        yield statuses
        assert statuses, "the model was not asked"
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
