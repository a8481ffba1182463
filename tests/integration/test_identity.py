"""Devices that join a hub on another machine, and what becomes of those that an operator shuts out, or that are two."""

from __future__ import annotations

import asyncio
import base64
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import Settings, load_settings
from edge_aiops.fleet.messages.push import MEDIA_TYPE, Push, Reported
from edge_aiops.http.app import endpoints
from edge_aiops.http.serve import serving_hub, serving_node
from tests.device import Device, encoded

FOR_NODES = [
    (endpoint.method, endpoint.path.replace("{sha256}", "0" * 64).replace("{name}", "timestamp.json"))
    for endpoint in endpoints(node=False, hub=True)
    if endpoint.caller == "node"
]


def settings(folder: Path) -> Settings:
    """Of a hub or a node in this folder, which looks for news all the time."""
    said = {
        "data.folder": str(folder),
        "http.port": 0,
        "serving.default_deadline": "30s",
        "fleet.sync_interval": "100ms",
        "hub.push_interval": "100ms",
    }
    return load_settings(environment={}, overrides=said).settings


@pytest.fixture
async def hub(tmp_path: Path, connect: Any) -> AsyncIterator[Any]:
    """A client of a hub alone."""
    async with serving_hub(settings(tmp_path / "hub")) as url, connect(url) as client:
        yield client


@pytest.fixture
def node(tmp_path: Path, connect: Any) -> Any:
    """Runs a node alone in a folder: `async with node("device", hub_url=..., join=...) as client`."""

    @asynccontextmanager
    async def running(folder: str = "device", **more: Any) -> AsyncIterator[Any]:
        async with serving_node(settings(tmp_path / folder), **more) as url, connect(url) as client:
            yield client

    return running


async def token(hub: Any, **wanted: Any) -> str:
    return str((await hub.post("/fleet/tokens", wanted)).body["token"])


