"""Models of one equivalence group compared on the node that serves them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import helper

from edge_aiops.cli.main import main
from edge_aiops.plugin.archives import pack
from edge_aiops.testing.models import gemm_softmax, model, tensor
from tests.tools.minilm import minilm_folder

GROUP = {"taskType": "classification", "equivalenceGroup": "g"}


def failing() -> onnx.ModelProto:
    """A model that loads and fails in every run."""
    nodes = [helper.make_node("Reshape", ["input", "shape"], ["output"])]
    inputs, outputs = [tensor("input", np.float32, "N", 4)], [tensor("output", np.float32, 7)]
    return model(nodes, inputs, outputs, {"shape": np.array([7], np.int64)})


async def register(
    client: Any, name: str, version: str = "1", proto: onnx.ModelProto | None = None, **more: Any
) -> None:
    await client.register(name, version, proto, **{"stage": "production", **GROUP, **more})


async def register_echo(client: Any, name: str, delay_ms: float = 0.0, **more: Any) -> None:
    await register(client, name, framework="echo", options={"delayMs": delay_ms}, **more)


async def compare(client: Any, **more: Any) -> dict[str, Any]:
    answer = await client.post("/benchmark/compare", {**GROUP, **more})
    assert answer.status == 200, answer
    benchmark: dict[str, Any] = answer.body
    return benchmark


async def until(client: Any, number: int, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while True:
        benchmark: dict[str, Any] = (await client.get(f"/benchmark/history/{number}")).body
        if reached(benchmark):
            return benchmark
        await asyncio.sleep(0.01)


def of(benchmark: dict[str, Any], name: str) -> dict[str, Any]:
    (result,) = (one for one in benchmark["results"] if one["modelName"] == name)
    return dict(result)


async def test_a_slower_model_loses_and_the_answer_says_by_how_much(client: Any) -> None:
    await register_echo(client, "quick", stage="candidate")
    await register_echo(client, "slow", delay_ms=20)
    found = await compare(client, iterations=30, warmup=2, runBy="me", notes="of an afternoon")
    assert (found["status"], found["winner"], found["models"]) == ("done", "quick 1", ["slow 1", "quick 1"])
    assert found["verdict"].startswith("quick 1 wins: slow 1 takes ")
    assert (found["runBy"], found["notes"], found["progress"]) == ("me", "of an afternoon", {"done": 32, "rounds": 32})
    assert (found["testData"], found["inputs"], found["seed"]) == ("generated", 32, 0)
    (pair,) = found["comparisons"]
    assert (pair["faster"], pair["slower"], pair["rounds"], pair["significant"]) == ("quick 1", "slow 1", 30, True)
    slow, quick = of(found, "slow"), of(found, "quick")
    assert (quick["winner"], slow["winner"], slow["reference"], quick["stage"]) == (True, False, True, "candidate")
    assert 20 <= slow["minMs"] <= slow["p50Ms"] <= slow["p95Ms"] <= slow["p99Ms"] <= slow["maxMs"]
    assert slow["throughput"] == pytest.approx(1000 / slow["avgMs"])
    assert len(slow["percentilesMs"]) == 101 and slow["percentilesMs"][-1] == slow["maxMs"]
    assert (slow["runs"], slow["errors"], slow["errorRate"], slow["error"]) == (30, 0, 0.0, None)
    assert slow["loadMs"] > 0 and slow["memoryBytes"] >= 0
    (agreement,) = quick["agreement"]
    assert (agreement["rows"], agreement["cosine"], agreement["maxAbsDifference"], agreement["top1"]) == (30, 1, 0, 1)


async def test_a_benchmark_is_no_inference_and_takes_no_memory_for_good(client: Any) -> None:
    await register_echo(client, "served")
    await register_echo(client, "candidate", stage="candidate")
    await client.predict("served")
    await compare(client, iterations=10)
    assert [event["modelName"] for event in (await client.get("/events")).body["events"]] == ["served"]
    assert [one["modelName"] for one in (await client.get("/models/loaded")).body] == ["served"]
    series = (await client.get("/monitoring/metrics/served/realtime")).body["versions"]
    assert [one["requests"] for one in series] == [1]


async def test_a_model_that_fails_in_every_run_never_wins(client: Any) -> None:
    await register(client, "a", proto=gemm_softmax(4, 7))
    await register(client, "broken", proto=failing())
    found = await compare(client, iterations=20)
    assert (found["winner"], found["verdict"]) == (None, "no winner: only a 1 answered")
    broken = of(found, "broken")
    assert broken["errorRate"] == 1.0 and broken["error"] and broken["p50Ms"] is None and not broken["winner"]
    assert broken["runs"] == 10  # hopeless after so many


async def test_test_data_are_given_as_features_and_each_has_its_round(client: Any) -> None:
    await register(client, "a", proto=gemm_softmax(4, 3), featureNames=list("wxyz"))
    await register(client, "b", proto=gemm_softmax(4, 3, seed=1))
    rows = [{"w": 1, "x": 2, "y": 3, "z": 4}, [[1, 2, 3, 4], [5, 6, 7, 8]]]
    found = await compare(client, iterations=4, testData=json.dumps(rows))
    assert (found["testData"], found["inputs"], found["seed"]) == ("given", 2, None)
    (agreement,) = of(found, "a")["agreement"] or of(found, "b")["agreement"]
    assert agreement["rows"] == 3
    assert agreement["lowestCosine"] < agreement["cosine"] < 1
    assert found["verdict"].startswith("no significant difference")


async def test_what_cannot_be_compared_is_refused_by_name(client: Any) -> None:
    await register(client, "a", outputDimensions=[3])
    await register(client, "b", outputDimensions=[3])
    await register(client, "wide", proto=gemm_softmax(4, 5), outputDimensions=[5])
    await register(client, "alone", equivalenceGroup="lonely")
    await register(client, "five", proto=gemm_softmax(5, 3), equivalenceGroup="unlike")
    await register(client, "four", equivalenceGroup="unlike")
    only = {"models": ["a", "b:1"]}
    for body, status, field, said in (
        ({"equivalenceGroup": "h"}, 404, None, "there are: classification / g, classification / lonely"),
        ({"taskType": "regression"}, 404, None, "there are: "),
        ({"equivalenceGroup": "lonely"}, 400, "equivalenceGroup", "it takes two models to compare"),
        ({}, 400, "equivalenceGroup", "wide 1 has [5], b 1 has [3], a 1 has [3]"),
        ({"models": ["a", "c"]}, 400, "models", "'c' is not in the group"),
        ({"equivalenceGroup": "unlike"}, 400, "models", "does not take the same inputs"),
        ({**only, "testData": [[1, 2, 3, 4], [1, 2]]}, 400, "testData[1].input", "expected float32[any, 4]"),
        ({**only, "testData": "[1, 2"}, 400, "testData", "is not JSON"),
        ({**only, "iterations": 0}, 400, "iterations", ">= 1"),
        ({**only, "data": []}, 400, "body", "data"),
    ):
        answer = await client.post("/benchmark/compare", {**GROUP, **body})
        assert answer.problem[0] == status, (body, answer)
        assert said in answer.body["detail"], (body, answer)
        if field:
            assert [fault["field"] for fault in answer.body["errors"]] == [field], (body, answer)
    assert (await client.get("/benchmark/history")).body == {"benchmarks": [], "nextCursor": None}
    assert (await client.get("/models/loaded")).body == []


async def test_a_benchmark_in_the_background_can_be_watched_and_cancelled(client: Any) -> None:
    await register_echo(client, "a", delay_ms=5)
    await register_echo(client, "b", delay_ms=5)
    answer = await client.post("/benchmark/compare", {**GROUP, "iterations": 10_000, "background": True})
    assert (answer.status, answer.body["status"], answer.body["progress"]["done"]) == (202, "running", 0)
    number = answer.body["id"]
    await until(client, number, lambda benchmark: benchmark["progress"]["done"] > 3)
    assert (await client.post("/benchmark/compare", GROUP)).problem == (409, "conflict")
    assert (await client.predict("a"))["latencyMs"] > 0  # live traffic goes on
    (listed,) = (await client.get("/benchmark/history")).body["benchmarks"]
    assert listed["progress"]["done"] > 3
    cancelled = (await client.post(f"/benchmark/{number}/cancel")).body
    assert (cancelled["status"], cancelled["winner"]) == ("cancelled", None)
    assert cancelled["verdict"].startswith("cancelled after ") and cancelled["endedAt"]
    assert (await client.post(f"/benchmark/{number}/cancel")).body == cancelled
    assert (await client.get(f"/benchmark/history/{number}")).body == cancelled
    await compare(client, iterations=1)  # another may run
    for method, path in (
        ("GET", "/benchmark/history/99"),
        ("POST", "/benchmark/99/cancel"),
        ("GET", "/benchmark/history/x"),
    ):
        assert (await client.call(method, path)).problem == (404, "not_found")


async def test_the_history_survives_a_restart_and_says_what_was_interrupted(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await register_echo(client, "a", delay_ms=5)
        await register_echo(client, "b", delay_ms=5)
        done = await compare(client, iterations=2)
        started = {**GROUP, "iterations": 10_000, "background": True}
        running = (await client.post("/benchmark/compare", started)).body["id"]
    async with serve(tmp_path) as client:
        interrupted, first = (await client.get("/benchmark/history")).body["benchmarks"]
        assert first == done
        assert (interrupted["id"], interrupted["status"], interrupted["winner"]) == (running, "interrupted", None)


async def test_the_history_is_told_in_pages_and_by_what_took_part(client: Any) -> None:
    for group in ("g", "h"):
        for name in ("a", "b"):
            await register_echo(client, f"{name}-{group}", equivalenceGroup=group)
        await compare(client, iterations=1, equivalenceGroup=group)
    await compare(client, iterations=1)

    async def ids(**query: Any) -> list[int]:
        page = (await client.get("/benchmark/history", params=query)).body
        return [one["id"] for one in page["benchmarks"]]

    assert await ids() == [3, 2, 1]
    assert await ids(equivalenceGroup="g") == await ids(model="a-g") == [3, 1]
    assert await ids(taskType="regression") == await ids(model="a") == []
    at = (await client.get("/benchmark/history/2")).body["startedAt"]
    assert await ids(**{"from": at}) == [3, 2]
    assert await ids(to=at) == [1]
    page = (await client.get("/benchmark/history?limit=2")).body
    assert page["nextCursor"] == 2
    assert await ids(limit=2, cursor=2) == [1]


async def test_clients_of_the_system_that_ours_succeeds_are_understood(client: Any) -> None:
    await register(client, "a")
    await register(client, "b")
    body = {**GROUP, "testData": "[[1, 2, 3, 4]]", "iterations": 3, "runBy": "user-1", "notes": "nightly"}
    answer = await client.post("/Benchmark", body)
    assert (answer.status, answer.body["inputs"]) == (200, 1)
    listed = (await client.get("/Benchmark?taskType=classification&equivalenceGroup=g")).body["benchmarks"]
    assert listed == [answer.body]


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def run(client: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command beside the test's server."""
    monkeypatch.setenv("EDGE_AIOPS_URL", client.url)

    async def run_it(*arguments: object) -> Ended:
        code = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        return Ended(code, *capfd.readouterr())

    return run_it


