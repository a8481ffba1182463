"""A node follows its hub, whatever the hub does."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import Conflict, EdgeAiopsError, Unavailable, Untrusted
from edge_aiops.fleet.node import offers
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.serving.statistics import Vitals

GONE = "http://127.0.0.1:9"


async def test_files_are_fetched_before_the_new_state_is_served(hub: Any, follow: Any) -> None:
    digests = hub.offer(3, b"one", b"two")
    async with follow(hub.url) as node:
        assert node.serves == []
        await node.follower.pull()
        assert node.serves == [("m0", 3), ("m1", 3)]
        assert node.files == sorted(digests)
        assert [deployment.path.read_bytes() for deployment in node.applied[-1]] == [b"one", b"two"]
        assert node.follower.status.generation == 3


async def test_what_has_not_changed_is_not_sent_again(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        await node.follower.pull()
        assert len(node.applied) == 1
    async with follow(hub.url) as node:
        await node.follower.pull()
        assert len(node.applied) == 1
    assert hub.asked == ["desired", hashlib.sha256(b"one").hexdigest(), "(desired)", "(desired)"]


async def test_a_file_that_is_there_already_is_not_fetched_again(hub: Any, follow: Any) -> None:
    (digest,) = hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.offer(2, b"one", b"two")
        await node.follower.pull()
        assert node.serves == [("m0", 2), ("m1", 2)]
    assert hub.asked.count(digest) == 1


async def test_what_was_served_last_is_served_at_once_after_a_restart_without_the_hub(hub: Any, follow: Any) -> None:
    monitoring = {"baselineDistributions": {"x": {"mean": 1, "std": 2}}, "inputSchema": {"x": "number"}}
    told = {"taskType": "classification", "classLabels": ["a", "b"], "capture": {"mode": "none"}, "options": {"x": 1}}
    hub.offer(7, b"one", **told, **monitoring)
    async with follow(hub.url) as node:
        await node.follower.pull()
        before = node.applied[-1]
        assert before[0].baseline_distributions == monitoring["baselineDistributions"]
        assert before[0].input_schema == monitoring["inputSchema"]
    async with follow(GONE) as node:
        assert node.applied == [before]
        assert node.follower.status.generation == 7
        with pytest.raises(Unavailable, match="cannot be reached"):
            await node.follower.pull()
        assert node.applied == [before]
        assert node.follower.status.last_error


async def test_a_lower_generation_is_refused_also_after_a_restart(hub: Any, follow: Any) -> None:
    hub.offer(5, b"five")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.offer(4, b"four")
        with pytest.raises(Conflict, match="generation 4"):
            await node.follower.pull()
        assert node.serves == [("m0", 5)]
        assert "generation 4" in str(node.follower.status.last_error)
    async with follow(hub.url) as node:
        with pytest.raises(Conflict):
            await node.follower.pull()
        assert node.serves == [("m0", 5)]
        hub.offer(6, b"six")
        await node.follower.pull()
        assert node.serves == [("m0", 6)]
        assert node.follower.status.last_error is None


@pytest.mark.parametrize(
    ("damaged", "said"),
    [(b"", "ended after 0 of 3"), (b"on", "ended after 0 of 3"), (b"onE", "damaged"), (b"x" * 2_000_000, "damaged")],
    ids=["empty", "short", "changed", "endless"],
)
async def test_of_a_damaged_artifact_nothing_is_kept_and_the_old_version_answers(
    hub: Any, follow: Any, damaged: bytes, said: str
) -> None:
    (old,) = hub.offer(1, b"zero")
    async with follow(hub.url) as node:
        await node.follower.pull()
        (digest,) = hub.offer(2, b"one")
        hub.artifacts[digest] = damaged
        with pytest.raises(EdgeAiopsError, match=said):
            await node.follower.pull()
        assert (node.serves, node.production, node.files) == ([("m0", 1)], {"m0": ("1", 1)}, [old])
        assert node.states == {"m0:1": "wanted"}
        assert said in node.follower.activations()["m0:1"].reason
        assert said in str(node.follower.status.last_error)
        hub.artifacts[digest] = b"one"
        await node.follower.pull()
        assert (node.serves, node.files, node.states) == ([("m0", 2)], sorted([old, digest]), {"m0:1": "active"})
        assert node.follower.status.last_error is None


async def test_what_comes_after_an_artifact_is_left_where_it_is(hub: Any, follow: Any) -> None:
    (digest,) = hub.offer(1, b"one")
    hub.artifacts[digest] = b"one" + b"x" * 2_000_000
    async with follow(hub.url) as node:
        await node.follower.pull()
        assert (node.folder / digest).read_bytes() == b"one"


async def test_an_artifact_that_the_hub_does_not_have_keeps_only_its_own_version_waiting(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one", b"zero")
    async with follow(hub.url) as node:
        await node.follower.pull()
        (digest, _) = hub.offer(2, b"two", b"three")
        del hub.artifacts[digest]
        with pytest.raises(Unavailable, match="404"):
            await node.follower.pull()
        assert node.serves == [("m0", 1), ("m1", 2)]
        assert node.follower.status.generation == 2


async def test_files_that_nothing_needs_are_deleted_the_least_recently_used_first_when_they_are_too_many(
    hub: Any, follow: Any
) -> None:
    digests = hub.offer(1, b"1" * 400, b"2" * 400, b"3" * 400)
    async with follow(hub.url, max_bytes=900) as node:
        await node.follower.pull()
        assert node.files == sorted(digests)  # all are needed, however many bytes they have
        for number, digest in enumerate(digests):
            os.utime(node.folder / digest, (1_000 - number, 1_000 - number))
        hub.offer(2)
        await node.follower.pull()
        assert node.files == sorted(digests[:2])
        hub.offer(3, b"2" * 400, b"4" * 400)
        await node.follower.pull()
        assert node.files == sorted([digests[1], hashlib.sha256(b"4" * 400).hexdigest()])
    assert hub.asked.count(digests[1]) == 1


async def test_what_may_come_back_is_never_deleted(hub: Any, follow: Any) -> None:
    (old,) = hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        (new,) = hub.offer(2, b"two")
        await node.follower.pull()
        assert node.files == sorted([old, new])
        node.engine.vital = Vitals(100, 0)
        await node.activator.judge()
        await node.follower.pull()
        assert node.files == [new]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"schema": 1, "generation": 1}',
        b'{"schema": 2, "generation": 1, "models": []}',
        b'{"schema": 1, "generation": -1, "models": []}',
        b'{"schema": 1, "generation": 99999999999999999999999, "models": []}',
        b'{"schema": 1, "generation": 1, "models": "\xff"}',
        b'{"schema": 1, "generation": 1, "models": ' + b"[" * 100_000,
    ],
)
async def test_a_desired_state_that_cannot_be_read_changes_nothing(hub: Any, follow: Any, body: bytes) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.body, hub.etag = body, '"other"'
        with pytest.raises(Unavailable, match="desired state"):
            await node.follower.pull()
        assert node.serves == [("m0", 1)]


@pytest.mark.parametrize(
    "digest",
    [
        "../../escaped",
        "/tmp/escaped",
        "..",
        ".",
        "",
        "A" * 64,
        "0" * 63,
        "0" * 64 + "\n",
        "0" * 64 + "/../x",
        "0" * 64 + "\0",
    ],
)
async def test_a_digest_that_is_a_path_is_refused(hub: Any, follow: Any, digest: str, tmp_path: Path) -> None:
    hub.offer(1, b"one")
    hub.state["models"][0]["sha256"] = digest
    async with follow(hub.url) as node:
        with pytest.raises(Unavailable, match="sha256"):
            await node.follower.pull()
        assert (node.serves, node.files) == ([], [])
    assert hub.asked == ["desired"]


async def test_a_desired_state_that_never_ends_is_refused(
    hub: Any, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "MOST_STATE_BYTES", 100_000)
    hub.body = b" " * 1_000_000
    async with follow(hub.url) as node:
        with pytest.raises(Unavailable, match="larger"):
            await node.follower.pull()


async def test_what_the_hub_has_not_signed_is_not_accepted_and_what_was_served_goes_on(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.signs = msgspec.json.encode(hub.state)
        hub.offer(2, b"evil")
        with pytest.raises(Untrusted, match="arbitrary software"):
            await node.follower.pull()
        assert "arbitrary software" in node.follower.status.last_error
        assert (node.follower.generation, node.serves) == (1, [("m0", 1)])
        hub.signs = None
        await node.follower.pull()
        assert (node.follower.generation, node.follower.status.last_error) == (2, None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503])
async def test_a_hub_that_refuses_changes_nothing(hub: Any, follow: Any, status: int) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.status, hub.etag = status, '"other"'
        with pytest.raises(Unavailable, match=str(status)):
            await node.follower.pull()
        assert node.serves == [("m0", 1)]
        assert str(status) in str(node.follower.status.last_error)


async def test_a_model_whose_file_is_gone_waits_for_the_hub_and_the_others_are_served(hub: Any, follow: Any) -> None:
    (lost, _) = hub.offer(4, b"one", b"two")
    async with follow(hub.url) as node:
        await node.follower.pull()
        (node.folder / lost).unlink()
    async with follow(hub.url) as node:
        assert node.serves == [("m1", 4)]
        await node.follower.reach(4)
        assert node.serves == [("m0", 4), ("m1", 4)]


async def test_a_saved_state_that_cannot_be_read_is_asked_for_again_and_never_keeps_the_node_from_starting(
    hub: Any, follow: Any, tmp_path: Path
) -> None:
    served: list[tuple[str, int]] = []
    for body in (b"\xff", b"{}", msgspec.json.encode({"schema": 9, "generation": 3, "models": []})):
        state = await NodeState.open(tmp_path / "node", clock=SystemClock())
        await state.save_desired(SavedDesired(3, '"3"', body))
        await state.close()
        hub.offer(2, b"old")
        async with follow(hub.url) as node:
            assert node.serves == served
            with pytest.raises(Conflict):
                await node.follower.pull()
            hub.offer(3, b"one")
            await node.follower.reach(3)
            assert node.serves == [("m0", 3)]
        served = [("m0", 3)]  # what was brought to service is known beside the state


async def test_reaching_a_generation_that_is_applied_asks_nobody(hub: Any, follow: Any) -> None:
    hub.offer(4, b"one")
    async with follow(hub.url) as node:
        await node.follower.pull()
        hub.asked.clear()
        await node.follower.reach(4)
        await node.follower.reach(3)
        assert hub.asked == []


async def test_pulls_at_the_same_time_follow_one_another(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        await asyncio.gather(*(node.follower.pull() for _ in range(5)))
        assert len(node.applied) == 1
    assert hub.asked.count("desired") == 1


async def test_a_pull_that_is_cancelled_leaves_no_half_file(hub: Any, follow: Any) -> None:
    (digest,) = hub.offer(1, b"x" * 3_000_000)
    async with follow(hub.url) as node:
        pull = asyncio.create_task(node.follower.pull())
        while digest not in hub.asked:  # noqa: ASYNC110  # the request has no event
            await asyncio.sleep(0)
        pull.cancel()
        await asyncio.wait([pull])
        assert node.files in ([], [digest])
        await node.follower.pull()
        assert node.files == [digest]


async def test_half_files_that_nobody_wants_any_more_are_deleted(hub: Any, follow: Any, tmp_path: Path) -> None:
    folder = tmp_path / "node" / "models"
    folder.mkdir(parents=True)
    (folder / ("0" * 64 + ".partial")).write_bytes(b"half")
    async with follow(hub.url) as node:
        await node.follower.pull()
        assert node.files == []


async def test_a_folder_that_cannot_be_written_is_told_as_an_error_of_ours(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one")
    async with follow(hub.url) as node:
        node.folder.rmdir()
        with pytest.raises(EdgeAiopsError, match="model file"):
            await node.follower.pull()
        assert node.follower.status.last_error


async def test_an_artifact_larger_than_the_disk_is_refused_before_it_is_fetched(hub: Any, follow: Any) -> None:
    hub.offer(1, b"one", size=2**60)
    async with follow(hub.url) as node:
        with pytest.raises(EdgeAiopsError, match="no space"):
            await node.follower.pull()
        assert node.files == []


async def test_a_node_keeps_its_identity(tmp_path: Path) -> None:
    identities = []
    for _ in range(2):
        state = await NodeState.open(tmp_path, clock=SystemClock())
        identities.append(await state.identity())
        await state.close()
    assert identities[0] == identities[1]
    assert len(identities[0].node_id) == 32
    assert len(identities[0].capture_key) == 32
