"""Clients of Triton and KServe work unchanged: everything that tritonclient can do over HTTP, with real models."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import itertools
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest
import pytest_asyncio
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from edge_aiops import __version__
from edge_aiops.http.oip.datatypes import DATATYPES
from edge_aiops.http.routes.oip import EXTENSIONS
from edge_aiops.testing.models import MIXED_DTYPES, mixed_dtypes, slow_loop

pytestmark = pytest.mark.asyncio(loop_scope="module")

Array = np.ndarray[Any, np.dtype[Any]]

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "oip.md"

ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)


def tensor(name: str, array: Array, *, datatype: str | None = None, binary: bool = True) -> InferInput:
    datatype = datatype or np_to_triton_dtype(array.dtype)
    return InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)


def rows(array: Array = ROWS, *, binary: bool = True) -> list[InferInput]:
    return [tensor("input", array, binary=binary)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A client of a server with two versions of a classifier."""
    async with serve(tmp_path_factory.mktemp("server")) as connected:
        await connected.register(stage="production", classLabels=["cat", "dog", "owl"])
        await connected.register(version="2")
        yield connected


@pytest.fixture
def call(client: Any) -> Callable[..., Any]:
    """Calls a method of tritonclient's blocking client, in a thread: `await call("infer", "model", inputs)`."""
    return calling(client.url)


def calling(url: str) -> Callable[..., Any]:
    def called(method: str, arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        with triton.InferenceServerClient(url.removeprefix("http://")) as one:
            return getattr(one, method)(*arguments, **more)

    async def in_a_thread(method: str, *arguments: Any, **more: Any) -> Any:
        return await asyncio.to_thread(called, method, arguments, more)

    return in_a_thread


async def register(client: Any, name: str, path: Path, **fields: Any) -> None:
    """Put the ONNX file in production."""
    blob = base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()
    model = {"modelName": name, "modelVersion": "1", "framework": "onnx", "stage": "production", "modelBlob": blob}
    answer = await client.call("POST", "/models", data=io.BytesIO(msgspec.json.encode(model | fields)))
    assert answer.status == 201, answer


async def expected(client: Any, array: Array = ROWS) -> Array:
    return np.array((await client.predict(features=array.tolist()))["prediction"]["probabilities"], np.float32)


async def test_the_server_and_its_models_are_described(client: Any, call: Any) -> None:
    assert await call("is_server_live")
    assert await call("is_server_ready")
    about = await call("get_server_metadata")
    assert (about["name"], about["version"]) == ("edge_aiops", __version__)
    assert {"binary_tensor_data", "statistics", "model_repository"} <= set(about["extensions"])

    assert await call("is_model_ready", "model")
    assert await call("is_model_ready", "model", "2")
    assert not await call("is_model_ready", "model", "3")
    assert not await call("is_model_ready", "nobody")
    tensors = {
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}],
    }
    described = {"name": "model", "versions": ["1", "2"], "platform": "onnxruntime_onnx", **tensors}
    assert await call("get_model_metadata", "model") == described
    assert await call("get_model_metadata", "model", "2") == described
    assert await call("get_model_config", "model") == {
        "name": "model",
        "platform": "onnxruntime_onnx",
        "backend": "onnx",
        "max_batch_size": 256,
        "input": [{"name": "input", "data_type": "TYPE_FP32", "dims": [4]}],
        "output": [{"name": "probabilities", "data_type": "TYPE_FP32", "dims": [3]}],
    }


async def test_the_repository_is_listed_and_models_are_loaded_and_unloaded(client: Any, call: Any) -> None:
    index = [model for model in await call("get_model_repository_index") if model["name"] == "model"]
    assert index == [{"name": "model", "version": version, "state": "READY", "reason": ""} for version in ("1", "2")]
    ready = (await client.post("/v2/repository/index", {"ready": True})).body
    assert [model for model in ready if model["name"] == "model"] == index

    async def loaded() -> list[str]:
        models = (await client.get("/models/loaded")).body
        return [model["modelVersion"] for model in models if model["modelName"] == "model"]

    await call("unload_model", "model")
    assert await loaded() == []
    await call("load_model", "model")
    assert await loaded() == ["1"]
    await call("infer", "model", rows(), model_version="2")
    assert await loaded() == ["1", "2"]
    await call("unload_model", "model")
    assert await loaded() == []
    assert await call("is_model_ready", "model")
    for more in ({"config": "{}"}, {"config": "{}", "files": {"file:1/model.onnx": b"x"}}):
        with pytest.raises(InferenceServerException, match="a model is loaded as it was registered"):
            await call("load_model", "model", **more)
    for method in ("load_model", "unload_model"):
        with pytest.raises(InferenceServerException, match="no model named 'nobody'"):
            await call(method, "nobody")


