"""A node sees what its models do: windows of performance, of accuracy, of features, and their configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.testing.models import gemm_softmax


async def predicted(client: Any, count: int, name: str = "model", **more: Any) -> list[dict[str, Any]]:
    random = np.random.default_rng(count)
    rows = random.normal(size=(count, 4)).round(3).tolist()
    return list(await asyncio.gather(*(client.predict(name, row, **more) for row in rows)))


async def windows(client: Any, name: str = "model", granularity: str = "5min", **more: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/monitoring/metrics/{name}", params={"granularity": granularity, **more})
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.body["windows"]
    return found


def total(found: list[dict[str, Any]], field: str = "requests") -> int:
    return sum(window[field] for window in found)


@pytest.mark.parametrize("granularity", ["5min", "hourly", "daily"])
async def test_every_granularity_has_each_request_at_once(client: Any, granularity: str) -> None:
    await client.register()
    await predicted(client, 50)
    found = await windows(client, granularity=granularity)
    assert total(found) == 50
    assert found[0]["errorRate"] == 0 and found[0]["p95LatencyMs"] > 0 and 0 < found[0]["meanConfidence"] <= 1


async def test_a_model_without_events_has_count_0_and_nulls(client: Any) -> None:
    await client.register()
    answer = await client.get("/monitoring/metrics/model")
    assert answer.body["requests"] == 0 and answer.body["windows"] == []


async def test_an_unknown_model_is_404(client: Any) -> None:
    await client.register()
    for path in ("metrics/nobody", "features/nobody", "config/nobody"):
        assert (await client.get(f"/monitoring/{path}")).problem == (404, "unknown_model")


async def test_one_models_metrics_never_include_anothers(client: Any) -> None:
    for name, version, count in (("one", "1", 10), ("one", "2", 20), ("other", "1", 30)):
        await client.register(name, version, gemm_softmax(4, 3))
        await predicted(client, count, name, modelVersion=version)
    assert total(await windows(client, "one")) == 30
    assert total(await windows(client, "one", modelVersion="2")) == 20
    assert total(await windows(client, "other")) == 30


async def test_accuracy_is_that_of_the_labels(client: Any) -> None:
    await client.register()
    events = await predicted(client, 20)
    for place, event in enumerate(events):
        outcome = event["label"] if place < 15 else (event["label"] + 1) % 3
        await client.call("PATCH", f"/events/{event['inferenceId']}", json={"actualOutcome": outcome})
    found = await windows(client)
    assert total(found, "labelled") == 20
    assert sum(window["accuracy"] * window["labelled"] for window in found) == pytest.approx(15)


async def test_a_label_that_is_corrected_counts_once_and_as_it_is_now(tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        (event,) = await predicted(client, 1)
        path = f"/events/{event['inferenceId']}"
        await client.call("PATCH", path, json={"actualOutcome": event["label"]})
        assert (await windows(client))[0]["accuracy"] == 1
        await client.call("PATCH", path, json={"actualOutcome": event["label"] + 1})
        found = await windows(client)
        assert found[0]["labelled"] == 1 and found[0]["accuracy"] == 0
    async with serve(tmp_path) as client:
        await client.call("PATCH", path, json={"actualOutcome": event["label"]})
        for granularity in ("5min", "daily"):
            found = await windows(client, granularity=granularity)
            assert found[0]["labelled"] == 1 and found[0]["accuracy"] == 1


async def test_windows_survive_a_restart_and_go_on(tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        await predicted(client, 30)
    async with serve(tmp_path) as client:
        await predicted(client, 12)
        for granularity in ("5min", "hourly", "daily"):
            assert total(await windows(client, granularity=granularity)) == 42


async def test_what_was_journaled_without_monitoring_is_summarised_later(tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        events = await predicted(client, 30)
        await client.call("PATCH", f"/events/{events[0]['inferenceId']}", json={"correct": True})
    (tmp_path / "node" / "monitoring.db").unlink()
    async with serve(tmp_path) as client:
        found = await windows(client)
        assert total(found) == 30 and total(found, "labelled") == 1


async def test_features_outputs_and_outcomes_are_described(client: Any) -> None:
    await client.register(featureNames=["a", "b", "c", "d"])
    events = await predicted(client, 40)
    await client.call("PATCH", f"/events/{events[0]['inferenceId']}", json={"actualOutcome": 1})
    (found,) = (await client.get("/monitoring/features/model")).body
    assert [feature["name"] for feature in found["inputs"]] == ["a", "b", "c", "d"]
    assert all(feature["count"] == 40 and feature["p50"] is not None for feature in found["inputs"])
    outputs = {feature["name"]: feature for feature in found["outputs"]}
    assert outputs["label"]["kind"] == "category" and outputs["confidence"]["count"] == 40
    assert {feature["name"] for feature in found["outcomes"]} >= {"correct", "outcome"}


CONFIG = {
    "aggregation": {"hourlyAggregation": "1h"},
    "drift": {
        "driftCheck": "6h",
        "inputDrift": {"enabled": True, "method": "ks_test", "threshold": 0.05, "windowHours": 24},
        "predictionDrift": {"method": "psi", "threshold": 0.2},
        "conceptDrift": {"minLabeledSamples": 100, "accuracyDropThreshold": 0.05},
    },
}


async def test_the_configuration_of_a_model_lies_over_that_of_the_node(tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        answer = await client.call("PUT", "/monitoring/config", json=CONFIG)
        assert answer.status == 200 and answer.body["drift"]["inputDrift"]["method"] == "ks_test"
        own = {"drift": {"inputDrift": {"threshold": 0.01}}}
        assert (await client.call("PUT", "/monitoring/config/model", json=own)).status == 200
    async with serve(tmp_path) as client:
        kept = (await client.get("/monitoring/config/model")).body["drift"]
        assert (kept["inputDrift"]["method"], kept["inputDrift"]["threshold"]) == ("ks_test", 0.01)
        assert kept["predictionDrift"]["threshold"] == 0.2 and kept["driftCheck"] == "6h"
        assert (await client.get("/monitoring/config")).body["drift"]["inputDrift"]["threshold"] == 0.05


@pytest.mark.parametrize(
    ("config", "field", "said"),
    [
        ({"drift": {"driftCheck": "6x"}}, "drift.driftCheck", "not a duration"),
        ({"drift": {"driftCheck": 6}}, "drift.driftCheck", "is not a duration"),
        ({"drift": {"driftCheck": "0s"}}, "drift.driftCheck", "shorter than 1s"),
        ({"drift": {"inputDrift": {"alpha": 2}}}, "drift.inputDrift.alpha", "< 1"),
        ({"drift": {"inputDrift": {"method": "kss_test"}}}, "drift.inputDrift.method", "did you mean 'ks_test'?"),
        ({"drift": 5}, "drift", "Expected `object`"),
        ({"drfit": {}}, "drfit", "did you mean 'drift'? There are: enabled, aggregation, retention, drift"),
        ({"drift": {"inputDrift": {"treshold": 1}}}, "drift.inputDrift.treshold", "did you mean 'threshold'?"),
        ({"notifiers": [{"name": "a", "typ": "log"}]}, "notifiers[0].typ", "did you mean 'type'?"),
        ({"quality": {"thresholds": {"range": 0.1, "null_rate": 3}}}, "quality.thresholds.null_rate", "<= 1"),
        ({"quality": {"thresholds": {"nul_rate": 0.3}}}, "quality.thresholds.nul_rate", "did you mean 'null_rate'?"),
        ({"quality": {"checks": ["range", "x"]}}, "quality.checks[1]", "there are: constant"),
    ],
)
async def test_a_bad_configuration_is_refused_by_field_and_changes_nothing(
    client: Any, config: dict[str, Any], field: str, said: str
) -> None:
    before = (await client.get("/monitoring/config")).body
    answer = await client.call("PUT", "/monitoring/config", json=config)
    assert answer.problem[0] == 400
    (error,) = answer.body["errors"]
    assert error["field"] == field and said in error["message"]
    assert (await client.get("/monitoring/config")).body == before


@pytest.mark.parametrize("query", [{"granularity": "weekly"}, {"from": 5, "to": 5}, {"from": 0, "to": 2**47}])
async def test_an_impossible_span_is_refused(client: Any, query: dict[str, Any]) -> None:
    await client.register()
    assert (await client.get("/monitoring/metrics/model", params=query)).problem == (400, "invalid_input")


async def test_clients_of_the_predecessor_find_their_metrics(client: Any) -> None:
    await client.register()
    await predicted(client, 7)
    answer = await client.get("/Monitoring", params={"modelName": "model", "startTime": 0, "endTime": 2**42})
    assert answer.status == 200 and answer.body["requests"] == 7
    assert (await client.get("/Monitoring", params={"modelName": "model"})).body["granularity"] == "5min"
