"""A hub says what it wants of monitoring, and its nodes do it, within their own policies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.cli.main import main

HOT = {"metric": "requests", "operator": ">", "threshold": 2, "windowMinutes": 5}
ROOT = "/fleet/configuration"


@pytest.fixture
async def client(serve: Any, tmp_path: Path) -> AsyncIterator[Any]:
    async with serve(tmp_path) as connected:
        yield connected


async def put(client: Any, path: str, body: Any) -> Any:
    answer = await client.call("PUT", path, json=body)
    assert answer.status == 200, answer
    return answer.body


async def origins(client: Any) -> dict[str, str]:
    rules = (await client.get("/monitoring/rules")).body["rules"]
    return {rule["id"]: rule["origin"] for rule in rules if not rule["default"]}


async def reasons(client: Any) -> list[str]:
    said: list[str] = (await client.get("/status")).body["node"]["reasons"]
    return said


async def test_a_hubs_rule_is_in_force_on_its_node_and_changed_at_the_hub_only(client: Any) -> None:
    await put(client, "/monitoring/rules/mine", {"condition": HOT})
    sent = await put(client, f"{ROOT}/rules/busy", {"condition": HOT, "name": "Busy"})
    on_node = (await client.get("/monitoring/rules/busy")).body
    assert on_node == sent
    assert await origins(client) == {"mine": "node", "busy": "hub"}
    for method, more in (("PUT", {"json": {"condition": HOT}}), ("DELETE", {})):
        refused = await client.call(method, "/monitoring/rules/busy", **more)
        assert refused.problem == (409, "conflict")
        assert f"{client.url}{ROOT}/rules/busy" in refused.body["detail"]
    added = (await client.post("/monitoring/rules", {"condition": HOT, "name": "busy"})).body
    assert added["id"] == "busy-2"

    assert (await client.call("DELETE", f"{ROOT}/rules/busy")).body == sent
    assert await origins(client) == {"busy-2": "node", "mine": "node"}
    assert (await client.call("DELETE", f"{ROOT}/rules/busy")).problem == (404, "unknown_rule")


async def test_a_hubs_rule_hides_the_nodes_own_of_the_same_id_until_it_is_withdrawn(client: Any) -> None:
    await put(client, "/monitoring/rules/busy", {"condition": HOT, "name": "Ours"})
    await put(client, "/monitoring/rules/high-latency", {"severity": "critical"})
    await put(client, f"{ROOT}/rules/busy", {"condition": HOT, "name": "Theirs"})
    await put(client, f"{ROOT}/rules/high-latency", {"enabled": False})
    shown = (await client.get("/monitoring/rules/high-latency")).body
    assert (shown["enabled"], shown["severity"], shown["default"], shown["modified"]) == (False, "warning", True, True)
    assert (await client.get("/monitoring/rules/busy")).body["name"] == "Theirs"
    for rule in ("busy", "high-latency"):
        assert (await client.call("DELETE", f"{ROOT}/rules/{rule}")).status == 200
    assert (await client.get("/monitoring/rules/busy")).body["name"] == "Ours"
    assert (await client.get("/monitoring/rules/high-latency")).body["severity"] == "critical"


async def test_a_hubs_rule_fires_also_after_a_restart(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await put(client, f"{ROOT}/monitoring", {"alertCheck": "1s"})
        await client.register("model", stage="production")
        await put(client, f"{ROOT}/rules/busy", {"condition": HOT})
    async with serve(tmp_path) as client:
        for _ in range(3):
            await client.predict("model")
        for _ in range(600):
            if alerts := (await client.get("/monitoring/alerts?status=firing")).body["alerts"]:
                break
            await asyncio.sleep(0.05)
        assert [alert["ruleId"] for alert in alerts] == ["busy"]


async def test_what_a_hub_configures_lies_over_all_that_the_node_has(client: Any) -> None:
    await client.register("model")
    await put(client, "/monitoring/config", {"drift": {"driftCheck": "2h"}, "retention": {"hourly": "30d"}})
    await put(client, "/monitoring/config/model", {"drift": {"driftCheck": "3h"}})
    await put(client, f"{ROOT}/monitoring", {"drift": {"driftCheck": "1h"}, "retention": {"daily": "20d"}})
    in_force = (await client.get("/monitoring/config/model")).body
    assert (in_force["drift"]["driftCheck"], in_force["retention"]["hourly"]) == ("1h", "30d")
    assert in_force["retention"]["daily"] == "20d"
    await put(client, f"{ROOT}/monitoring/model", {"drift": {"driftCheck": "4h"}})
    assert (await client.get("/monitoring/config/model")).body["drift"]["driftCheck"] == "4h"
    assert (await client.get("/monitoring/config")).body["drift"]["driftCheck"] == "1h"

    await put(client, f"{ROOT}/monitoring/model", {})
    await put(client, f"{ROOT}/monitoring", {})
    assert (await client.get("/monitoring/config/model")).body["drift"]["driftCheck"] == "3h"
    assert (await client.get("/monitoring/config")).body["drift"]["driftCheck"] == "2h"


async def test_a_node_refuses_to_change_what_its_hub_configures_and_takes_the_rest(client: Any) -> None:
    places = [{"name": "log", "type": "log"}, {"name": "second", "type": "log"}]
    await put(client, f"{ROOT}/monitoring", {"drift": {"driftCheck": "1h"}, "notifiers": places})
    refused = await client.call("PUT", "/monitoring/config", json={"drift": {"driftCheck": "2h"}})
    assert refused.problem == (409, "conflict")
    assert f"drift.driftCheck is decided by the hub, as '1h'; change it there: PUT {client.url}{ROOT}" in str(
        refused.body
    )
    shown = (await client.get("/monitoring/config")).body
    assert [place["name"] for place in shown["notifiers"]] == ["log", "second"]
    shown["retention"]["hourly"] = "30d"
    assert (await put(client, "/monitoring/config", shown))["retention"]["hourly"] == "30d"
    await put(client, f"{ROOT}/monitoring", {})
    after = (await client.get("/monitoring/config")).body
    assert (after["retention"]["hourly"], after["drift"]["driftCheck"]) == ("30d", "6h")
    assert [place["name"] for place in after["notifiers"]] == ["log"]


async def test_a_bad_rule_is_refused_by_its_field_and_nothing_is_changed(client: Any) -> None:
    refused = await client.call("PUT", f"{ROOT}/rules/x", json={"condition": {**HOT, "metric": "requestz"}})
    assert refused.problem == (400, "invalid_input")
    assert [fault["field"] for fault in refused.body["errors"]] == ["condition.metric"]
    refused = await client.call("PUT", f"{ROOT}/monitoring", json={"drift": {"inputDrift": {"threshold": 2}}})
    assert [fault["field"] for fault in refused.body["errors"]] == ["drift.inputDrift.threshold"]
    refused = await client.call("PUT", f"{ROOT}/sampling/model", json={"rate": 2})
    assert refused.problem == (400, "invalid_input")
    assert (await client.call("PUT", f"{ROOT}/sampling/model", json={"rate": 1})).problem == (404, "unknown_model")
    assert (await client.get(ROOT)).body == {"generation": 0, "rules": [], "monitoring": {}, "sampling": {}}


async def test_a_policy_on_the_node_is_stronger_than_its_hub(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "policy.toml").write_text('frameworks = ["onnx"]\nrules = false\ncapture = ["none"]\n')
    async with serve(tmp_path) as client:
        await client.register("kept")
        await client.register("forbidden", framework="echo")
        await put(client, f"{ROOT}/rules/busy", {"condition": HOT})
        await put(client, f"{ROOT}/monitoring", {"drift": {"driftCheck": "1h"}})
        await put(client, f"{ROOT}/sampling/kept", {"rate": 0.5})
        await client.predict("kept")
        answer = await client.post("/predict", {"modelName": "forbidden", "features": [1]})
        assert answer.problem == (404, "unknown_model")
        assert (await client.get("/events?modelName=kept")).body["events"][0]["features"] is None
        assert await origins(client) == {}
        assert (await client.get("/monitoring/config")).body["drift"]["driftCheck"] == "1h"
        said = "\n".join(await reasons(client))
        for part in (
            "model forbidden 1 is not fetched",
            "rules = false",
            "nothing is kept of kept 1",
            "sampling = true",
        ):
            assert part in said
    (tmp_path / "node" / "policy.toml").unlink()
    async with serve(tmp_path) as client:
        await client.predict("forbidden")
        assert await origins(client) == {"busy": "hub"}


async def test_the_whole_configuration_is_shown_and_set_on_the_command_line(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_URL", client.url)

    async def run(*arguments: str) -> str:
        code = await asyncio.to_thread(main, list(arguments))
        said = capfd.readouterr()
        assert code == 0, said.err
        return said.out

    assert "never" in await run("fleet", "config")
    await run("rules", "set", "busy", "--fleet", "--when", "requests > 5")
    assert "the hub's" in await run("rules", "show", "busy")
    document = json.loads(await run("fleet", "config", "--json"))
    document["monitoring"] = {"": {"enabled": False}}
    file = tmp_path / "fleet.json"
    file.write_text(json.dumps(document))
    assert "busy" in await run("fleet", "config", "--set", str(file))
    assert (await client.get("/monitoring/config")).body["enabled"] is False
    assert await asyncio.to_thread(main, ["fleet", "config", "--set", str(file)]) == 1
    assert "changed at generation 2" in capfd.readouterr().err
    assert "withdrawn from every node" in await run("rules", "delete", "busy", "--fleet")
