"""What a model is sent is held against its schema: over HTTP, by itself, and on the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.cli.main import main

SCHEMA = {
    "type": "object",
    "properties": {
        "age": {"type": "number", "minimum": 0, "maximum": 120},
        "land": {"type": "string", "enum": ["de", "fr"]},
    },
    "required": ["age", "land"],
}
OPTIONS = {
    "inputs": [
        {"name": "age", "dtype": "float32", "shape": [None, 1]},
        {"name": "land", "dtype": "string", "shape": [None, 1]},
    ]
}


@pytest.fixture
async def registered(client: Any) -> Any:
    """A server with a model of age and land."""
    await client.register("people", framework="echo", options=OPTIONS, inputSchema=SCHEMA, stage="production")
    return client


async def first_scheduled(client: Any) -> Any:
    """The report of the check that comes by itself; the next one is a quarter of an hour later."""
    while not (reports := (await client.get("/monitoring/quality/people")).body["history"]):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return reports[-1]


@pytest.fixture
async def sent(registered: Any) -> Any:
    """The same, when the model has got 100 rows, one of them wrong twice, after its first check on schedule."""
    await first_scheduled(registered)
    rows = [{"age": [[20.5 + n]], "land": [["de" if n % 2 else "fr"]]} for n in range(99)]
    for row in [*rows, {"age": [[999.0]], "land": [["es"]]}]:
        await registered.predict("people", row)
    return registered


async def test_a_check_names_what_is_wrong_and_is_kept(sent: Any) -> None:
    answer = await sent.post("/monitoring/quality/people/check")
    assert answer.status == 200, answer
    (report,) = answer.body
    assert (report["modelVersion"], report["rows"], report["trigger"]) == ("1", 100, "demand")
    assert report["score"] == pytest.approx(0.99)
    violations = {finding["check"]: finding for finding in report["findings"] if finding["violated"]}
    assert violations.keys() == {"range", "unknown_category"}
    assert (violations["range"]["feature"], violations["range"]["affected"]) == ("age", 1)
    assert report["schemaSource"] == {"age": "given", "land": "given"}
    shown = (await sent.get("/monitoring/quality/people")).body
    assert shown["latest"] == [report]
    assert shown["history"][0] == report


async def test_a_span_and_a_version_can_be_asked_for(sent: Any) -> None:
    path = "/monitoring/quality/people"
    (report,) = (await sent.post(f"{path}/check", {"modelVersion": "1", "from": 0, "to": 1_000})).body
    assert (report["from"], report["to"], report["rows"]) == (0, 1_000, 0)
    after = report["checkedAt"] + 1
    assert (await sent.get(path, params={"from": after})).body["history"] == []
    assert report in (await sent.get(path, params={"modelVersion": "1", "to": after})).body["history"]


async def test_what_is_expected_of_each_feature_is_shown_with_its_source(sent: Any) -> None:
    (schema,) = (await sent.get("/monitoring/quality/people/schema")).body
    age, land = schema["features"]
    assert (age["name"], age["kind"], age["minimum"], age["maximum"]) == ("age", "numeric", 0, 120)
    assert age["sources"]["maximum"] == "given"
    assert (land["categories"], land["required"], schema["baseline"]) == (["de", "fr"], True, None)


async def test_a_check_comes_by_itself(registered: Any) -> None:
    assert (await first_scheduled(registered))["trigger"] == "schedule"


async def test_what_does_not_exist_is_404_and_what_cannot_be_is_400(sent: Any) -> None:
    for method, path in (("GET", ""), ("POST", "/check"), ("GET", "/schema")):
        answer = await sent.call(method, f"/monitoring/quality/nobody{path}")
        assert answer.problem == (404, "unknown_model")
    answer = await sent.post("/monitoring/quality/people/check", {"modelVersion": "7"})
    assert answer.problem == (404, "unknown_model")
    answer = await sent.post("/monitoring/quality/people/check", {"from": 9, "to": 9})
    assert answer.problem == (400, "invalid_input")
    assert [blamed["field"] for blamed in answer.body["errors"]] == ["from"]
    answer = await sent.call("PUT", "/monitoring/config/people", json={"quality": {"checks": ["nulls"]}})
    assert answer.problem == (400, "invalid_input")
    assert "null_rate" in answer.body["detail"]


async def test_reports_survive_a_restart(tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        (report,) = (await client.post("/monitoring/quality/model/check", {})).body
    async with serve(tmp_path) as client:
        assert report in (await client.get("/monitoring/quality/model")).body["history"]


async def test_the_command_line_shows_checks_and_explains(
    sent: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_URL", sent.url)

    async def run(*arguments: str) -> str:
        assert await asyncio.to_thread(main, ["quality", "people", *arguments]) == 0
        return capfd.readouterr().out

    checked = await run("--check")
    assert "violations  2" in checked
    assert "FAIL  range" in checked and "'age' is outside of [0, 120] (seen: 20.5 to 999) in 1 of 100 rows" in checked
    assert "violations  2" in await run("--version", "1")
    assert "de, fr" in await run("--schema")
    assert '"unknown_category"' in await run("--json")
    assert await asyncio.to_thread(main, ["quality", "nobody"]) == 1
    assert "no model named 'nobody'" in capfd.readouterr().err


async def test_at_most_two_hundred_reports_are_asked_for_at_once(client: Any) -> None:
    await client.register()
    assert (await client.get("/monitoring/quality/model", params={"limit": "200"})).status == 200
    answer = await client.get("/monitoring/quality/model", params={"limit": "201"})
    assert answer.problem == (400, "invalid_input")
    assert answer.body["errors"][0]["field"] == "limit"
