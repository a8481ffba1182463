"""Fetches artifacts in verified chunks, and goes on after an interruption where it was."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing

from edge_aiops.base.chunks import CHUNK_BYTES
from edge_aiops.base.errors import StoreError, Unavailable
from edge_aiops.fleet.node.files import Artifact, ModelFiles, Partial
from edge_aiops.fleet.node.sources import Source, SourceFault, Sources

GoOn = Callable[[int], None]
"""Is told how many bytes are there; may raise to end the download, of which nothing is lost."""


class Downloads:
    """Fetches one artifact at a time into the model files."""

    def __init__(self, files: ModelFiles, sources: Sources) -> None:
        self._files = files
        self._sources = sources

    async def fetch(self, artifact: Artifact, *, keep: Collection[str], go_on: GoOn) -> None:
        """Have the artifact, whole and verified.

        `keep`: contents that must not be deleted to make room. Raises `StorageFull`; `StoreError` that names who
        sent what is not the artifact, or else `Unavailable`, if no source gave it.
        """
        partial = await self._files.partial(artifact)
        await self._files.make_room(artifact, partial.offset, keep)
        faults: list[SourceFault] = []
        for source in self._sources:
            if await self._tried(source, artifact, partial, go_on, faults):
                return
        said = "; ".join(fault.message for fault in faults)
        if any(fault.lied for fault in faults):
            raise StoreError(f"artifact {artifact.sha256} came damaged: {said}")
        raise Unavailable(f"artifact {artifact.sha256} cannot be fetched: {said}", retry_after_s=30)

    async def _tried(
        self, source: Source, artifact: Artifact, partial: Partial, go_on: GoOn, faults: list[SourceFault]
    ) -> bool:
        """Ask one source, again as long as that brings something."""
        while True:
            before = partial.offset
            try:
                await _fill(partial, source, artifact, go_on)
                if await partial.finish(artifact.sha256):
                    self._sources.well(source)
                    return True
                raise SourceFault(f"{source.name} sent {artifact.size} bytes that are another content", lied=True)
            except SourceFault as fault:
                if before and not partial.offset:
                    continue  # what was there may have come from another
                if fault.lied or partial.offset <= before:
                    self._sources.failed(source, fault)
                    faults.append(fault)
                    return False


async def _fill(partial: Partial, source: Source, artifact: Artifact, go_on: GoOn) -> None:
    if partial.offset == artifact.size:
        return
    async with (
        source.opened(artifact.sha256, partial.offset) as pieces,
        aclosing(_chunks(pieces, artifact.size - partial.offset)) as chunks,
    ):
        async for chunk in chunks:
            place = partial.offset // CHUNK_BYTES
            if artifact.chunks and await asyncio.to_thread(_digest, chunk) != artifact.chunks[place]:
                raise SourceFault(f"{source.name} sent a chunk {place} that is not what it should be", lied=True)
            await partial.add(chunk)
            go_on(partial.offset)
    if partial.offset < artifact.size:
        raise SourceFault(f"{source.name} ended after {partial.offset} of {artifact.size} bytes")


async def _chunks(pieces: AsyncIterator[bytes], wanted: int) -> AsyncGenerator[bytes]:
    """Whole chunks, and the last one; what comes beyond `wanted` bytes is left where it is."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        while wanted and len(waiting) >= (size := min(CHUNK_BYTES, wanted)):
            yield bytes(waiting[:size])
            del waiting[:size]
            wanted -= size
        if not wanted:
            return


def _digest(chunk: bytes) -> str:
    return hashlib.sha256(chunk).hexdigest()