async def test_the_command_tells_the_winner_and_draws_the_times(client: Any, run: Run, tmp_path: Path) -> None:
    await register_echo(client, "quick")
    await register_echo(client, "slow", delay_ms=3, stage="candidate")
    await register(client, "broken", proto=failing(), stage="candidate", equivalenceGroup="g2")
    assert (await run("benchmark", "history")).out.startswith("no benchmarks; ")
    data, plot = tmp_path / "data.json", tmp_path / "times.svg"
    data.write_text("[[1, 2, 3, 4], [4, 3, 2, 1]]")
    chosen = ("benchmark", "--task-type", "classification", "--group", "g", "--iterations", 20, "--warmup", 1)
    told = await run(*chosen, "--test-data", data, "--notes", "of today", "--plot", plot)
    assert (told.code, told.err) == (0, "")
    assert "verdict    quick 1 wins: slow 1 takes " in told.out
    assert "of today" in told.out and "agreement with quick 1" in told.out
    row = next(line for line in told.out.splitlines() if line.startswith("winner"))
    assert row.split()[1:3] == ["quick", "1"]
    picture = plot.read_text("utf-8")
    assert picture.startswith("<svg xmlns=") and picture.count('class="times"') == 4
    assert "quick 1 (echo): p50 " in picture

    shown = await run("benchmark", "show", 1)
    assert shown.out == told.out
    assert json.loads((await run("benchmark", "show", 1, "--json")).out)["winner"] == "quick 1"
    (listed,) = json.loads((await run("benchmark", "history", "--model", "slow", "--json")).out)
    assert listed["notes"] == "of today"
    assert "quick 1" in (await run("benchmark", "history")).out


