"""What operators type to let devices in, to look after nodes, and to shut them out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.base.settings import load_settings
from edge_aiops.cli.main import main
from edge_aiops.fleet.messages.push import MEDIA_TYPE, Push, Reported
from edge_aiops.http.serve import serving_hub

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def hub(tmp_path: Path, connect: Any) -> AsyncIterator[Any]:
    """A client of a hub alone."""
    said = {"data.folder": str(tmp_path / "hub"), "http.port": 0}
    settings = load_settings(environment={}, overrides=said).settings
    async with serving_hub(settings) as url, connect(url) as client:
        yield client


@pytest.fixture
def run(hub: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command that talks to the hub; gives its exit code and what it printed."""
    monkeypatch.setenv("EDGE_AIOPS_URL", hub.url)

    async def run_it(*arguments: object) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return run_it


async def test_the_line_that_a_new_token_shows_makes_a_device_a_node(
    run: Run, hub: Any, server_process: Any, tmp_path: Path
) -> None:
    code, said, _ = await run("hub", "token", "create", "--group", "presses", "--label", "site=oslo", "--ttl", "8h")
    assert code == 0
    found = re.search(r"EDGE_AIOPS_JOIN=(\S+) edge-aiops (node --hub \S+)", said)
    assert found is not None
    assert found[2] == f"node --hub {hub.url}"
    device = await server_process(tmp_path / "device", command=found[2], EDGE_AIOPS_JOIN=found[1])
    await device.ready()
    while not (nodes := (await hub.get("/fleet/nodes")).body["nodes"]):  # noqa: ASYNC110  # a join makes no event here
        await asyncio.sleep(0.05)
    assert (nodes[0]["group"], nodes[0]["labels"]) == ("presses", {"site": "oslo"})
    assert found[1] not in device.said


async def test_tokens_are_listed_and_revoked_but_their_texts_are_never_shown_again(run: Run, hub: Any) -> None:
    made = json.loads((await run("hub", "token", "create", "--uses", "3", "--json"))[1])
    _, listed, _ = await run("hub", "token", "list")
    assert made["details"]["id"] in listed
    assert "3 of 3" in listed
    assert made["token"].split(".")[1] not in listed
    code, said, _ = await run("hub", "token", "revoke", made["details"]["id"])
    assert (code, made["details"]["id"] in said) == (0, True)
    code, _, complaint = await run("hub", "token", "revoke", made["details"]["id"])
    assert (code, "token list" in complaint) == (1, True)
    assert "token create" in (await run("hub", "token", "list"))[1]
    assert (await hub.post("/fleet/tokens", {"ttl": "soon"})).status == 400


async def test_a_node_is_labelled_revoked_released_and_forgotten(run: Run, hub: Any) -> None:
    assert "hub token create" in (await run("node", "list"))[1]
    device = await hub.as_node(group="presses")
    node_id = device.node_id
    assert (await run("node", "label", node_id, "site=oslo", "line=4", "--name", "press 4"))[0] == 0
    _, said, _ = await run("node", "label", node_id, "line=", "--group", "ovens")
    assert said == f"{node_id} (press 4) is active, in group ovens, labels site=oslo\n"
    _, said, _ = await run("node", "list", "--group", "ovens", "--label", "site=oslo", "--status", "active")
    assert node_id in said
    assert node_id not in (await run("node", "list", "--label", "site=bergen"))[1]
    assert "is revoked" in (await run("node", "revoke", node_id, "--reason", "stolen from the van"))[1]
    assert (await device.get("/fleet/desired")).problem == (403, "node_revoked")
    _, said, _ = await run("node", "show", node_id)
    assert "stolen from the van" in said
    assert "is active" in (await run("node", "release", node_id))[1]
    assert json.loads((await run("node", "show", node_id, "--json"))[1])["history"][0]["what"] == "released"
    assert "stays in the totals" in (await run("node", "forget", node_id))[1]
    code, _, complaint = await run("node", "show", node_id)
    assert (code, "there is no node" in complaint) == (1, True)


async def test_a_node_is_shown_as_it_last_pushed(run: Run, hub: Any) -> None:
    device = await hub.as_node()
    assert "never" in (await run("node", "list"))[1]
    health = {"ready": True, "reasons": ["the disk is nearly full", "a plugin failed"], "freeBytes": 2048}
    models = {"iris:2": {"state": "rolledBack", "reason": "too many errors"}, "odd": 3}
    said = Reported(generation=7, version="0.2.0", models=models, health=health)
    push = Push(boot=1, have={}, reported=said, clock=0, lag=12)
    headers = {**device.headers, "Content-Type": MEDIA_TYPE}
    pushed = await hub.post("/fleet/push", data=msgspec.msgpack.encode(push), headers=headers)
    assert pushed.status == 200
    _, listed, _ = await run("node", "list")
    assert re.search(r"active +20\d\d-\S+ \S+ +12 +7 +0\.2\.0 +the disk is nearly full \(and 2 more", listed)
    _, shown, _ = await run("node", "show", device.node_id)
    for line in ("a plugin failed", "iris:2 rolledBack: too many errors", "2.0 KiB", "behind the hub's", "0.2.0"):
        assert line in shown
    [node] = json.loads((await run("node", "list", "--json"))[1])
    assert node["lastPush"]["reported"]["health"] == health


async def test_what_is_typed_wrongly_is_said_by_name(run: Run) -> None:
    for words, complaint in (
        (("hub", "token", "create", "--label", "site"), "--label"),
        (("hub", "token", "create", "--ttl", "soon"), "ttl"),
        (("hub", "token", "create", "--uses", "0"), "uses"),
        (("node", "label", "a" * 32, "site"), "K=V"),
        (("node", "list", "--label", "site"), "label"),
    ):
        code, _, said = await run(*words)
        assert (code, complaint in said, "Traceback" in said) == (1, True, False), (words, said)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("node --hub http://127.0.0.1:9 --join x", "token create"),
        ("node --hub http://127.0.0.1:9 --join-file none", "--join-file"),
        ("node --hub hub.example:9926", "http://hub.example:9926"),
        ("node", "--hub URL"),
    ],
)
async def test_a_node_that_cannot_join_says_why(
    server_process: Any, tmp_path: Path, command: str, complaint: str
) -> None:
    device = await server_process(tmp_path / "device", command=command)
    assert await device.ended() == 1
    assert complaint in device.said
    assert "Traceback" not in device.said
