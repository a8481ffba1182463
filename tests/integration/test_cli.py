"""The command line against a running server: what a user does in a day."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge_aiops.cli.main import main
from edge_aiops.testing.models import gemm_softmax
from tests.tools.minilm import minilm_folder

EDGE_AIOPS = (sys.executable, "-m", "edge_aiops")


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed with --json by a command that must succeed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def run(client: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command beside the test's server."""
    monkeypatch.setenv("EDGE_AIOPS_URL", client.url)

    async def run_it(*arguments: object) -> Ended:
        code = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        return Ended(code, *capfd.readouterr())

    return run_it


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    """A classifier of four numbers."""
    file = tmp_path / "model.onnx"
    file.write_bytes(gemm_softmax(4, 3).SerializeToString())
    return file


async def _register_onnx(run: Run, file: Path, *more: str) -> Ended:
    labels = ("--class-labels", "setosa,versicolor,virginica")
    return await run(
        *("model", "register", "iris", "1", "--framework", "onnx", "--file", file, "--stage", "production"),
        *labels,
        *more,
    )


async def test_a_model_is_registered_asked_labelled_and_deleted(run: Run, onnx_file: Path) -> None:
    registered = await _register_onnx(run, onnx_file, "--feature-names", "a,b,c,d", "--tag", "x", "--tag", "y")
    assert registered.code == 0, registered.err
    assert "float32[any, 4]" in registered.out
    assert "uploading" not in registered.err

    predicted = (await run("predict", "iris", "--features", '{"a": 1, "b": 2, "c": 3, "d": 4}', "--json")).json
    assert predicted["label"] in ("setosa", "versicolor", "virginica")

    labelled = await run("events", "label", predicted["inferenceId"], "--outcome", predicted["label"], "--json")
    assert labelled.json["correct"] is True
    (event,) = (await run("events", "--labelled", "--json")).json
    assert event["actualOutcome"] == predicted["label"]
    assert (await run("events", "--unlabelled", "--json")).json == []

    refused = await run("model", "delete", "iris", "1")
    assert (refused.code, refused.out) == (1, "")
    assert "delete it with force" in refused.err
    assert (await run("model", "delete", "iris", "1", "--force")).code == 0
    assert (await run("model", "list", "--json")).json == []


async def test_people_read_tables_and_facts(run: Run, onnx_file: Path) -> None:
    assert "edge-aiops model register" in (await run("model", "list")).out
    await _register_onnx(run, onnx_file, "--description", "Flowers by their leaves")
    predicted = await run("predict", "iris", "--version", "1", "--features", "[1, 2, 3, 4]")
    facts = dict(line.split("  ", 1) for line in predicted.out.splitlines())
    assert facts.keys() == {"label", "confidence", "prediction", "model", "latency", "inference id"}
    inference_id = facts["inference id"].strip()
    assert inference_id in (await run("events", "--model", "iris")).out
    assert "[1, 2, 3, 4]" in (await run("events", "show", inference_id)).out
    assert "wrong" not in (await run("events", "label", inference_id, "--outcome", "tulip")).err
    assert "iris" in (await run("model", "list", "--stage", "production")).out
    assert (await run("model", "list", "--stage", "candidate")).out.startswith("no models")
    assert "production" in (await run("model", "show", "iris")).out
    assert "Flowers by their leaves" in (await run("model", "show", "iris", "1")).out


async def test_features_come_from_a_file_or_from_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run("model", "register", "hello", "1", "--framework", "echo", "--stage", "production")
    file = tmp_path / "features.json"
    file.write_text("[[1, 2, 3, 4], [5, 6, 7, 8]]")
    assert len((await run("predict", "hello", "--features-file", file, "--json")).json["prediction"]["input"]) == 2
    with file.open() as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        assert (await run("predict", "hello", "-")).code == 0
    missing = await run("predict", "hello", "--features-file", tmp_path / "nothing")
    assert missing.code == 1
    assert "cannot read JSON from" in missing.err


