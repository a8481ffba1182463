"""A hub, and nodes on other machines: versions are rolled out, kept or rolled back, also from a neighbour's files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.settings import Settings, load_settings
from edge_aiops.http.serve import serving_hub, serving_node
from edge_aiops.testing.models import gemm_softmax

COMMIT = {"afterRequests": 20, "mostErrorRate": 0.05}


def settings(folder: Path, **given: object) -> Settings:
    overrides = {key.replace("__", ".", 1): value for key, value in given.items()}
    overrides = {"data.folder": str(folder), "http.port": 0, "serving.default_deadline": "30s", **overrides}
    return load_settings(environment={}, overrides=overrides).settings


@pytest.fixture
async def hub(tmp_path: Path, connect: Any) -> AsyncIterator[Any]:
    """A client of a hub alone."""
    async with serving_hub(settings(tmp_path / "hub")) as url, connect(url) as client:
        yield client


@pytest.fixture
def node(tmp_path: Path, hub: Any, connect: Any) -> Any:
    """Starts nodes by name: `async with node("a", fleet__share_artifacts=True) as client`."""

    @asynccontextmanager
    async def started(name: str, **given: object) -> AsyncIterator[Any]:
        token = (await hub.post("/fleet/tokens", {})).body["token"]
        own = settings(tmp_path / name, fleet__sync_interval="100ms", **given)
        async with serving_node(own, hub_url=hub.url, join=token) as url, connect(url) as client:
            yield client

    return started


async def rollouts(client: Any) -> dict[str, Any]:
    """The node's versions that are not kept, by name."""
    told = (await client.get("/status")).body["node"]["hub"]["rollouts"]
    return {f"{one['modelName']}:{one['modelVersion']}": one for one in told}


async def until(claim: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await claim():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.05)


async def answers(client: Any, version: str) -> bool:
    answer = await client.post("/predict", {"modelName": "m", "features": [1, 2, 3, 4]})
    return answer.status == 200 and answer.body["modelVersion"] == version


async def test_a_version_that_fails_its_callers_is_rolled_back_and_one_that_does_well_is_kept(
    chaos_plugin: None, hub: Any, node: Any
) -> None:
    async with node("a") as client:
        await hub.register("m", "1", stage="production", commit=COMMIT)
        await until(lambda: answers(client, "1"))
        for _ in range(20):
            await client.predict("m")

        async def kept() -> bool:
            return await rollouts(client) == {}

        await until(kept)
        bad = await hub.post(
            "/models",
            {"modelName": "m", "modelVersion": "2", "framework": "chaos", "stage": "production", "commit": COMMIT},
        )
        assert bad.status == 201, bad

        async def fails() -> bool:
            answer = await client.post("/predict", {"modelName": "m", "features": "raise"})
            return answer.body.get("code") == "model_failed"

        await until(fails)
        await fails()
        await until(lambda: answers(client, "1"))
        failed = (await rollouts(client))["m:2"]
        assert failed["state"] == "rolledBack"
        assert "requests failed" in failed["reason"]
        assert any(
            "'m' 2 is not served here" in reason for reason in (await client.get("/status")).body["node"]["reasons"]
        )
        assert (await hub.post("/models/m/2/retry")).body["retries"] == 1
        await until(fails)


async def test_a_node_takes_from_a_neighbour_what_the_hub_need_not_send(hub: Any, node: Any, tmp_path: Path) -> None:
    registered = await hub.register("m", "1", gemm_softmax(4, 3), stage="production")
    async with node("a", fleet__share_artifacts=True) as first, node("shy") as shy:
        await until(lambda: answers(first, "1"))
        await until(lambda: answers(shy, "1"))
        path = f"/artifacts/{registered['sha256']}"
        whole = await first.get(path)
        part = await first.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status, part.content) == (206, whole.content[10:20])
        assert whole.headers["ETag"] == f'"{registered["sha256"]}"'
        assert (await shy.get(path)).problem == (404, "not_found")
        assert (await first.get("/artifacts/..%2F..%2Fstate.db")).status == 404
        (stored,) = (tmp_path / "hub").rglob(registered["sha256"])
        await asyncio.to_thread(stored.unlink)
        async with node("b", fleet__artifact_sources=[shy.url, first.url]) as second:
            await until(lambda: answers(second, "1"))
