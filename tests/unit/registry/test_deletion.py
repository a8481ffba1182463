"""Deleting versions, and the artifacts that then belong to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import Conflict, NotFound, UnknownModel
from edge_aiops.registry.registry import Registry

Register = Any


async def test_a_deleted_version_is_gone_with_its_artifact(
    register: Register, registry: Registry, stored_files: Callable[[], list[Path]]
) -> None:
    version = (await register("iris", "1")).version
    assert await registry.delete("iris", "1") == version
    for gone in (registry.get("iris", "1"), registry.versions("iris"), registry.delete("iris", "1")):
        with pytest.raises(UnknownModel):
            await gone
    with pytest.raises(NotFound):
        await registry.artifact(version.sha256)
    assert stored_files() == []


async def test_an_artifact_lasts_as_long_as_one_version_has_it(
    register: Register, registry: Registry, stored_files: Callable[[], list[Path]]
) -> None:
    await register("iris", "1")
    await register("other", "1")
    await registry.delete("iris", "1")
    assert len(stored_files()) == 1
    await registry.delete("other", "1")
    assert stored_files() == []


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
    register: Register, registry: Registry, stored_files: Callable[[], list[Path]]
) -> None:
    for number in range(8):
        await register("iris", f"{number}")
        await asyncio.gather(
            registry.delete("iris", f"{number}"), register("other", f"{number}"), registry.collect(), registry.collect()
        )
        [kept] = await registry.models()
        assert [path.name for path in stored_files()] == [kept.sha256]
        await registry.delete("other", f"{number}")


async def test_artifacts_that_no_version_has_are_collected(
    register: Register, registry: Registry, stored_files: Callable[[], list[Path]]
) -> None:
    version = (await register("iris", "1")).version
    artifact = await registry.artifact(version.sha256)
    orphan = artifact.path.parent.parent / "ab" / ("ab" * 32)
    orphan.parent.mkdir()
    orphan.write_bytes(b"left by a hub that died before its commit")
    await registry.collect()
    assert stored_files() == [artifact.path]