async def test_a_model_that_cannot_answer_is_not_ready_and_the_index_says_why(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(tmp_path) as client:
        await client.register(stage="production")
    monkeypatch.setenv("EDGE_AIOPS_BLOCK_PLUGINS", "onnx")
    async with serve(tmp_path) as client:
        call = calling(client.url)
        assert not await call("is_model_ready", "model")
        (model,) = await call("get_model_repository_index")
        assert model["state"] == "UNAVAILABLE"
        assert "onnx" in model["reason"]
        assert (await client.post("/v2/repository/index", {"ready": True})).body == []


async def test_an_inference_is_what_a_prediction_is(client: Any, call: Any) -> None:
    for binary, binary_output in itertools.product((True, False), repeat=2):
        outputs = [InferRequestedOutput("probabilities", binary_data=binary_output)]
        result = await call("infer", "model", rows(binary=binary), outputs=outputs, request_id="mine")
        np.testing.assert_array_equal(result.as_numpy("probabilities"), await expected(client))
        answer = result.get_response()
        assert (answer["model_name"], answer["model_version"], answer["id"]) == ("model", "1", "mine")
        event = (await client.get(f"/events/{answer['parameters']['inferenceId']}")).body
        assert (event["requestId"], event["rows"], event["features"]) == ("mine", 2, {"input": ROWS.tolist()})


async def test_all_outputs_come_in_binary_when_none_is_named(client: Any, call: Any) -> None:
    result = await call("infer", "model", rows())
    assert result.get_output("probabilities")["parameters"] == {"binary_data_size": 24}
    answer = await client.post("/v2/models/model/infer", {"inputs": [
        {"name": "input", "shape": [2, 4], "datatype": "FP32", "data": ROWS.tolist()}
    ]})  # fmt: skip
    assert answer.headers["Content-Type"] == "application/json"
    (output,) = answer.body["outputs"]
    assert (output["shape"], output["datatype"]) == ([2, 3], "FP32")
    np.testing.assert_allclose(output["data"], (await expected(client)).ravel())


VALUES: dict[str, list[Any]] = {
    "bool": [True, False],
    "string": ["", "Grüße 😀"],
    **{f"float{bits}": [-0.5, 65504.0] for bits in (16, 32, 64)},
    **{f"int{bits}": [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": [0, 2**bits - 1] for bits in (8, 16, 32, 64)},
}


async def test_every_datatype_goes_there_and_back(client: Any, call: Any) -> None:
    await client.register("types", proto=mixed_dtypes(), stage="production")
    arrays = {name: np.array([VALUES[name]], object if name == "string" else name) for name in MIXED_DTYPES}
    # Binary and JSON by turns, so that binary data begin at all kinds of places.
    inputs = [tensor(f"in_{name}", array, binary=place % 3 > 0) for place, (name, array) in enumerate(arrays.items())]
    for binary in (True, False):
        outputs = [InferRequestedOutput(f"out_{name}", binary_data=binary) for name in reversed(MIXED_DTYPES)]
        result = await call("infer", "types", inputs, outputs=outputs)
        assert [output["name"] for output in result.get_response()["outputs"]] == [out.name() for out in outputs]
        texts = result.as_numpy("out_string").ravel().tolist()
        assert [text.decode() if binary else text for text in texts] == VALUES["string"]
        for name in set(MIXED_DTYPES) - {"string"}:
            got = result.as_numpy(f"out_{name}")
            assert got.dtype == name
            np.testing.assert_array_equal(got, arrays[name])


async def test_halves_of_floats_are_taken_as_floats(client: Any, call: Any) -> None:
    result = await call("infer", "model", [tensor("input", ROWS, datatype="BF16")])
    np.testing.assert_array_equal(result.as_numpy("probabilities"), await expected(client))


async def test_the_highest_classes_are_told_by_their_names(client: Any, call: Any) -> None:
    scores = await expected(client)
    for binary in (True, False):
        wanted = InferRequestedOutput("probabilities", binary_data=binary, class_count=2)
        result = await call("infer", "model", rows(), outputs=[wanted])
        told = result.as_numpy("probabilities")
        assert told.shape == (2, 2)
        value, place, label = (told[0, 0].decode() if binary else told[0, 0]).split(":")
        assert float(value) == pytest.approx(scores[0].max(), abs=1e-5)
        assert (int(place), label) == (scores[0].argmax(), ["cat", "dog", "owl"][scores[0].argmax()])


async def test_requests_and_answers_are_compressed_where_it_is_asked_for(client: Any, call: Any) -> None:
    many = np.zeros((100, 4), np.float32)
    for coding in ("gzip", "deflate"):
        how = {"request_compression_algorithm": coding, "response_compression_algorithm": coding}
        result = await call("infer", "model", rows(many), **how)
        np.testing.assert_array_equal(result.as_numpy("probabilities"), await expected(client, many))
    body = {"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    for wanted, given in {"gzip": "gzip", "deflate": "deflate", "gzip, deflate": None, "identity": None}.items():
        answer = await client.post("/v2/models/model/infer", body, headers={"Accept-Encoding": wanted})
        assert answer.headers.get("Content-Encoding") == given


async def test_many_requests_at_once_share_runs_and_none_gets_the_rows_of_another(client: Any) -> None:
    arrays = [np.full((1 + place % 3, 4), place, np.float32) for place in range(160)]

    def asked() -> list[Array]:
        with triton.InferenceServerClient(client.url.removeprefix("http://"), concurrency=16) as one:
            waiting = [one.async_infer("model", rows(array)) for array in arrays]
            return [request.get_result().as_numpy("probabilities") for request in waiting]

    answers = await asyncio.to_thread(asked)
    assert [len(answer) for answer in answers] == [len(array) for array in arrays]
    np.testing.assert_allclose(np.concatenate(answers), await expected(client, np.concatenate(arrays)), rtol=1e-5)


async def test_the_asynchronous_client_does_the_same(client: Any) -> None:
    async with triton_aio.InferenceServerClient(client.url.removeprefix("http://")) as one:
        assert await one.is_server_live()
        assert await one.is_server_ready()
        assert await one.is_model_ready("model")
        assert (await one.get_server_metadata())["name"] == "edge_aiops"
        assert (await one.get_model_metadata("model"))["versions"] == ["1", "2"]
        assert (await one.get_model_config("model"))["max_batch_size"] == 256
        assert {model["state"] for model in await one.get_model_repository_index()} == {"READY"}
        await one.load_model("model")
        wanted = await expected(client)
        before = (await one.get_inference_statistics("model", "1"))["model_stats"][0]
        results = await asyncio.gather(*(one.infer("model", rows()) for _ in range(16)))
        for result in results:
            np.testing.assert_allclose(result.as_numpy("probabilities"), wanted, rtol=1e-6)
        result = await one.infer("model", rows(), response_compression_algorithm="gzip")
        np.testing.assert_array_equal(result.as_numpy("probabilities"), wanted)
        after = (await one.get_inference_statistics("model", "1"))["model_stats"][0]
        assert after["inference_count"] - before["inference_count"] == 17 * 2
        with pytest.raises(InferenceServerException, match="input: expected float32"):
            await one.infer("model", rows(np.zeros((1, 5), np.float32)))
        await one.unload_model("model")


async def test_statistics_count_what_was_answered_and_what_failed(client: Any, call: Any) -> None:
    await client.register("counted", "1", stage="production")
    await client.register("counted", "2")
    for array in (ROWS, ROWS, ROWS[:1]):
        await call("infer", "counted", rows(array))
    with pytest.raises(InferenceServerException):
        await call("infer", "counted", rows(np.zeros((1, 5), np.float32)))
    (counted,) = (await call("get_inference_statistics", "counted", "1"))["model_stats"]
    assert (counted["inference_count"], counted["execution_count"]) == (5, 3)
    stats = counted["inference_stats"]
    for part in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        assert stats[part]["count"] == 3
        assert stats[part]["ns"] > 0
    parts = ("queue", "compute_input", "compute_infer", "compute_output")
    assert sum(stats[part]["ns"] for part in parts) == stats["success"]["ns"]
    assert stats["fail"] == {"count": 0, "ns": 0}
    assert [(batch["batch_size"], batch["compute_infer"]["count"]) for batch in counted["batch_stats"]] == [
        (1, 1),
        (2, 2),
    ]
    assert [usage["type"] for usage in counted["memory_usage"]] == ["CPU"]
    newest = (await client.get("/events?limit=1")).body["events"][0]
    assert counted["last_inference"] == newest["timestamp"]

    both = (await call("get_inference_statistics", "counted"))["model_stats"]
    assert [(model["version"], model["execution_count"]) for model in both] == [("1", 3), ("2", 0)]
    assert (await call("get_inference_statistics"))["model_stats"][:2] == both
    await call("unload_model", "counted")
    unloaded = (await call("get_inference_statistics", "counted", "1"))["model_stats"][0]
    assert unloaded == counted | {"memory_usage": []}
    with pytest.raises(InferenceServerException, match="no model named"):
        await call("get_inference_statistics", "nobody")


async def test_what_goes_wrong_is_said_by_the_client_in_our_words(client: Any, call: Any) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("no model named 'nobody'", {"model_name": "nobody"}),
        ("has no version '9'", {"model_version": "9"}),
        ("input: expected float32.any, 4., got float64", {"inputs": rows(ROWS.astype(np.float64))}),
        ("inputs: the model has no such input", {"inputs": [tensor("inputs", ROWS)]}),
        ("scores: the model has no such output", {"outputs": [InferRequestedOutput("scores")]}),
        ("sequence_id: sequences are not supported", {"sequence_id": 7, "sequence_start": True}),
        ("input: shared_memory_region", {"inputs": [InferInput("input", [1], "FP32").set_shared_memory("x", 4)]}),
    ]
    for message, changed in wrong:
        with pytest.raises(InferenceServerException, match=message) as raised:
            await call("infer", **{"model_name": "model", "inputs": rows()} | changed)
        assert raised.value.status() in ("400", "404")


async def test_the_nearest_of_the_deadlines_counts(client: Any, call: Any) -> None:
    await client.register("slow", proto=slow_loop(), stage="production")

    def slow(iterations: int) -> list[InferInput]:
        return [tensor("iterations", np.array(iterations)), tensor("input", np.ones(4, np.float32))]

    assert (await call("infer", "slow", slow(3), timeout=20_000_000)).as_numpy("total").tolist() == [3, 3, 3, 3]
    for more in ({"timeout": 50_000}, {"headers": {"X-Deadline-Ms": "50"}, "timeout": 60_000_000}):
        with pytest.raises(InferenceServerException, match="no answer within 50 ms") as raised:
            await call("infer", "slow", slow(2**62), priority=1, **more)
        assert raised.value.status() == "504"
    (counted,) = (await call("get_inference_statistics", "slow"))["model_stats"]
    assert counted["inference_stats"]["fail"]["count"] == 2


async def test_extensions_that_there_are_not_say_so(call: Any) -> None:
    assert (await call("get_log_settings"))["log_info"] is True
    assert await call("get_trace_settings") == {"trace_level": ["OFF"]}
    assert await call("get_system_shared_memory_status") == []
    assert await call("get_cuda_shared_memory_status") == []
    refused: list[tuple[str, str, tuple[Any, ...]]] = [
        ("there is no region 'x'", "get_cuda_shared_memory_status", ("x",)),
        ("shared memory is not supported", "register_system_shared_memory", ("x", "/x", 4)),
        ("shared memory is not supported", "unregister_system_shared_memory", ()),
        ("shared memory is not supported", "register_cuda_shared_memory", ("x", b"x", 0, 4)),
        ("log.level", "update_log_settings", ({"log_info": False},)),
        ("every inference is an event", "update_trace_settings", ()),
    ]
    for message, method, arguments in refused:
        with pytest.raises(InferenceServerException, match=message):
            await call(method, *arguments)


async def test_speech_is_followed_through_a_stream_whose_state_are_tensors(
    client: Any, call: Any, models_folder: Path
) -> None:
    path = models_folder / "silero-vad" / "silero_vad.onnx"
    await register(client, "vad", path)
    described = await call("get_model_metadata", "vad")
    assert described["inputs"] == [
        {"name": "input", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "state", "datatype": "FP32", "shape": [2, -1, 128]},
        {"name": "sr", "datatype": "INT64", "shape": []},
    ]
    assert (await call("get_model_config", "vad"))["max_batch_size"] == 0
    session = onnxruntime.InferenceSession(path)
    state = np.zeros((2, 1, 128), np.float32)
    rate = np.array(16_000, np.int64)
    time = np.arange(16_000, dtype=np.float32) / 16_000
    sound = np.sin(2 * np.pi * 220 * time) * np.sin(2 * np.pi * 4 * time)
    for start in range(0, 6 * 512, 512):
        window = sound[np.newaxis, start : start + 576].astype(np.float32)
        inputs = [tensor("input", window), tensor("state", state), tensor("sr", rate, binary=False)]
        result = await call("infer", "vad", inputs)
        wanted = session.run(["output", "stateN"], {"input": window, "state": state, "sr": rate})
        np.testing.assert_allclose(result.as_numpy("output"), wanted[0], atol=1e-6)
        state = result.as_numpy("stateN")
        np.testing.assert_allclose(state, wanted[1], atol=1e-5)
    assert np.abs(state).max() > 0


FILES = {
    "python": Path(__file__).read_bytes(),
    "json": json.dumps([{"name": f"sensor {place}", "value": place / 7} for place in range(99)]).encode(),
    "gzip": gzip.compress(bytes(range(256)) * 40),
    "elf": Path(sys.executable).resolve().read_bytes()[:100_000],
    "html": b"<!DOCTYPE html><html><head><title>Edge</title></head><body><p>Devices</p></body></html>" * 20,
}


async def test_files_are_told_apart_by_their_bytes(client: Any, call: Any, models_folder: Path) -> None:
    labels = json.loads((models_folder / "magika" / "config.json").read_text("utf-8"))["target_labels_space"]
    await register(client, "magika", models_folder / "magika" / "model.onnx", classLabels=labels)

    def beginning_and_end(content: bytes) -> list[int]:
        content = content.strip()
        begin, end = list(content[:1024]), list(content[-1024:])
        return begin + [256] * (1024 - len(begin)) + [256] * (1024 - len(end)) + end

    numbers = np.array([beginning_and_end(content) for content in FILES.values()], np.int32)
    wanted = InferRequestedOutput("target_label", class_count=1)
    result = await call("infer", "magika", [tensor("bytes", numbers)], outputs=[wanted])
    assert [told.decode().split(":")[2] for told in result.as_numpy("target_label")[:, 0]] == list(FILES)


async def test_the_protocol_is_documented(client: Any) -> None:
    paths = (await client.get("/openapi.json")).body["paths"]
    body = paths["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    assert body.keys() == {"application/json", "application/octet-stream"}
    assert msgspec.json.encode(body["application/json"]).count(b"InferRequest") == 1
    assert {"/v2", "/v2/models/{name}/versions/{version}/stats", "/v2/repository/index"} <= paths.keys()


async def test_the_example_of_the_documentation_runs_as_it_is_written(client: Any) -> None:
    page = (await asyncio.to_thread(DOCUMENTATION.read_text, "utf-8")).replace("127.0.0.1:9926", client.url[7:])
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    await asyncio.to_thread(exec, example, names)
    np.testing.assert_allclose(names["probabilities"], await expected(client, names["rows"]), rtol=1e-6)
    event = (await client.get(f"/events/{names['inference_id']}")).body
    assert event["requestId"] == "two-rows"


async def test_every_path_of_the_protocol_and_every_datatype_is_documented(client: Any) -> None:
    page = await asyncio.to_thread(DOCUMENTATION.read_text, "utf-8")
    paths = [path for path in (await client.get("/openapi.json")).body["paths"] if path.startswith("/v2")]
    words = {word for path in paths for word in path.split("/") if word and "{" not in word}
    assert [word for word in sorted(words | DATATYPES.keys()) if word not in page] == []
    assert [name for name in EXTENSIONS if f"`{name}`" not in page] == []