async def standing(client: Any, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Where the node stands, as soon as that is what is `wanted`."""
    for _ in range(1_000):
        stands: dict[str, Any] = (await client.get("/status")).body["node"]
        if wanted(stands):
            return stands
        await asyncio.sleep(0.02)
    pytest.fail(f"the node stands at {stands}")


def follows(stands: dict[str, Any]) -> bool:
    return bool(stands["models"]) and stands["hub"]["lastError"] is None


def saying(words: str) -> Callable[[dict[str, Any]], bool]:
    return lambda stands: words in (stands["hub"]["lastError"] or "")


def pushed(boot: int) -> dict[str, Any]:
    """A push of this process, as a request."""
    push = Push(boot=boot, have={}, reported=Reported(generation=0), clock=0)
    return {"data": msgspec.msgpack.encode(push), "headers": {"Content-Type": MEDIA_TYPE}}


async def test_a_device_joins_once_and_is_known_from_then_on_without_token_and_address(
    hub: Any, node: Any, tmp_path: Path
) -> None:
    await hub.register("m", "1", framework="echo", stage="production")
    with pytest.raises(SettingsError, match="--hub"):
        async with node():
            pass
    async with node(hub_url=hub.url, join=await token(hub, group="presses", labels={"site": "oslo"})) as client:
        stands = await standing(client, follows)
        await client.predict("m")
    async with node() as client:
        again = await standing(client, follows)
    assert again["nodeId"] == stands["nodeId"]
    assert again["hub"]["hub"] == hub.url
    (known,) = (await hub.get("/fleet/nodes")).body["nodes"]
    assert (known["nodeId"], known["group"], known["labels"]) == (stands["nodeId"], "presses", {"site": "oslo"})
    assert stat.S_IMODE((tmp_path / "device" / "node" / "node.key").stat().st_mode) == 0o600


async def test_a_device_without_a_token_is_no_node_and_says_what_is_missing(hub: Any, node: Any) -> None:
    async with node(hub_url=hub.url) as client:
        assert "--join TOKEN" in (await standing(client, saying("does not know")))["hub"]["lastError"]
    assert (await hub.get("/fleet/nodes")).body["nodes"] == []


async def test_a_node_that_is_given_a_token_of_another_hub_follows_that_one(
    hub: Any, node: Any, tmp_path: Path, connect: Any
) -> None:
    for version in "123":
        await hub.register("m", version, framework="echo", stage="production")
    async with node(hub_url=hub.url, join=await token(hub)) as client:
        await standing(client, lambda stands: stands["hub"]["generation"] == 3)
    async with serving_hub(settings(tmp_path / "another")) as url, connect(url) as another:
        await another.register("n", "1", framework="echo", stage="production")
        async with node(hub_url=url, join=await token(another)) as client:
            await standing(client, lambda stands: stands["hub"]["generation"] == 1 and follows(stands))
            await client.predict("n")


async def test_a_revoked_node_goes_on_serving_and_says_so_until_it_is_released(hub: Any, node: Any) -> None:
    await hub.register("m", "1", framework="echo", stage="production")
    async with node(hub_url=hub.url, join=await token(hub)) as client:
        node_id = (await standing(client, follows))["nodeId"]
        answer = await hub.post(f"/fleet/nodes/{node_id}/revoke", {"reason": "stolen"})
        assert (answer.status, answer.body["status"]) == (200, "revoked")
        stands = await standing(client, saying("revoked: stolen"))
        assert stands["ready"]
        await hub.register("m", "2", framework="echo", stage="production")
        assert (await client.predict("m"))["modelVersion"] == "1"
        assert (await hub.post(f"/fleet/nodes/{node_id}/release")).status == 200
        while (await client.predict("m"))["modelVersion"] != "2":  # noqa: ASYNC110  # a prediction makes no event
            await asyncio.sleep(0.02)


async def test_a_revoked_node_gets_nothing_any_more_from_any_path(hub: Any) -> None:
    device, other = await hub.as_node(), await hub.as_node()
    await hub.post(f"/fleet/nodes/{device.node_id}/revoke")
    for method, path in FOR_NODES:
        answer = await hub.call(method, path, headers=device.headers)
        assert answer.problem == (403, "node_revoked")
    assert (await device.open_session()).problem == (403, "node_revoked")
    assert (await device.join()).problem == (403, "node_revoked")
    assert (await other.get("/fleet/desired")).status == 200


async def test_what_is_for_nodes_is_for_nobody_else(hub: Any) -> None:
    for said in (None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer eas1.AAAA", "Bearer \xff"):
        for method, path in FOR_NODES:
            headers = {} if said is None else {"Authorization": said}
            answer = await hub.call(method, path, headers=headers)
            assert answer.problem == (401, "unauthenticated"), (said, method, path)


async def test_what_only_nodes_may_ask_for_are_these_paths() -> None:
    assert {path for _, path in FOR_NODES} == {
        "/fleet/desired",
        "/fleet/tuf/timestamp.json",
        "/fleet/push",
        "/fleet/rotate",
        f"/artifacts/{'0' * 64}",
    }


async def test_clones_of_one_disk_are_put_in_quarantine_and_both_go_on_serving(
    hub: Any, node: Any, tmp_path: Path
) -> None:
    await hub.register("m", "1", framework="echo", stage="production")
    async with node(hub_url=hub.url, join=await token(hub)) as client:
        node_id = (await standing(client, follows))["nodeId"]
    shutil.copytree(tmp_path / "device", tmp_path / "clone")
    async with node("device") as one, node("clone") as two:
        for version in range(2, 50):
            await hub.register("m", str(version), framework="echo", stage="production")
            await asyncio.sleep(0.5)
            (known,) = (await hub.get("/fleet/nodes")).body["nodes"]
            if known["status"] == "quarantined":
                break
        assert known["status"] == "quarantined"
        for client in (one, two):
            stands = await standing(client, saying("quarantine"))
            assert (stands["nodeId"], stands["ready"]) == (node_id, True)
            await client.predict("m")


async def test_a_cloned_key_is_found_out_by_its_pushes_and_released_by_an_operator(hub: Any) -> None:
    one = await hub.as_node()
    two = Device(hub, node_id=one.node_id, key=one.key)
    await two.open_session()

    async def push(device: Device, boot: int) -> Any:
        request = pushed(boot)
        return await hub.call("POST", "/fleet/push", data=request["data"], headers=request["headers"] | device.headers)

    assert [(await push(one, 1)).status, (await push(two, 2)).status] == [200, 200]
    assert (await push(one, 1)).problem == (401, "unauthenticated")
    await one.open_session()
    assert (await push(one, 1)).problem == (403, "node_quarantined")
    for device in (one, two):
        assert (await device.get("/fleet/desired")).problem == (403, "node_quarantined")
        assert (await device.open_session()).problem == (403, "node_quarantined")
    details = (await hub.get(f"/fleet/nodes/{one.node_id}")).body
    assert details["history"][0]["what"] == "quarantined"
    await hub.call("PATCH", f"/fleet/nodes/{one.node_id}", json={"labels": {"looked": "at"}})
    assert (await two.open_session()).status == 403
    assert (await hub.post(f"/fleet/nodes/{one.node_id}/release")).body["labels"] == {"looked": "at"}
    await two.open_session()
    assert (await push(two, 2)).status == 200


async def test_a_node_exchanges_its_key_and_a_copy_of_the_old_one_is_worthless(
    hub: Any, node: Any, tmp_path: Path
) -> None:
    await hub.register("m", "1", framework="echo", stage="production")
    file = tmp_path / "device" / "node" / "node.key"
    async with node(hub_url=hub.url, join=await token(hub)) as client:
        node_id = (await standing(client, follows))["nodeId"]
        old = file.read_bytes()
        assert (await client.post("/node/key/rotate")).body == {"nodeId": node_id}
        await hub.register("m", "2", framework="echo", stage="production")
        await standing(client, lambda stands: follows(stands) and stands["hub"]["generation"] == 2)
    new = file.read_bytes()
    assert new != old
    file.write_bytes(old)
    async with node() as client:
        await standing(client, saying("does not fit the node's key"))
    file.with_name("node.key.next").write_bytes(new)
    async with node() as client:
        await standing(client, lambda stands: follows(stands) and not file.with_name("node.key.next").exists())
    assert file.read_bytes() == new


async def test_the_node_beside_a_hub_exchanges_its_key_too(client: Any) -> None:
    assert (await client.post("/node/key/rotate")).status == 200
    await client.register("m", "1", framework="echo")
    await client.predict("m", modelVersion="1")


async def test_who_fails_again_and_again_must_wait(hub: Any) -> None:
    device = await hub.as_node()
    wrong = device.session_request(await device.challenge(), signature=encoded(bytes(64)))
    statuses = [(await hub.post("/fleet/session", wrong)).status for _ in range(40)]
    assert set(statuses) == {401, 429}
    assert statuses == sorted(statuses)
    answer = await device.join(await token(hub))
    assert answer.problem == (429, "too_many_attempts")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await device.get("/fleet/desired")).status == 200
    # Another node may have the same address, such as a load balancer's.
    await hub.as_node()


MALFORMED: list[tuple[str, dict[str, Any]]] = [
    ("/fleet/join", {"nodeId": "A" * 32}),
    ("/fleet/join", {"nodeId": "a" * 31}),
    ("/fleet/join", {"nodeId": "a" * 32 + "\n"}),
    ("/fleet/join", {"publicKey": encoded(bytes(31))}),
    ("/fleet/join", {"publicKey": "!"}),
    ("/fleet/join", {"proof": encoded(bytes(65))}),
    ("/fleet/join", {"name": "a\0b"}),
    ("/fleet/join", {"name": "x" * 129}),
    ("/fleet/join", {"token": "x" * 257}),
    ("/fleet/join", {"token": 1}),
    ("/fleet/tokens", {"ttl": "soon"}),
    ("/fleet/tokens", {"uses": 0}),
    ("/fleet/tokens", {"uses": 2**70}),
    ("/fleet/tokens", {"group": "../x"}),
    ("/fleet/tokens", {"labels": {"a b": "c"}}),
    ("/fleet/tokens", {"labels": {"a": "b,c"}}),
    ("/fleet/tokens", {"labels": {"a": "b\0"}}),
    ("/fleet/tokens", {"nodeId": "x"}),
    ("/fleet/tokens", {"unknown": 1}),
]


async def test_what_is_malformed_is_refused(hub: Any) -> None:
    for path, change in MALFORMED:
        request = Device(hub).join_request("eaj1.x.y") if path == "/fleet/join" else {}
        assert (await hub.post(path, request | change)).problem == (400, "invalid_input"), change


async def test_an_all_zero_key_and_signature_are_refused(hub: Any) -> None:
    answer = await Device(hub).join(
        await token(hub), publicKey=base64.b64encode(bytes(32)).decode(), proof=encoded(bytes(64))
    )
    assert answer.problem == (401, "unauthenticated")


async def test_nodes_are_listed_page_by_page_and_by_label(hub: Any) -> None:
    devices = [await hub.as_node(labels={"site": site}) for site in ("oslo", "bergen", "oslo")]
    ids = sorted(device.node_id for device in devices)
    first = (await hub.get("/fleet/nodes?limit=2")).body
    second = (await hub.get(f"/fleet/nodes?limit=2&cursor={first['nextCursor']}")).body
    assert [node["nodeId"] for node in first["nodes"] + second["nodes"]] == ids
    assert second["nextCursor"] is None
    oslo = (await hub.get("/fleet/nodes", params={"label": "site=oslo"})).body["nodes"]
    assert {node["nodeId"] for node in oslo} == {devices[0].node_id, devices[2].node_id}
    for wrong in ("site", "=oslo", "site=oslo,site=bergen"):
        assert (await hub.get("/fleet/nodes", params={"label": wrong})).problem == (400, "invalid_input")


async def test_a_managed_node_says_where_models_are_registered(hub: Any, node: Any) -> None:
    async with node(hub_url=hub.url, join=await token(hub)) as client:
        wanted = {"modelName": "m", "modelVersion": "1", "framework": "echo"}
        for answer in (
            await client.post("/models", wanted),
            await client.call("PUT", "/models/m/1/artifact?framework=onnx", data=b"x" * 100_000),
            await client.call("DELETE", "/models/m/1"),
            await client.call("PUT", "/UploadModelBlob?modelName=m&modelVersion=1&framework=onnx", data=b"x"),
        ):
            assert answer.problem == (409, "conflict")
            assert f"--url {hub.url}" in answer.body["detail"]


async def test_every_way_to_change_the_catalogue_is_refused_by_a_managed_node() -> None:
    def changing(**roles: bool) -> set[tuple[str, str]]:
        return {
            (endpoint.method, endpoint.path)
            for endpoint in endpoints(**roles)
            if endpoint.method != "GET" and endpoint.tag in ("models", "compatibility") and endpoint.role != "node"
        }

    assert changing(node=True, hub=False) == changing(node=False, hub=True)


async def test_a_new_key_is_adopted_only_by_its_node(hub: Any) -> None:
    one, two = await hub.as_node(), await hub.as_node()
    new = Ed25519PrivateKey.generate()
    stolen = one.rotate_request(new)
    assert (await hub.post("/fleet/rotate", stolen, headers=two.headers)).problem == (401, "unauthenticated")
    assert (await hub.post("/fleet/rotate", stolen, headers=one.headers)).status == 200
    assert (await one.get("/fleet/desired")).problem == (401, "unauthenticated")
    one.key = new
    assert (await one.open_session()).status == 200
