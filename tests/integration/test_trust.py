"""An operator keeps the trust of nodes in their hub: keys are rotated, a hub is restored from a backup."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.cli.main import main


async def command(*arguments: str) -> int:
    """Run `edge-aiops hub ...` as a person would; gives its exit code."""
    return await asyncio.to_thread(main, ["hub", *arguments])


async def generation(client: Any) -> tuple[int, str | None]:
    """Which generation the node has, and what it last complained of."""
    hub = (await client.get("/status")).body["node"]["hub"]
    return hub["generation"], hub["lastError"]


async def complaint(client: Any) -> str:
    """What the node complains of, as soon as it does."""
    for _ in range(1_000):
        if said := (await generation(client))[1]:
            return said
        await asyncio.sleep(0.02)
    pytest.fail("the node complains of nothing")


async def test_nodes_follow_through_rotations(serve: Any, tmp_path: Path) -> None:
    root_key, new_key = tmp_path / "hub" / "root.key", tmp_path / "usb" / "new.key"
    await asyncio.to_thread(new_key.parent.mkdir)
    async with serve(tmp_path) as client:
        await client.register("a", "1", framework="echo")
    assert await command("keys", "rotate", "--data", str(tmp_path), "--root-key", str(root_key)) == 0
    more = ("--root-key", str(root_key), "--new-root-key", str(new_key))
    assert await command("keys", "rotate", "--data", str(tmp_path), *more) == 0
    async with serve(tmp_path) as client:
        await client.register("a", "2", framework="echo")
        assert await generation(client) == (2, None)
        trust = (await client.get("/status")).body["node"]["hub"]["trust"]
        assert trust["rootVersion"] == 3
        assert trust["signedAt"] < trust["expires"]
        assert trust["clockBehindMs"] == 0
    assert await command("keys", "rotate", "--data", str(tmp_path), "--root-key", str(root_key)) == 1
    assert await command("keys", "rotate", "--data", str(tmp_path), "--root-key", str(new_key)) == 0


async def test_a_hub_restored_from_a_backup_is_refused_until_it_is_recovered(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path / "data") as client:
        await client.register("a", "1", framework="echo")
    await asyncio.to_thread(shutil.copytree, tmp_path / "data" / "hub", tmp_path / "backup")
    async with serve(tmp_path / "data") as client:
        await client.register("a", "2", framework="echo")
        await client.register("a", "3", framework="echo")
    await asyncio.to_thread(shutil.rmtree, tmp_path / "data" / "hub")
    await asyncio.to_thread(shutil.copytree, tmp_path / "backup", tmp_path / "data" / "hub")
    async with serve(tmp_path / "data", fleet__sync_interval="50ms") as client:
        assert "hub recover" in await complaint(client)
        assert (await generation(client))[0] == 3
        assert (await client.predict("a", modelVersion="3"))["modelVersion"] == "3"
    assert await command("recover", "--data", str(tmp_path / "data")) == 0
    async with serve(tmp_path / "data") as client:
        known, said = await generation(client)
        assert said is None
        assert known > 1_700_000_000
        assert (await client.post("/predict", {"modelName": "a", "modelVersion": "3", "features": [1]})).status == 404
        await client.register("a", "4", framework="echo")
        assert await generation(client) == (known + 1, None)


async def test_what_is_signed_is_told_to_nodes_and_a_name_that_is_none_is_not_found(client: Any) -> None:
    assert (await client.get("/fleet/tuf/timestamp.json")).problem == (401, "unauthenticated")
    node = await client.as_node()
    timestamp = (await node.get("/fleet/tuf/timestamp.json")).body["signed"]
    named = timestamp["meta"]["snapshot.json"]["version"]
    answer = await node.get(f"/fleet/tuf/{named}.snapshot.json")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await node.get("/fleet/tuf/1.root.json")).body["signed"]["version"] == 1
    for name in ("root.key", "2.root.json", "..%2froot.key", "%2e%2e", "1.desired.json"):
        assert (await node.get(f"/fleet/tuf/{name}")).problem == (404, "not_found")


async def test_the_keys_are_shown(serve: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command("keys", "show", "--data", str(tmp_path)) == 1
    assert "there is no hub's database" in capsys.readouterr().err
    async with serve(tmp_path):
        assert await command("keys", "show", "--data", str(tmp_path)) == 1
        assert "is in use by another hub; stop it" in capsys.readouterr().err
    assert await command("keys", "show", "--data", str(tmp_path), "--json") == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert (told["rootVersion"], told["rootThreshold"], len(told["rootKeys"])) == (1, 1, 1)
    assert await command("keys", "show", "--data", str(tmp_path)) == 0
    assert told["pin"] in capsys.readouterr().out
    wrong = ("--root-key", str(tmp_path / "hub" / "root.key"), "--threshold", "2")
    assert await command("keys", "rotate", "--data", str(tmp_path), *wrong) == 1
    assert "--threshold: 2 of 0 keys cannot sign" in capsys.readouterr().err
