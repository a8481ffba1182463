"""Baselines over HTTP: from metadata, from datasets, from production; versions, falling back, refusals."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from edge_aiops.cli.main import main

CSV = {"Content-Type": "text/csv"}
BASE = "/monitoring/baselines/model"


def dataset(rows: int = 300, seed: int = 1) -> str:
    """CSV of four features, predictions, how sure they were, and the truth."""
    random = np.random.default_rng(seed)
    lines = ["a,b,c,d,said,sure,was"]
    for values in random.normal(size=(rows, 4)).round(4).tolist():
        said, was = random.integers(0, 3, size=2).tolist()
        lines.append(",".join(map(str, [*values, said, round(random.uniform(0.4, 1), 3), was])))
    return "\n".join(lines)


def left_behind(folder: Path) -> list[Path]:
    """Uploads that are still on the disk."""
    return list(folder.rglob("*.upload"))


async def posted(client: Any, content: Any, **query: Any) -> Any:
    """The baseline that a dataset becomes."""
    answer = await client.post(BASE, data=content, headers=CSV, params=query)
    assert answer.status == 201, answer
    return answer.body


async def in_force(client: Any, name: str = "model") -> list[int]:
    """The numbers of the baselines that count, the newest first."""
    return [one["number"] for one in (await client.get(f"/monitoring/baselines/{name}")).body if one["inForce"]]


async def made_of_metadata(client: Any) -> list[int]:
    """Wait until the node has followed what was registered."""
    async with asyncio.timeout(20):
        while not (found := await in_force(client)):  # noqa: ASYNC110  # another process would wait so, too
            await asyncio.sleep(0.05)
    return found


NAMES = {"featureNames": ["a", "b", "c", "d"], "classLabels": ["red", "green", "blue"]}
ANSWERS = {"predictionColumn": "said", "confidenceColumn": "sure", "outcomeColumn": "was"}


async def test_a_dataset_becomes_the_baseline_in_force(client: Any) -> None:
    await client.register(**NAMES)
    made = await posted(client, dataset(), **ANSWERS, description="training data")
    assert (made["number"], made["source"], made["rows"], made["inForce"]) == (1, "dataset", 300, True)
    assert (made["modelVersion"], made["description"], made["warnings"]) == (None, "training data", [])
    assert made["inputs"] == dict.fromkeys("abcd", "numeric")
    assert made["outputs"] == {"label": "category", "confidence": "numeric"}
    assert made["outcomes"] == {"outcome": "category", "correct": "category"}
    shown = (await client.get(f"{BASE}/1")).body
    assert shown["baseline"] == made
    a = next(feature for feature in shown["inputs"] if feature["name"] == "a")
    assert (a["count"], a["missing"], a["kind"]) == (300, 0, "numeric")
    assert sum(a["distribution"]["counts"]) == 300
    assert len(a["distribution"]["edges"]) == len(a["distribution"]["counts"]) + 1
    label = next(feature for feature in shown["outputs"] if feature["name"] == "label")
    assert sorted(label["distribution"]["labels"]) == ["blue", "green", "red"]
    assert sum(label["distribution"]["shares"]) == pytest.approx(1)


async def test_json_lines_and_parquet_are_read_as_well(client: Any, tmp_path: Path) -> None:
    await client.register(**NAMES)
    rows = [dict.fromkeys("abcd", float(i)) for i in range(50)]
    lines = "\n".join(map(json.dumps, rows))
    answer = await client.post(BASE, data=lines, headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status, answer.body["rows"]) == (201, 50)
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "rows")
    content = (tmp_path / "rows").read_bytes()
    answer = await client.post(BASE, data=content, params={"format": "parquet"})
    assert (answer.status, answer.body["rows"], answer.body["number"]) == (201, 50, 2)


async def test_metadata_becomes_a_baseline_until_a_newer_one_is_made(serve: Any, tmp_path: Path) -> None:
    known = {"a": {"mean": 1, "std": 2, "n": 500}, "outputs": {"label": {"categories": {"red": 60, "blue": 40}}}}
    async with serve(tmp_path) as client:
        await client.register(**NAMES, baselineDistributions=known)
        assert await made_of_metadata(client) == [1]
        (first,) = (await client.get(BASE)).body
        assert (first["source"], first["modelVersion"], first["rows"]) == ("metadata", "1", 500)
        assert (first["inputs"], first["outputs"]) == ({"a": "numeric"}, {"label": "category"})
        made = await posted(client, dataset(), modelVersion="1", ignore="said,sure,was")
        assert await in_force(client) == [made["number"]] == [2]
        await client.register(version="2", **NAMES)
        assert (await posted(client, dataset(), ignore="said,sure,was"))["warnings"] == [
            "version '1' has a baseline of its own, which stays in force for it"
        ]
    async with serve(tmp_path) as client:
        assert await in_force(client) == [3, 2]


async def test_distributions_that_mean_nothing_are_refused_at_registration(client: Any) -> None:
    body = {"modelName": "m", "modelVersion": "1", "framework": "echo", "baselineDistributions": {"a": {"mean": 1}}}
    answer = await client.post("/models", body)
    assert answer.problem == (400, "invalid_input")
    assert answer.body["errors"][0]["field"] == "baselineDistributions.a"


async def test_deleting_brings_back_the_one_before(client: Any) -> None:
    await client.register(**NAMES)
    for seed in (1, 2):
        await posted(client, dataset(seed=seed))
    assert await in_force(client) == [2]
    gone = await client.call("DELETE", f"{BASE}/2")
    assert (gone.status, gone.body["number"], gone.body["inForce"]) == (200, 2, False)
    assert await in_force(client) == [1]
    assert (await client.get(f"{BASE}/2")).problem == (404, "not_found")
    assert (await posted(client, dataset()))["number"] == 3


async def test_two_at_once_both_count(client: Any) -> None:
    await client.register(**NAMES)
    made = await asyncio.gather(*(posted(client, dataset(seed=seed)) for seed in range(4)))
    assert sorted(one["number"] for one in made) == [1, 2, 3, 4]
    assert await in_force(client) == [4]


async def test_what_was_predicted_becomes_a_baseline(client: Any) -> None:
    await client.register(**NAMES)
    random = np.random.default_rng(2)
    rows = random.normal(size=(150, 4)).round(3).tolist()
    answers = await asyncio.gather(*(client.predict(features=row) for row in rows))
    await asyncio.gather(
        *(client.call("PATCH", f"/events/{one['inferenceId']}", json={"actualOutcome": "red"}) for one in answers)
    )
    answer = await client.post(BASE, {"from": 0, "to": 2**47, "description": "the first week"})
    assert answer.status == 201, answer
    made = answer.body
    assert (made["source"], made["rows"], made["modelVersion"], made["number"]) == ("production", 150, "1", 1)
    assert made["inputs"] == dict.fromkeys("abcd", "numeric")
    assert made["outputs"]["label"] == "category"
    assert made["outcomes"]["correct"] == "category"
    (a, *_) = (await client.get(f"{BASE}/1")).body["inputs"]
    assert a["mean"] == pytest.approx(np.mean([row["abcd".index(a["name"])] for row in rows]), abs=0.1)
    assert (await client.post("/predict", {"modelName": "model", "features": [1]})).status == 400
    answer = await client.post(BASE, {"from": 0, "to": 2**47})
    assert (answer.status, answer.body["rows"], answer.body["number"]) == (201, 150, 2)
    (before, after) = [(await client.get(f"{BASE}/{number}")).body["inputs"][0] for number in (1, 2)]
    assert before["distribution"]["edges"] == after["distribution"]["edges"]


async def test_a_span_with_too_few_rows_is_refused(client: Any) -> None:
    await client.register(**NAMES)
    await client.predict()
    answer = await client.post(BASE, {"from": 0, "to": 2**47})
    assert answer.problem == (409, "conflict")
    assert "the span has 1 rows" in answer.body["detail"]
    assert (await client.post(BASE, {"from": 5, "to": 5})).problem == (400, "invalid_input")
    assert (await client.post(BASE, {"from": 5})).problem == (400, "invalid_input")


async def test_what_does_not_exist_is_404(client: Any) -> None:
    await client.register(**NAMES)
    nobody = "/monitoring/baselines/nobody"
    assert (await client.get(nobody)).problem == (404, "unknown_model")
    assert (await client.post(nobody, data="a\n1", headers=CSV)).problem == (404, "unknown_model")
    assert (await client.post(nobody, {"from": 0, "to": 1})).problem == (404, "unknown_model")
    answer = await client.post(BASE, data="a\n1", headers=CSV, params={"modelVersion": "9"})
    assert answer.problem == (404, "unknown_model")
    assert "it has: 1" in answer.body["detail"]
    for number in ("1", "x", "-1", "9" * 30, "%C2%B2"):
        assert (await client.get(f"{BASE}/{number}")).problem == (404, "not_found")
        assert (await client.call("DELETE", f"{BASE}/{number}")).problem == (404, "not_found")
    await posted(client, dataset())
    await client.register("other")
    assert (await client.get("/monitoring/baselines/other/1")).problem == (404, "not_found")


@pytest.mark.parametrize(
    ("content", "headers", "query", "said"),
    [
        (b"", CSV, {}, "is empty"),
        (b"a,b\n1,2\n", CSV, {"predictionColumn": "nope"}, "no column 'nope'; it has 'a', 'b'"),
        (b"a\n1\n", {"Content-Type": "application/zip"}, {}, "send format=csv"),
        (b"a\n1\n", CSV, {"format": "xlsx"}, "format"),
        (b"a\n1\n", CSV, {"bins": "1"}, "bins"),
        (b"a\n1\n", CSV, {"predictionColumn": ""}, "predictionColumn"),
        (b"a\n1\n", CSV, {"unknown": "1"}, "unknown"),
        ("name\nJos\xe9\n".encode("latin1"), CSV, {}, "not UTF-8"),
        (b"no parquet", CSV, {"format": "parquet"}, "cannot be read as Parquet"),
    ],
)
async def test_bad_datasets_are_refused_and_leave_nothing(
    serve: Any, tmp_path: Path, content: bytes, headers: dict[str, str], query: dict[str, str], said: str
) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        answer = await client.post(BASE, data=content, headers=headers, params=query)
        assert answer.problem == (400, "invalid_input")
        assert said in answer.body["detail"]
        assert (await client.get(BASE)).body == []
        assert left_behind(tmp_path) == []


async def test_a_dataset_over_the_limit_is_refused(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path, http__max_upload_bytes=10_000) as client:
        await client.register()
        answer = await client.post(BASE, data=b"a\n" + b"1\n" * 100_000, headers=CSV)
        assert answer.problem == (413, "too_large")
        assert left_behind(tmp_path) == []


async def command(client: Any, capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of a command beside the server."""
    capfd.readouterr()
    code = await asyncio.to_thread(main, ["baseline", *map(str, arguments), "--url", client.url])
    return code, *capfd.readouterr()