async def test_fields_that_are_too_long_for_the_query_travel_with_the_file(run: Run, tmp_path: Path) -> None:
    labels = [f"a class with a rather long name, number {number}" for number in range(1000)]
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    file = tmp_path / "wide.onnx"
    file.write_bytes(gemm_softmax(4, 1000).SerializeToString())
    registered = await run(
        *("model", "register", "wide", "1", "--framework", "onnx", "--file", file, "--json"),
        *("--class-labels", tmp_path / "labels.txt", "--metadata", '{"owner": "me"}'),
    )
    assert registered.json["classLabels"] == labels
    assert registered.json["metadata"] == {"owner": "me"}


async def test_a_folder_of_hugging_face_is_registered_as_it_lies_there(run: Run, models_folder: Path) -> None:
    registered = await run(
        *("model", "register", "minilm", "1", "--file", minilm_folder(models_folder, "int8"), "--json"),
        *("--stage", "production", "--options", '{"variant": "int8"}', "--task-type", "embedding"),
        *("--equivalence-group", "minilm", "--output-dimensions", "384", "--isolation", "inline", "--trust", "data"),
        *("--batch-max-rows", "16", "--batch-max-wait-ms", "2.5", "--pinned"),
    )
    known = registered.json
    assert (known["framework"], known["outputDimensions"], known["pinned"]) == ("transformers", [384], True)
    assert (known["isolation"], known["trust"]) == ("inline", "data")
    assert known["batching"] == {"maxRows": 16, "maxWaitMs": 2.5}
    asked = await run(
        "predict", "minilm", "--features", '{"text": ["A man plays the guitar.", "Shares fell."]}', "--json"
    )
    vectors = asked.json["prediction"]["embedding"]
    assert [len(vector) for vector in vectors] == [384, 384]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "neither --framework nor --file is given"),
        (["--file", __file__], "do not say what framework the model is of; say it with --framework"),
        (["--framework", "echo", "--stage", "prod"], "stage: 'prod' is no stage"),
        (["--framework", "onnx"], "artifact: framework 'onnx' needs an artifact"),
        (["--framework", "onnx", "--file", "nothing.onnx"], "cannot read nothing.onnx: No such file or directory"),
        (["--framework", "onnx", "--file", __file__], "not an ONNX model"),
        (["--framework", "nonesuch"], "pip install edge-aiops-nonesuch"),
    ],
)
async def test_a_refused_registration_says_what_is_wrong(run: Run, arguments: list[str], said: str) -> None:
    ended = await run("model", "register", "a", "1", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: ")
    assert said in ended.err


async def test_a_server_that_is_something_else_is_told_apart(run: Run, unused_tcp_port: int) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", unused_tcp_port):
        ended = await run("model", "list", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert ended.code == 1
    assert "check --url" in ended.err


async def test_followed_events_appear_as_they_come_until_ctrl_c(client: Any, run: Run) -> None:
    await client.register("hello", framework="echo", stage="production")
    first = await client.predict("hello")
    following = await asyncio.create_subprocess_exec(
        *(*EDGE_AIOPS, "events", "--follow", "--json", "--url", client.url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert following.stdout is not None
    assert json.loads(await following.stdout.readline())["inferenceId"] == first["inferenceId"]
    second = await client.predict("hello")
    assert json.loads(await following.stdout.readline())["inferenceId"] == second["inferenceId"]
    following.send_signal(signal.SIGINT)
    rest, complaints = await following.communicate()
    assert (rest, complaints, following.returncode) == (b"", b"", 130)


async def test_a_reader_that_has_enough_is_no_failure(client: Any) -> None:
    await client.register("hello", framework="echo", stage="production")
    for _ in range(20):
        await client.predict("hello")
    command = " ".join(f"'{part}'" for part in (*EDGE_AIOPS, "events", "--url", client.url))
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", f"{command} | head -1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaints = await shell.communicate()
    assert (complaints, shell.returncode) == (b"", 0)


async def test_a_server_says_its_address_and_ends_in_order(server_process: Any, tmp_path: Path) -> None:
    server = await server_process(tmp_path)
    url = await server.ready()
    server.send(signal.SIGTERM)
    assert await server.ended() == 0
    assert f"edge_aiops serves on {url}, data in {tmp_path}; {url}/docs" in server.said
    assert "Traceback" not in server.said


async def test_a_second_server_on_the_folder_says_who_uses_it(server_process: Any, tmp_path: Path) -> None:
    await (await server_process(tmp_path)).ready()
    second = await server_process(tmp_path)
    assert await second.ended() == 1
    assert "error: " in second.said
    assert "in use by" in second.said
    assert "Traceback" not in second.said


async def _with_history(client: Any) -> str:
    """Register an ONNX model and predict with it; gives the inference id."""
    await client.register("iris", stage="production", classLabels=["a", "b", "c"])
    return str((await client.predict("iris"))["inferenceId"])


async def _check_copy(copy: Path, inference_id: str, serve: Any) -> None:
    """A server starts on the copy, serves the model and knows the event."""
    async with serve(copy) as restored:
        assert (await restored.get(f"/events/{inference_id}")).status == 200
        assert (await restored.predict("iris"))["label"] in ("a", "b", "c")


async def test_a_backup_of_a_running_server_is_a_data_folder(client: Any, run: Run, serve: Any, tmp_path: Path) -> None:
    inference_id = await _with_history(client)
    ended = await run("backup", tmp_path / "copy", "--data", tmp_path / "data")
    assert ended.code == 0, ended.err
    assert f"edge-aiops serve --data {tmp_path / 'copy'}" in ended.out
    await client.predict("iris")  # the original goes on
    await _check_copy(tmp_path / "copy", inference_id, serve)


async def test_a_backup_has_what_monitoring_knows(client: Any, run: Run, serve: Any, tmp_path: Path) -> None:
    await _with_history(client)
    drift = {"driftCheck": "2h"}
    assert (await client.call("PUT", "/monitoring/config/iris", json={"drift": drift})).status == 200
    assert (await run("backup", tmp_path / "copy", "--data", tmp_path / "data")).code == 0
    async with serve(tmp_path / "copy") as restored:
        await restored.predict("iris")
        (seen,) = (await restored.get("/monitoring/metrics/iris/realtime")).body["versions"]
        config = (await restored.get("/monitoring/config/iris")).body
    assert seen["requests"] == 2
    assert config["drift"]["driftCheck"] == "2h"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_a_backup_of_a_stopped_server_is_a_data_folder(
    server_process: Any, connect: Any, serve: Any, run: Run, tmp_path: Path, end: signal.Signals
) -> None:
    server = await server_process(tmp_path / "stopped")
    async with connect(await server.ready()) as client:
        inference_id = await _with_history(client)
    server.send(end)
    await server.ended()
    ended = await run("backup", tmp_path / "copy", "--data", tmp_path / "stopped")
    assert ended.code == 0, ended.err
    await _check_copy(tmp_path / "copy", inference_id, serve)


@pytest.mark.parametrize(
    ("destination", "data", "said"),
    [
        ("copy", "nothing", "is no data folder"),
        ("data", "data", "exists; choose"),
        ("data/copy", "data", "is inside the data folder"),
    ],
)
async def test_a_backup_that_makes_no_sense_is_refused(
    run: Run, tmp_path: Path, destination: str, data: str, said: str
) -> None:
    ended = await run("backup", tmp_path / destination, "--data", tmp_path / data)
    assert ended.code == 1
    assert said in ended.err


async def test_a_backup_that_fails_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for name in ("node", "hub"):
        (broken / name).mkdir(parents=True)
    (broken / "hub" / "hub.db").write_bytes(b"no database" * 1000)
    with closing(sqlite3.connect(broken / "node" / "events.db")) as connection:
        connection.execute("CREATE TABLE event (place INTEGER)")
    ended = await run("backup", tmp_path / "copy", "--data", broken)
    assert ended.code == 1
    assert "hub.db" in ended.err
    assert not {path.name for path in await asyncio.to_thread(lambda: list(tmp_path.iterdir()))} & {
        "copy",
        "copy.partial",
    }


async def test_the_doctor_finds_a_running_server_in_order(
    client: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PORT", str(client.port))
    found = (await run("doctor", "--data", tmp_path / "data", "--json")).json
    said = {finding["check"]: finding["said"] for finding in found}
    assert "an edge_aiops server answers" in said["port"]
    assert "process" in said["owner"]
    assert {finding["said"].partition(":")[0] for finding in found if finding["check"] == "database"} >= {
        "hub/hub.db",
        "node/events.db",
        "node/monitoring.db",
        "node/state.db",
    }
