"""What nodes are told of a version beside the catalogue: digests of its chunks, and what it answered in its trial."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.chunks import CHUNK_BYTES, ChunkDigests
from edge_aiops.base.errors import InvalidInput, UnknownModel
from edge_aiops.registry import catalogue
from edge_aiops.registry.messages import Trial
from edge_aiops.registry.registry import Registry
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database


async def test_a_version_has_chunk_digests_and_says_why_it_has_no_golden_test(
    register: Any, registry: Registry
) -> None:
    version = (await register("iris", "1")).version
    (trial,) = (await registry.snapshot()).trials.values()
    assert trial.chunks == (hashlib.sha256(b"FAKE").hexdigest(),)
    assert trial.golden is None
    assert version.golden_test == "its output 'output0' is missing"


async def test_they_stay_when_the_stage_moves_and_when_nodes_are_asked_to_try_again(
    register: Any, registry: Registry, announced: list[int]
) -> None:
    await register("iris", "1")
    before = (await registry.snapshot()).trials
    await register("iris", "1", stage="production")
    again = await registry.retry("iris", "1")
    assert (again.retries, again.stage, announced) == (1, "production", [1, 2, 3])
    assert (await registry.snapshot()).trials == before
    assert (await register("iris", "1", stage="production")).outcome == "unchanged"
    with pytest.raises(UnknownModel):
        await registry.retry("iris", "2")


ECHOED = {"datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"output0": ECHOED}, "golden: the model does not pass it: output 'output0' is missing"),
        ({"nothing": ECHOED}, "golden.outputs: the model has no output 'nothing'"),
    ],
)
async def test_a_model_that_does_not_pass_the_golden_test_that_came_with_it_is_refused(
    register: Any, registry: Registry, outputs: Any, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        await register("iris", "1", golden={"inputs": {"input0": ECHOED}, "outputs": outputs})
    assert await registry.models() == []


async def test_digests_are_of_each_chunk_however_the_bytes_come(tmp_path: Path) -> None:
    content = bytes(range(256)) * (CHUNK_BYTES // 256) + b"the end"

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(content), 1_000_003):
            yield content[place : place + 1_000_003]

    store = await ArtifactStore.open(tmp_path)
    async with store.stage(pieces(), max_bytes=len(content)) as staged:
        assert staged.sha256 == hashlib.sha256(content).hexdigest()
        assert staged.chunks == tuple(
            hashlib.sha256(part).hexdigest() for part in (content[:CHUNK_BYTES], content[CHUNK_BYTES:])
        )
    assert ChunkDigests().chunks == ()


async def test_versions_from_before_there_were_digests_get_them_once(
    open_registry: Any, register_with: Any, announced: list[int], stores: Any
) -> None:
    async with open_registry() as registry:
        version = (await register_with(registry, "iris", "1")).version
    async with Database.open(stores.database) as database:
        await database.change(lambda work: catalogue.put(work, version, Trial()))
    async with open_registry() as registry:
        await registry.complete()
        await registry.complete()
        (trial,) = (await registry.snapshot()).trials.values()
    assert trial.chunks == (hashlib.sha256(b"FAKE").hexdigest(),)
    assert announced == [1, 2]
