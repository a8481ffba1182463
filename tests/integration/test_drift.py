"""A model is compared with its baseline: on demand over HTTP and on the command line, and its labels confirm it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats.summaries import Baseline

NAMES = ("a", "b", "c", "d")
RANDOM = np.random.default_rng(17)


def rows(count: int, shift: float = 0.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows of four standard normal features, of which the second is shifted."""
    return RANDOM.normal([0.0, shift, 0.0, 0.0], size=(count, 4))


def encoded(columns: dict[str, Any]) -> str:
    return base64.b64encode(Baseline(columns).to_bytes()).decode()


@pytest.fixture
async def watched(client: Any) -> Any:
    """A server with a model that was registered with its baseline, which is in force."""
    reference = rows(20_000)
    await client.register(
        featureNames=list(NAMES),
        baselineDistributions={
            "inputs": encoded({name: reference[:, place] for place, name in enumerate(NAMES)}),
            "outcomes": encoded({"correct": ["true"] * 9_000 + ["false"] * 1_000}),
        },
    )
    for _ in range(200):
        if (await client.post("/monitoring/drift/model/check")).status != 409:
            break
        await asyncio.sleep(0.1)
    return client


async def predicted(client: Any, count: int, shift: float = 0.0, *, together: int = 100) -> list[dict[str, Any]]:
    """Predictions of `count` rows, so many at a time."""
    each = rows(count, shift).tolist()
    parts = [each[start : start + together] for start in range(0, count, together)]
    return list(await asyncio.gather(*(client.predict("model", part[0] if together == 1 else part) for part in parts)))


async def checked(client: Any, body: Any = None) -> dict[str, Any]:
    """The results of a check now, by type."""
    answer = await client.post("/monitoring/drift/model/check", body)
    assert answer.status == 200, answer
    return {result["driftType"]: result for result in answer.body}


async def test_a_shift_is_found_and_kept_and_begins_anew_when_it_was_taken_care_of(watched: Any) -> None:
    await predicted(watched, 300)
    assert not (await checked(watched))["input"]["drifted"]
    await predicted(watched, 600, shift=1.5)
    found = (await checked(watched))["input"]
    assert (found["drifted"], found["driftedFeatures"], found["currentCount"]) == (True, ["b"], 900)
    assert (found["trigger"], found["evidence"], found["baseline"]["source"]) == ("demand", "alwaysValid", "metadata")
    shown = next(of for of in found["features"] if of["feature"] == "b")
    assert len(shown["current"]["edges"]) == len(shown["current"]["counts"]) + 1

    kept = (await watched.get("/monitoring/drift/model", params={"driftType": "input", "limit": "2"})).body
    assert kept["latest"] == [found]
    assert [result["drifted"] for result in kept["history"]] == [True, False]

    answer = await watched.post("/monitoring/drift/model/restart")
    assert answer.body == {"modelName": "model", "modelVersions": ["1"]}
    assert not (await checked(watched, {"driftTypes": ["input"]}))["input"]["drifted"]
    assert (await checked(watched, {"driftTypes": ["input"], "from": found["from"]}))["input"]["drifted"]


async def test_labels_tell_that_the_model_became_worse(watched: Any) -> None:
    events = await predicted(watched, 200, together=1)
    concept = (await checked(watched))["concept"]
    assert (concept["labelled"], concept["accuracy"], concept["drifted"]) == (0, None, False)
    for place, event in enumerate(events):
        outcome = event["label"] if place % 10 < 6 else (event["label"] + 1) % 3
        await watched.call("PATCH", f"/events/{event['inferenceId']}", json={"actualOutcome": outcome})
    concept = (await checked(watched))["concept"]
    assert (concept["labelled"], concept["accuracy"], concept["baselineAccuracy"]) == (200, 0.6, 0.9)
    assert concept["drifted"]


async def test_a_model_without_baseline_is_409_with_the_remedy_and_an_unknown_one_404(client: Any) -> None:
    await client.register()
    answer = await client.post("/monitoring/drift/model/check")
    assert answer.problem == (409, "conflict")
    assert "POST /monitoring/baselines/model" in answer.body["detail"]
    assert (await client.get("/monitoring/drift/model")).body == {"latest": [], "history": []}
    for call in (client.get("/monitoring/drift/nobody"), client.post("/monitoring/drift/nobody/check")):
        assert (await call).problem == (404, "unknown_model")
    answer = await client.post("/monitoring/drift/model/check", {"modelVersion": "9"})
    assert answer.problem == (404, "unknown_model")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"driftTypes": ["inputs"]}, "driftTypes"),
        ({"driftTypes": []}, "driftTypes: is empty; send some of input, "),
        ({"from": 5, "to": 5}, "from: 5 is not before `to`, 5"),
        ({"from": 2**45}, f"from: {2**45} is not before now, "),
        ({"when": 5}, "when"),
        ([], "body"),
    ],
)
async def test_a_bad_request_is_refused_by_field(client: Any, body: Any, field: str) -> None:
    await client.register()
    answer = await client.post("/monitoring/drift/model/check", body)
    assert answer.problem == (400, "invalid_input")
    assert field in answer.body["detail"]


async def test_the_command_line_shows_a_check_and_fails_on_drift_when_asked_to(
    watched: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge_aiops.cli.main import main

    async def run(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["drift", *arguments, "--url", watched.url])
        return code, capsys.readouterr().out

    await predicted(watched, 600, shift=1.5)
    code, said = await run("check", "model", "--fail-on-drift")
    assert code == 3
    assert "DRIFT, 1 of 4 features: b" in said
    assert said.index("\nb ") < said.index("\na ")
    code, said = await run("check", "model", "--type", "concept")
    assert code == 0
    assert "no drift" in said and "no labels came back" in said
    code, said = await run("list", "model", "--type", "input")
    assert code == 0
    assert "drifted" in said
    code, said = await run("list", "model", "--json", "--limit", "1")
    assert code == 0 and '"driftType": "concept"' in said


async def test_the_command_line_looks_at_a_chosen_span_and_begins_anew(
    watched: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge_aiops.cli.main import main

    async def run(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["drift", *arguments, "--url", watched.url])
        return code, "".join(capsys.readouterr())

    await predicted(watched, 600, shift=1.5)
    code, said = await run("check", "model", "--type", "input", "--from", "1h", "--json")
    (found,) = json.loads(said)
    assert (code, found["drifted"], found["evidence"]) == (0, True, "oneLook")
    assert found["to"] - found["from"] < 2 * 3_600_000
    code, said = await run("check", "model", "--type", "input", "--from", "2h", "--to", "1h")
    assert code == 0
    assert "no drift" in said and "fewer than minSamples" in said
    code, said = await run("check", "model", "--from", "1h", "--to", "2h")
    assert (code, said.startswith("error: ")) == (1, True)

    assert "DRIFT" in (await run("check", "model", "--type", "input"))[1]
    assert (await run("restart", "model", "--version", "9"))[0] == 1
    code, said = await run("restart", "model", "--version", "1")
    assert (code, said) == (0, "drift of model 1 begins anew; `drift list` has what was found before\n")
    assert "no drift" in (await run("check", "model", "--type", "input"))[1]
    assert "drifted" in (await run("list", "model", "--type", "input"))[1]