async def test_the_command_line_makes_shows_and_deletes_baselines(
    client: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await client.register(**NAMES)
    file = tmp_path / "training.csv"
    file.write_text(dataset())
    columns = ("--prediction", "said", "--confidence", "sure", "--outcome", "was")
    code, out, _ = await command(client, capfd, "create", "model", file, *columns, "--description", "training")
    assert code == 0
    assert "in force     yes" in out
    assert "confidence, label" in out
    code, out, _ = await command(client, capfd, "create", "model", file, "--ignore", "said", "--ignore", "a", "--json")
    assert list(json.loads(out)["inputs"]) == ["b", "c", "d"]
    code, out, _ = await command(client, capfd, "list", "model")
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["2", "yes"], ["1", "(all)"]]
    code, out, _ = await command(client, capfd, "show", "model", 1)
    assert "outputs" in out
    assert "red" in out
    code, out, _ = await command(client, capfd, "delete", "model", 2)
    assert (code, "baseline 2 of model is deleted" in out) == (0, True)
    code, out, _ = await command(client, capfd, "list", "model", "--json")
    assert [one["number"] for one in json.loads(out)] == [1]


async def test_the_command_line_freezes_production(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    await client.register(**NAMES)
    await asyncio.gather(*(client.predict(features=[i, 1, 2, 3]) for i in range(100)))
    code, out, err = await command(client, capfd, "create", "model", "--from", "1h", "--bins", 16, "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["source"], json.loads(out)["rows"]) == ("production", 100)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "model"), "name a FILE, or a span"),
        (("create", "model", "rows.csv", "--from", "1h"), "name a FILE, or a span"),
        (("create", "model", "rows.xlsx"), "its name does not tell the format"),
        (("create", "model", "/nowhere/rows.csv"), "cannot read /nowhere/rows.csv"),
        (("list", "nobody"), "no model named 'nobody'"),
        (("show", "model", "7"), "no baseline '?7"),
    ],
)
async def test_the_command_line_says_what_is_wrong(
    client: Any, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    await client.register()
    code, _, err = await command(client, capfd, *arguments)
    assert code == 1
    assert re.search(said, err)
