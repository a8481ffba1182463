"""The hub as a whole: restart, subscribers, status, backup."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import StoreError, StoreLocked
from edge_aiops.hub.hub import Hub
from tests.hub_stores import Stores

models = pytest.importorskip("edge_aiops.testing.models")

ONNX: bytes = models.gemm_softmax().SerializeToString()


on_sqlite = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("stores", ["postgresql"], indirect=True)


async def test_a_hub_starts_on_nothing_and_again_on_what_it_left(
    open_hub: Any, register_with: Any, stores: Stores
) -> None:
    async with open_hub() as hub:
        status = await hub.status()
        assert (status.generation, status.models, status.database) == (0, 0, stores.kind)
        version = (await register_with(hub.registry, "iris", "1", ONNX)).version
    for _ in range(2):
        async with open_hub() as hub:
            assert await hub.registry.models() == [version]
            assert (await hub.registry.artifact(version.sha256)).size_bytes == len(ONNX)


@on_sqlite
async def test_a_second_hub_on_the_same_folder_is_refused(open_hub: Any, hub: Hub) -> None:
    with pytest.raises(StoreLocked):
        async with open_hub():
            pass


async def test_the_status_counts_models_versions_and_artifacts(hub: Hub, register: Any) -> None:
    await register("iris", "1", ONNX)
    await register("iris", "2", ONNX, stage="production")
    await register("echo", "1")
    status = await hub.status()
    assert (status.generation, status.models, status.versions_by_stage) == (3, 2, {"candidate": 2, "production": 1})
    assert (status.artifacts, status.artifact_bytes) == (1, len(ONNX))


async def test_subscribers_hear_of_a_change_before_the_change_returns(hub: Hub, register: Any) -> None:
    heard: list[tuple[int, int]] = []

    async def listen(generation: int) -> None:
        heard.append((generation, await hub.registry.generation()))

    hub.subscribe(listen)
    await register("iris", "1")
    assert heard == [(1, 1)]
    await hub.registry.delete("iris", "1")
    assert heard == [(1, 1), (2, 2)]


async def test_a_subscriber_that_fails_harms_neither_the_change_nor_the_next_subscriber(
    hub: Hub, register: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def fail(generation: int) -> None:
        raise OSError("the node is not there")

    async def listen(generation: int) -> None:
        heard.append(generation)

    hub.subscribe(fail)
    hub.subscribe(listen)
    assert (await register("iris", "1")).outcome == "created"
    assert heard == [1]
    assert "the node is not there" in caplog.text


@on_sqlite
async def test_a_hub_starts_on_a_backup(hub: Hub, open_hub: Any, register: Any, tmp_path: Path) -> None:
    first = (await register("iris", "1", ONNX)).version
    await hub.backup(tmp_path / "backup")
    second = (await register("iris", "2", models.mlp(4, 8, 2).SerializeToString())).version
    async with open_hub("backup") as restored:
        assert await restored.registry.models() == [first]
    await hub.backup(tmp_path / "backup")
    async with open_hub("backup") as restored:
        assert await restored.registry.models() == [first, second]
        artifact = await restored.registry.artifact(first.sha256)
        assert b"".join([piece async for piece in artifact.read()]) == ONNX


@on_sqlite
async def test_a_backup_beside_changes_is_whole(hub: Hub, open_hub: Any, register: Any, tmp_path: Path) -> None:
    for number in range(3):
        await register("iris", f"{number}", models.mlp(4, number + 1).SerializeToString())

    async def changes() -> None:
        for number in range(3):
            await hub.registry.delete("iris", f"{number}")

    await asyncio.gather(hub.backup(tmp_path / "backup"), changes())
    async with open_hub("backup") as restored:
        for version in await restored.registry.models():
            await restored.registry.artifact(version.sha256)


@on_postgresql
async def test_a_database_that_is_not_the_hubs_own_is_backed_up_with_its_own_tools(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump"):
        await hub.backup(tmp_path / "backup")


@on_postgresql
async def test_two_hubs_on_the_same_stores_are_one_hub(
    hub: Hub, open_hub: Any, register: Any, register_with: Any
) -> None:
    async with open_hub() as other:
        version = (await register("iris", "1", ONNX, stage="production")).version
        assert await other.registry.models() == [version]
        assert b"".join([piece async for piece in (await other.registry.artifact(version.sha256)).read()]) == ONNX
        both = await asyncio.gather(
            *(register_with(at.registry, "iris", f"{number}", ONNX) for number in range(2, 6) for at in (hub, other))
        )
        assert sorted(registered.outcome for registered in both) == ["created"] * 4 + ["unchanged"] * 4
        assert [version.deployment_version for version in await hub.registry.models()] == [1, 2, 3, 4, 5]
        assert await hub.registry.generation() == await other.registry.generation() == 5


async def test_the_hub_never_blocks_the_event_loop(hub: Hub, register: Any, no_blocking: None) -> None:
    await register("iris", "1", ONNX, stage="production")
    await hub.registry.models()
    await hub.registry.delete("iris", "1", force=True)
