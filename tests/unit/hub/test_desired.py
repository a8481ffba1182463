"""The desired state that the hub tells its nodes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from edge_aiops.fleet.hub.desired import desired_state
from edge_aiops.fleet.messages.desired import DesiredState
from edge_aiops.hub.hub import Hub
from edge_aiops.journal.capture import CapturePolicy


async def test_the_desired_state_holds_every_version_that_is_not_archived(hub: Hub, register: Any) -> None:
    await register("a", "1", stage="production", capture={"mode": "none"}, options={"delayMs": 5})
    await register("a", "2", stage="production", featureNames=["w", "x", "y", "z"], taskType="classification")
    await register("a", "3")
    desired = (await desired_state(hub.registry, hub.configurations)).state
    assert (desired.schema, desired.generation) == (1, 3)
    assert [(model.version, model.stage, model.deployment) for model in desired.models] == [
        ("2", "production", 2),
        ("3", "candidate", 3),
    ]
    production = desired.models[0]
    assert (production.framework, production.sha256, production.size) == ("echo", None, 0)
    assert production.feature_names == ("w", "x", "y", "z")
    assert production.task_type == "classification"
    assert production.signature and production.signature.inputs[0].shape == (None, 4)
    assert production.capture == CapturePolicy()


async def test_the_etag_is_the_generation_and_the_digest_of_the_body(hub: Hub, register: Any) -> None:
    empty = await desired_state(hub.registry, hub.configurations)
    assert empty.etag == f"0-{hashlib.sha256(empty.body).hexdigest()}"
    await register("a", "1")
    first = await desired_state(hub.registry, hub.configurations)
    assert first.etag.startswith("1-")
    assert first == await desired_state(hub.registry, hub.configurations)
    assert msgspec.json.decode(first.body, type=DesiredState) == first.state


async def test_the_body_is_written_in_camel_case(hub: Hub, register: Any) -> None:
    known = {"baselineDistributions": {"w": {"mean": 0.0, "std": 1.0}}, "inputSchema": {"w": "number"}}
    await register("a", "1", classLabels=["w", "x", "y", "z"], **known)
    [model] = msgspec.json.decode((await desired_state(hub.registry, hub.configurations)).body)["models"]
    assert model["classLabels"] == ["w", "x", "y", "z"]
    assert {"featureNames", "taskType", "capture", "signature", "sha256", "size"} <= model.keys()
    assert {name: model[name] for name in known} == known


async def test_the_etag_survives_a_restart(open_hub: Any, register_with: Any) -> None:
    async with open_hub() as hub:
        await register_with(hub.registry, "a", "1", options={"inputs": [], "delayMs": 1.5})
        before = (await desired_state(hub.registry, hub.configurations)).etag
    async with open_hub() as hub:
        assert (await desired_state(hub.registry, hub.configurations)).etag == before
