"""Alerts and rules on the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge_aiops.cli.main import main


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command beside a server."""

    async def run_it(client: Any, *arguments: str) -> Ended:
        monkeypatch.setenv("EDGE_AIOPS_URL", client.url)
        code = await asyncio.to_thread(main, list(arguments))
        return Ended(code, *capfd.readouterr())

    return run_it


async def test_an_alert_is_seen_shown_and_acknowledged(serve: Any, tmp_path: Path, run: Run) -> None:
    async with serve(tmp_path) as client:
        assert (await client.call("PUT", "/monitoring/config", json={"alertCheck": "1s"})).status == 200
        await client.register("model", stage="production")
        made = await run(client, "rules", "set", "busy", "--when", "requests > 0", "--name", "Busy")
        assert made.code == 0, made.err
    async with serve(tmp_path) as client:
        assert (await run(client, "alerts")).out == "no active alerts; --status all shows every one\n"
        await client.predict("model")
        for _ in range(300):
            listed = await run(client, "alerts", "list", "--unseen", "--json")
            if alerts := json.loads(listed.out):
                break
            await asyncio.sleep(0.05)
        (alert,) = alerts
        shown = await run(client, "alerts", "show", alert["id"])
        assert "requests of model 1 is 1, above 0" in shown.out
        assert "nobody" in shown.out
        assert (await run(client, "alerts", "show", alert["id"][:3].upper())).out == shown.out
        for nobody in ("f" + alert["id"][1:9], "not an id"):
            missing = await run(client, "alerts", "show", nobody)
            assert (missing.code, "there is no alert" in missing.err) == (1, True)
        assert (await run(client, "alerts", "ack", "", "--by", "Ada")).code == 1
        seen = await run(client, "alerts", "ack", alert["id"][:-1], "--by", "Ada", "--note", "known")
        assert "Ada" in seen.out
        assert "known" in seen.out
        other = await run(client, "alerts", "ack", alert["id"], "--by", "Bob")
        assert other.code == 1
        assert "'Ada' acknowledged this alert already" in other.err
        table = (await run(client, "alerts")).out
        assert "Ada" in table
        assert alert["id"] in table


async def test_the_beginning_of_an_id_must_be_of_one_alert_only(serve: Any, tmp_path: Path, run: Run) -> None:
    async with serve(tmp_path) as client:
        assert (await client.call("PUT", "/monitoring/config", json={"alertCheck": "1s"})).status == 200
        await client.register("model", stage="production")
        for name in ("busy", "busier"):
            assert (await run(client, "rules", "set", name, "--when", "requests > 0")).code == 0
        await client.predict("model")
        ids: list[str] = []
        for _ in range(300):
            ids = [alert["id"] for alert in json.loads((await run(client, "alerts", "--json")).out)]
            if len(ids) == 2:
                break
            await asyncio.sleep(0.05)
        for command in (("show",), ("ack", "--by", "Ada")):
            refused = await run(client, "alerts", command[0], ids[0][:4], *command[1:])
            assert refused.code == 1
            assert f"several alerts begin with '{ids[0][:4]}', such as {ids[0]} and {ids[1]}" in refused.err
        assert all(alert["acknowledged"] is False for alert in json.loads((await run(client, "alerts", "--json")).out))
        assert ids[1] in (await run(client, "alerts", "show", ids[1][:35])).out


async def test_rules_are_made_changed_switched_off_and_deleted(client: Any, run: Run, tmp_path: Path) -> None:
    listed = await run(client, "rules")
    assert "high-latency" in listed.out
    assert "p95Latency > 1000 clearThreshold=800 windowMinutes=5 minRequests=20" in listed.out
    made = await run(
        client,
        *("rules", "set", "slow", "--when", "p95Latency > 500 windowMinutes=10"),
        *("--when", "driftScore > 0.3 driftType=input"),
        *("--match", "any", "--for", "5m", "--repeat", "1h", "--severity", "critical", "--model", "iris", "--json"),
    )  # fmt: skip
    rule = json.loads(made.out)
    assert rule["conditions"] == [
        {"metric": "p95Latency", "operator": ">", "threshold": 500, "windowMinutes": 10},
        {"metric": "driftScore", "operator": ">", "threshold": 0.3, "driftType": "input"},
    ]
    assert (rule["match"], rule["forDuration"], rule["repeatInterval"], rule["modelName"]) == (
        "any",
        "5m",
        "1h",
        "iris",
    )
    changed = json.loads((await run(client, "rules", "set", "slow", "--model", "", "--repeat", "", "--json")).out)
    assert (changed["modelName"], changed["repeatInterval"], changed["forDuration"]) == (None, None, "5m")

    file = tmp_path / "rule.json"
    file.write_text(json.dumps({"condition": {"metric": "errorRate", "operator": ">", "threshold": 0.5}}))
    taken = await run(client, "rules", "set", "failing", "--file", str(file), "--severity", "info")
    assert "errorRate > 0.5 windowMinutes=5" in taken.out
    assert "info" in taken.out

    off = await run(client, "rules", "set", "no-traffic", "--enabled", "false")
    assert "default, changed" in off.out
    assert "is off now" in (await run(client, "rules", "delete", "high-latency")).out
    assert "is deleted" in (await run(client, "rules", "delete", "slow")).out
    missing = await run(client, "rules", "show", "slow")
    assert (missing.code, "there is no rule 'slow'" in missing.err) == (1, True)


async def test_a_wrong_rule_says_what_is_right(client: Any, run: Run) -> None:
    refused = await run(client, "rules", "set", "bad", "--when", "p95Latncy > 500")
    assert refused.code == 1
    assert "did you mean 'p95Latency'?" in refused.err
    assert "windowMinutes" in (await run(client, "rules", "metrics")).out


@pytest.mark.parametrize("condition", ["p95Latency", "p95Latency > fast", "p95Latency > 5 windowMinutes", "a b 1 c=d"])
async def test_what_is_no_condition_is_a_usage_error(
    client: Any, capfd: pytest.CaptureFixture[str], condition: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", "set", "x", "--when", condition])
    assert ended.value.code == 2
    assert "error: argument --when" in capfd.readouterr().err


async def test_notifiers_are_tried(client: Any, run: Run) -> None:
    tried = await run(client, "rules", "test")
    assert (tried.code, "log" in tried.out, "delivered" in tried.out) == (0, True, True)
    pager = {
        "name": "pager",
        "type": "webhook",
        "options": {"url": "http://127.0.0.1:1/", "secret": f"whsec_{'c2Vj' * 10}"},
    }
    assert (await client.call("PUT", "/monitoring/config", json={"notifiers": [pager]})).status == 200
    tried = await run(client, "rules", "test", "pager")
    assert tried.code == 1
    assert "failed: ClientConnectorError" in tried.out
