"""Finds out what nodes are told of versions that were registered by a program that did not tell it yet."""

from __future__ import annotations

import asyncio
from functools import partial

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.chunks import ChunkDigests
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database


async def complete_chunks(database: Database, artifacts: ArtifactStore) -> int | None:
    """Add the digests of the chunks of every artifact that has none; gives the new generation, None without a change.

    Raises `NotFound` for an artifact that was deleted meanwhile; what was done until then stays.
    """
    generation = None
    for sha256 in sorted(await database.read(_without_chunks)):
        digests = ChunkDigests()
        async for piece in artifacts.read(sha256):
            await asyncio.to_thread(digests.add, piece)
        generation = await database.change(partial(_added, sha256=sha256, chunks=digests.chunks))
    return generation


async def _without_chunks(work: AsyncConnection) -> set[str]:
    trials = await catalogue.trials(work)
    complete = {names for names, trial in trials.items() if trial.chunks}
    return {
        version.sha256
        for version in await catalogue.matching(work, {})
        if version.sha256 and version.size_bytes and (version.model_name, version.model_version) not in complete
    }


async def _added(work: AsyncConnection, sha256: str, chunks: tuple[str, ...]) -> int:
    await catalogue.lock(work)
    for version in await catalogue.matching(work, {"sha256": sha256}):
        trial = await catalogue.trial(work, version.model_name, version.model_version)
        await catalogue.put(work, version, replace(trial, chunks=chunks))
    return await catalogue.raise_generation(work)
