"""`edge-aiops fleet simulate` against a hub over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from edge_aiops.cli.main import main


async def simulate(client: Any, token: str, *arguments: str) -> int:
    command = ["fleet", "simulate", "--hub", client.url, "--join", token, "--nodes", "4", "--interval", "200ms"]
    return await asyncio.to_thread(main, [*command, "--duration", "800ms", "--features", "3", *arguments])


async def token(client: Any, uses: int) -> str:
    answer = await client.post("/fleet/tokens", {"uses": uses})
    assert answer.status == 201, answer
    text: str = answer.body["token"]
    return text


async def test_synthetic_nodes_join_and_push(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert await simulate(client, await token(client, 4), "--requests", "50", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["nodes"], found["errors"]) == (4, {})
    assert found["polls"] == found["pushes"] >= 4
    nodes = (await client.get("/fleet/nodes")).body["nodes"]
    assert sum(node["name"].startswith("simulated-") for node in nodes) == 4
    status = (await client.get("/fleet/status")).body
    assert (status["nodes"], status["lag"], status["lostRows"]) == (5, 0, 0)  # the server's own node is one


async def test_nodes_for_whom_the_token_does_not_suffice_end_the_simulation(
    client: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await simulate(client, await token(client, 2)) == 1
    assert "token" in capfd.readouterr().err


async def test_people_read_what_came_of_it(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert await simulate(client, await token(client, 4), "--shift", "0.5", "--shift-share", "0.5") == 0
    shown = capfd.readouterr().out
    for part in ("joined a second", "pushes ", "p99", "errors ", "none", "a node's day", "hub's load"):
        assert part in shown
