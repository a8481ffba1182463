"""A node and its hub on one machine, over the protocol that they also speak between machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_aiops.testing.models import gemm_softmax


async def test_what_was_served_is_served_at_once_after_a_restart(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register("a", "1", gemm_softmax(4, 3, seed=1), stage="production", classLabels=["x", "y", "z"])
        await client.register("b", "2", framework="echo")
        before = await client.predict("a")
    async with serve(tmp_path) as client:
        after = await client.predict("a")
        assert (after["prediction"], after["label"]) == (before["prediction"], before["label"])
        assert (await client.predict("b"))["modelVersion"] == "2"
        ids = [event["inferenceId"] for event in (await client.get("/events")).body["events"]]
        assert ids[1:] == [after["inferenceId"], before["inferenceId"]]


async def test_a_node_whose_files_are_gone_fetches_them_again_from_its_hub(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register("a", "1")
        before = await client.predict("a")
    for path in (tmp_path / "node" / "models").iterdir():
        path.unlink()
    async with serve(tmp_path) as client:
        assert (await client.predict("a"))["prediction"] == before["prediction"]


async def test_a_node_that_lost_everything_is_made_whole_by_its_hub(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register("a", "1")
        await client.predict("a")
    (tmp_path / "node").rename(tmp_path / "lost")
    async with serve(tmp_path) as client:
        assert (await client.predict("a"))["deploymentVersion"] == 1
        assert len((await client.get("/events")).body["events"]) == 1


async def test_a_hub_that_lost_everything_does_not_stop_its_node(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register("a", "1")
        await client.predict("a")
    (tmp_path / "hub").rename(tmp_path / "lost")
    async with serve(tmp_path) as client:
        assert (await client.predict("a"))["deploymentVersion"] == 1
        assert (await client.get("/models")).body == []


async def test_the_desired_state_is_told_once_to_who_remembers_its_tag(client: Any) -> None:
    await client.register("a", "1")
    node = await client.as_node()
    answer = await node.get("/fleet/desired")
    assert answer.body["generation"] == 1
    assert [model["name"] for model in answer.body["models"]] == ["a"]
    tag = answer.headers["ETag"]
    for remembered in (tag, f'"other", {tag}', "*"):
        again = await node.get("/fleet/desired", headers={"If-None-Match": remembered})
        assert (again.status, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert (await node.get("/fleet/desired", headers={"If-None-Match": '"other"'})).status == 200
    await client.register("a", "2")
    assert (await node.get("/fleet/desired", headers={"If-None-Match": tag})).status == 200


@pytest.mark.parametrize("tag", ["", "garbage", '"unclosed', "W/", "," * 5000])
async def test_a_tag_that_is_none_is_ignored_or_refused(client: Any, tag: str) -> None:
    node = await client.as_node()
    answer = await node.get("/fleet/desired", headers={"If-None-Match": tag})
    assert answer.status in (200, 400)


async def test_a_registration_is_served_when_it_is_answered_and_a_deletion_no_more(client: Any) -> None:
    for version in range(1, 6):
        registered = await client.register("a", str(version), framework="echo", stage="production")
        answer = await client.predict("a")
        assert (answer["modelVersion"], answer["deploymentVersion"]) == (str(version), registered["deploymentVersion"])
    assert (await client.call("DELETE", "/models/a/5")).problem == (409, "conflict")
    assert (await client.call("DELETE", "/models/a/5?force=true")).status == 200
    assert (await client.post("/predict", {"modelName": "a", "features": [1, 2, 3, 4]})).problem[0] == 404