async def test_the_command_says_what_is_missing(run: Run, client: Any) -> None:
    ended = await run("benchmark", "--group", "g")
    assert (ended.code, "--task-type: is required" in ended.err) == (1, True)
    for wrong in (("show", "1", "--plot", "times.png"), ("--min-difference", "nan"), ("--iterations", "0")):
        with pytest.raises(SystemExit) as refused:
            main(["benchmark", *wrong])
        assert refused.value.code == 2


async def upload(client: Any, name: str, framework: str, file: Path, stage: str, **more: Any) -> None:
    params = {"framework": framework, "stage": stage, "metadata": json.dumps(more)}
    with file.open("rb") as content:
        answer = await client.call("PUT", f"/models/{name}/1/artifact", params=params, data=content)
    assert answer.status == 201, answer


async def test_a_quantised_sentence_encoder_is_compared_with_its_original(client: Any, models_folder: Path) -> None:
    group = {"taskType": "embedding", "equivalenceGroup": "minilm", "outputDimensions": [384]}
    folders = {precision: minilm_folder(models_folder, precision) / "onnx" for precision in ("fp32", "int8")}
    await upload(client, "fp32", "onnx", folders["fp32"] / "model.onnx", "production", **group)
    await upload(client, "int8", "onnx", folders["int8"] / "model_quantized.onnx", "candidate", **group)
    found = await compare(client, taskType="embedding", equivalenceGroup="minilm", iterations=8, warmup=1)
    int8, fp32 = of(found, "int8"), of(found, "fp32")
    (agreement,) = int8["agreement"]
    assert 0.99 < agreement["lowestCosine"] <= agreement["cosine"] < 0.9999
    assert agreement["top1"] is None
    assert fp32["reference"] and fp32["memoryBytes"] > 80_000_000 > int8["memoryBytes"] / 2
    assert int8["errors"] == fp32["errors"] == 0


