"""Uploads on their way into the artifact store: hashed while they are written, gone when they fail."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from edge_aiops.base.chunks import ChunkDigests
from edge_aiops.base.disk import is_full
from edge_aiops.base.errors import StorageFull, StoreError, TooLarge
from edge_aiops.store.shared.uninterrupted import uninterrupted

_WRITE_BYTES = 1024 * 1024
_SUFFIX = ".upload"


class StagedUpload(Struct, frozen=True):
    """A complete upload, on disk under `path` but not in the store yet."""

    path: Path
    sha256: str
    size_bytes: int
    chunks: tuple[str, ...] = ()
    """SHA-256 of each `CHUNK_BYTES`."""


@asynccontextmanager
async def staged(folder: Path, chunks: AsyncIterable[bytes], *, max_bytes: int) -> AsyncIterator[StagedUpload]:
    """Write `chunks` to a temporary file in `folder` that lasts as long as the block.

    Raises `TooLarge` as soon as more than `max_bytes` have come, and `StorageFull`.
    """
    file = _TemporaryFile(folder / (secrets.token_hex(16) + _SUFFIX))
    try:
        await uninterrupted(asyncio.to_thread(file.create))
        yield await _written(file, chunks, max_bytes=max_bytes)
    finally:
        await uninterrupted(asyncio.to_thread(file.discard))


def sweep(folder: Path) -> None:
    """Delete what uploads left in `folder` when their process died; those still under way elsewhere stay."""
    for path in folder.glob("*" + _SUFFIX):
        with suppress(FileNotFoundError), path.open("rb") as file:
            if _locked(file):
                path.unlink()


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise `StorageFull` for the errors of the operating system that say so."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageFull("no space left for artifacts; free some on the hub", retry_after_s=30) from error
        raise


async def _written(file: _TemporaryFile, chunks: AsyncIterable[bytes], *, max_bytes: int) -> StagedUpload:
    waiting = bytearray()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge.of("artifact", f"it is larger than http.max_upload_bytes allows, {max_bytes} bytes")
        waiting += chunk
        if len(waiting) >= _WRITE_BYTES:
            await uninterrupted(asyncio.to_thread(file.append, bytes(waiting)))
            waiting.clear()
    await uninterrupted(asyncio.to_thread(file.append, bytes(waiting), last=True))
    return StagedUpload(file.path, file.digests.sha256, size, file.digests.chunks)


class _TemporaryFile:
    """The file of an upload under way; its methods block, and are called one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digests = ChunkDigests()
        """Of what was appended so far."""
        self._file: BinaryIO | None = None

    def create(self) -> None:
        with disk_errors():
            self._file = self.path.open("xb", buffering=0)
        # The lock tells a sweep, in this process or in another, that somebody is still at it.
        if not _locked(self._file):
            raise StoreError("an upload's temporary file was swept away as it was made; try again")

    def append(self, data: bytes, *, last: bool = False) -> None:
        assert self._file
        self.digests.add(data)
        with disk_errors():
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
            if last:
                os.fsync(self._file.fileno())

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._file:
            self._file.close()


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
