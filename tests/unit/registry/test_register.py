"""Registering: new versions, repetitions, replacements, stages, and many at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_aiops.base.errors import BackendUnavailable, Conflict, InvalidInput, TooLarge, UnknownModel
from edge_aiops.registry.messages import registration_from, registration_of
from edge_aiops.registry.registry import Registered, Registry

Register = Any
StoredFiles = Any


async def test_a_registered_version_tells_everything_but_its_content(register: Register, registry: Registry) -> None:
    done = await register("iris", "1", taskType="classification", tags=["flowers"], options={"outputs": [[None, 3]]})
    assert done.outcome == "created"
    version = done.version
    assert (version.deployment_version, version.stage, version.size_bytes) == (1, "candidate", 4)
    assert version.sha256 == hashlib.sha256(b"FAKE").hexdigest()
    assert version.signature.inputs[0].shape == (None, 4)
    assert version.registered_at == version.updated_at > 1_700_000_000_000
    assert await registry.get("iris", "1") == version
    assert await registry.models() == [version]
    assert await registry.versions("iris") == [version]
    artifact = await registry.artifact(version.sha256)
    assert b"".join([piece async for piece in artifact.read(start=1)]) == b"AKE"


async def test_a_backend_without_artifacts_is_registered_by_its_options(register: Register) -> None:
    version = (await register("llm", "1", None, framework="configured", options={"outputs": [[None, 9]]})).version
    assert (version.sha256, version.size_bytes) == (None, 0)
    assert version.signature.outputs[0].shape == (None, 9)


async def test_the_catalogue_survives_a_restart(open_registry: Any, register_with: Any) -> None:
    async with open_registry() as registry:
        before = (await register_with(registry, "iris", "1", capture={"mode": "hashed", "fields": ["name"]})).version
    async with open_registry() as registry:
        assert await registry.get("iris", "1") == before
        assert (await register_with(registry, "iris", "2")).version.deployment_version == 2


@pytest.mark.parametrize("stage", ["candidate", "staging", "production", "archived"])
async def test_registering_the_same_again_changes_nothing(
    register: Register, registry: Registry, announced: list[int], stage: str
) -> None:
    first = await register("iris", "1", stage=stage, tags=["a"])
    again = await register("iris", "1", tags=["a"])
    assert again == Registered(first.version, "unchanged")
    assert await registry.generation() == 1
    assert announced == [1]


@pytest.mark.parametrize(("content", "fields"), [(b"FAKE 2", {}), (b"FAKE", {"description": "better"})])
async def test_a_candidate_is_replaced_and_counts_as_another_deployment(
    register: Register, stored_files: StoredFiles, content: bytes, fields: dict[str, str]
) -> None:
    await register("iris", "1", b"FAKE")
    done = await register("iris", "1", content, **fields)
    assert (done.outcome, done.version.deployment_version) == ("replaced", 2)
    assert await stored_files() == [hashlib.sha256(content).hexdigest()]


@pytest.mark.parametrize("stage", ["staging", "production", "archived"])
@pytest.mark.parametrize(("content", "fields"), [(b"FAKE 2", {}), (b"FAKE", {"description": "better"})])
async def test_a_version_past_candidate_is_never_replaced(
    register: Register,
    registry: Registry,
    stored_files: StoredFiles,
    stage: str,
    content: bytes,
    fields: dict[str, str],
) -> None:
    first = await register("iris", "1", stage=stage)
    with pytest.raises(Conflict, match="register this as another version"):
        await register("iris", "1", content, stage=stage, **fields)
    assert await registry.get("iris", "1") == first.version
    assert len(await stored_files()) == 1


async def test_registering_the_same_in_a_later_stage_moves_it_there(register: Register) -> None:
    first = (await register("iris", "1")).version
    done = await register("iris", "1", stage="production")
    assert done.outcome == "advanced"
    assert (done.version.stage, done.version.deployment_version) == ("production", 1)
    assert done.version.updated_at > done.version.registered_at == first.registered_at


async def test_an_archived_version_does_not_come_back(register: Register) -> None:
    await register("iris", "1", stage="archived")
    with pytest.raises(Conflict, match="archived"):
        await register("iris", "1", stage="production")


async def test_a_model_has_one_version_in_production(register: Register, registry: Registry) -> None:
    await register("other", "1", stage="production")
    with pytest.raises(UnknownModel):
        await registry.active("iris")
    for version in ("1", "2", "3"):
        await register("iris", version, stage="production")
        assert (await registry.active("iris")).model_version == version
    stages = [(version.model_version, version.stage) for version in await registry.versions("iris")]
    assert stages == [("1", "archived"), ("2", "archived"), ("3", "production")]
    assert (await registry.active("other")).model_version == "1"
    await register("new", "1")
    with pytest.raises(UnknownModel, match="no version in production"):
        await registry.active("new")


async def test_the_list_is_filtered(register: Register, registry: Registry) -> None:
    await register("a", "1", taskType="classification")
    await register("a", "2", stage="production")
    await register("b", "1", None, framework="configured", taskType="classification")

    async def listed(**filters: Any) -> list[str]:
        return [f"{version.model_name}{version.model_version}" for version in await registry.models(**filters)]

    assert await listed() == ["a1", "a2", "b1"]
    assert await listed(stage="production") == ["a2"]
    assert await listed(framework="configured") == ["b1"]
    assert await listed(task_type="classification") == ["a1", "b1"]
    assert await listed(task_type="classification", framework="fake") == ["a1"]
    assert await listed(stage="archived") == []


@pytest.mark.parametrize(
    ("fields", "content", "blamed"),
    [
        ({"modelName": "Iris"}, b"FAKE", "modelName"),
        ({"modelName": "../../etc"}, b"FAKE", "modelName"),
        ({"modelVersion": ".1"}, b"FAKE", "modelVersion"),
        ({"modelVersion": "active"}, b"FAKE", "modelVersion"),
        ({"framework": "../x"}, b"FAKE", "framework"),
        ({"framework": "configurd"}, b"FAKE", "framework"),
        ({"trust": "code", "isolation": "inline"}, b"FAKE", "isolation"),
        ({}, None, "artifact"),
        ({}, b"", "artifact"),
        ({"framework": "configured"}, b"FAKE", "artifact"),
    ],
)
async def test_what_is_wrong_on_the_face_of_it_is_refused_by_name(
    register: Register,
    registry: Registry,
    stored_files: StoredFiles,
    fields: dict[str, str],
    content: bytes | None,
    blamed: str,
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await register("iris", "1", content, **fields)
    assert [field for field, _ in caught.value.fields] == [blamed]
    assert (await registry.models(), await stored_files()) == ([], [])


@pytest.mark.parametrize(
    ("framework", "remedy"),
    [("absent", "no_such_framework, which is not installed"), ("keras", "pip install edge-aiops-keras")],
)
async def test_a_framework_that_is_not_here_is_refused_with_its_remedy(
    register: Register, framework: str, remedy: str
) -> None:
    with pytest.raises(BackendUnavailable, match=remedy):
        await register("iris", "1", framework=framework)


async def test_an_artifact_over_the_limit_is_refused(register: Register, stored_files: StoredFiles) -> None:
    with pytest.raises(TooLarge, match=r"http\.max_upload_bytes"):
        await register("iris", "1", b"FAKE" * 5_000)
    assert await stored_files() == []


async def test_many_registrations_of_one_version_at_once_are_one_registration(
    register: Register, registry: Registry, stored_files: StoredFiles
) -> None:
    done = await asyncio.gather(*(register("iris", "1") for _ in range(6)))
    assert sorted(one.outcome for one in done) == ["created"] + ["unchanged"] * 5
    assert all(one.version == done[0].version for one in done)
    assert await registry.generation() == 1
    assert len(await stored_files()) == 1


async def test_different_registrations_of_one_version_at_once_leave_one_whole(
    register: Register, registry: Registry, stored_files: StoredFiles
) -> None:
    done = await asyncio.gather(*(register("iris", "1", b"FAKE %d" % number) for number in range(6)))
    assert sorted(one.version.deployment_version for one in done) == [1, 2, 3, 4, 5, 6]
    last = max((one.version for one in done), key=lambda version: version.deployment_version)
    assert await registry.models() == [last]
    assert await stored_files() == [last.sha256]


async def test_productions_registered_at_once_leave_one(register: Register, registry: Registry) -> None:
    await asyncio.gather(*(register("iris", str(number), stage="production") for number in range(4)))
    stages = sorted(version.stage for version in await registry.versions("iris"))
    assert stages == ["archived"] * 3 + ["production"]


async def test_each_change_raises_the_generation_and_is_announced(
    register: Register, registry: Registry, announced: list[int]
) -> None:
    assert await registry.generation() == 0
    await register("iris", "1")
    await register("iris", "1", stage="staging")
    await register("iris", "2")
    await registry.delete("iris", "2")
    assert announced == [1, 2, 3, 4]
    assert await registry.generation() == 4


async def test_a_registration_whose_sender_breaks_off_leaves_nothing(
    registry: Registry, stored_files: StoredFiles
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"FAKE"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with registry.upload(broken()) as upload:
            await registry.register(
                registration_from({"modelName": "iris", "modelVersion": "1", "framework": "fake"}), upload
            )
    assert (await registry.models(), await stored_files()) == ([], [])


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.05, 0.2, 0.5, 0.8])
async def test_a_registration_cancelled_at_any_time_is_whole_or_not_there(
    register: Register, registry: Registry, stored_files: StoredFiles, after_s: float
) -> None:
    task = asyncio.create_task(register("iris", "1"))
    await asyncio.sleep(after_s)
    task.cancel()
    await asyncio.wait([task])
    registered = [version.sha256 for version in await registry.models()]
    assert await stored_files() == registered
    assert (await register("iris", "1")).version.deployment_version == 1


async def test_what_a_version_was_registered_with_registers_it_again(register: Register, registry: Registry) -> None:
    version = (await register("llm", "1", None, framework="configured", tags=["x"], stage="staging")).version
    assert await registry.register(registration_of(version)) == Registered(version, "unchanged")


async def test_distributions_that_mean_nothing_are_refused_by_name(register: Register, registry: Registry) -> None:
    with pytest.raises(InvalidInput, match=r"baselineDistributions\.width: the keys 'mean' make none of") as refused:
        await register("iris", "1", baselineDistributions={"width": {"mean": 1}, "height": {"mean": 1, "std": 2}})
    assert [blamed.field for blamed in refused.value.fields] == ["baselineDistributions.width"]
    assert await registry.models() == []
    await register("iris", "1", baselineDistributions={"width": {"mean": 1, "std": 1}})