async def test_a_model_in_three_runtimes_is_compared_although_its_tensors_have_other_names(
    serve: Any, models_folder: Path, tmp_path: Path
) -> None:
    folder = models_folder / "basic-pitch"
    saved_model = pack(folder / "nmp", tmp_path / "nmp.zip")
    async with serve(tmp_path / "data", registry__probe_timeout="150s") as client:
        await upload(client, "in-onnx", "onnx", folder / "nmp.onnx", "production", **GROUP)
        await upload(client, "in-tflite", "tensorflow", folder / "nmp.tflite", "candidate", **GROUP)
        await upload(client, "in-tensorflow", "tensorflow", saved_model, "candidate", trust="code", **GROUP)
        found = await compare(client, iterations=2, warmup=0)
    assert [one["errorRate"] for one in found["results"]] == [0, 0, 0], found["results"]
    assert len(found["comparisons"]) == 3
    for name in ("in-tflite", "in-tensorflow"):  # whose file formats keep names that the converter to ONNX has lost
        agreement = of(found, name)["agreement"]
        assert {(one["referenceOutput"], one["output"]) for one in agreement} == {
            ("StatefulPartitionedCall:0", "contour"),
            ("StatefulPartitionedCall:1", "note"),
            ("StatefulPartitionedCall:2", "onset"),
        }
        assert min(one["lowestCosine"] for one in agreement) > 0.9999
