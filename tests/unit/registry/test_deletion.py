"""Deleting versions, and the artifacts that then belong to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_aiops.base.errors import Conflict, NotFound, UnknownModel
from edge_aiops.registry.registry import Registry
from tests.hub_stores import Stores

Register = Any
StoredFiles = Any


async def test_a_deleted_version_is_gone_with_its_artifact(
    register: Register, registry: Registry, stored_files: StoredFiles
) -> None:
    version = (await register("iris", "1")).version
    assert await registry.delete("iris", "1") == version
    for gone in (registry.get("iris", "1"), registry.versions("iris"), registry.delete("iris", "1")):
        with pytest.raises(UnknownModel):
            await gone
    with pytest.raises(NotFound):
        await registry.artifact(version.sha256)
    assert await stored_files() == []


async def test_an_artifact_lasts_as_long_as_one_version_has_it(
    register: Register, registry: Registry, stored_files: StoredFiles
) -> None:
    await register("iris", "1")
    await register("other", "1")
    await registry.delete("iris", "1")
    assert len(await stored_files()) == 1
    await registry.delete("other", "1")
    assert await stored_files() == []


async def test_a_deployment_version_is_never_used_again(register: Register, registry: Registry) -> None:
    for expected in (1, 2, 3):
        assert (await register("iris", "1")).version.deployment_version == expected
        await registry.delete("iris", "1")
    assert (await register("iris", "2")).version.deployment_version == 4


async def test_the_version_in_production_is_deleted_only_by_force(register: Register, registry: Registry) -> None:
    await register("iris", "1", stage="production")
    with pytest.raises(Conflict, match="in production"):
        await registry.delete("iris", "1")
    assert (await registry.active("iris")).model_version == "1"
    await registry.delete("iris", "1", force=True)
    assert await registry.models() == []


async def test_deleting_and_registering_the_same_content_at_once_loses_no_artifact(
    register: Register, registry: Registry, stored_files: StoredFiles
) -> None:
    for number in range(8):
        await register("iris", f"{number}")
        await asyncio.gather(
            registry.delete("iris", f"{number}"), register("other", f"{number}"), registry.collect(), registry.collect()
        )
        [kept] = await registry.models()
        assert await stored_files() == [kept.sha256]
        await registry.delete("other", f"{number}")


async def test_artifacts_that_no_version_has_are_collected(
    register: Register, registry: Registry, stores: Stores, stored_files: StoredFiles
) -> None:
    version = (await register("iris", "1")).version
    store = await stores.open_artifacts()
    async with store.stage(left_by_a_hub_that_died(), max_bytes=100) as orphan:
        await store.put(orphan)
    assert sorted(await stored_files()) == sorted([version.sha256, orphan.sha256])
    await registry.collect()
    assert await stored_files() == [version.sha256]


async def left_by_a_hub_that_died() -> AsyncIterator[bytes]:
    yield b"before its commit"
