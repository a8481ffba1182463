"""The model files of a node: one file per content, named by its SHA-256."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import BinaryIO, TypeVar

from edge_aiops.base.disk import flush, is_full
from edge_aiops.base.errors import StorageFull, StoreError

T = TypeVar("T")

_SPARE_SHARE = 0.2
_PARTIAL = ".partial"


class ModelFiles:
    """A folder of immutable files. Blocking work is done in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for partial in folder.glob(f"*{_PARTIAL}"):
            partial.unlink()

    def path(self, sha256: str) -> Path:
        """Where the content is, or would be."""
        return self._folder / sha256

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    async def receive(self, sha256: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Keep the content that `chunks` bring, if it is what it should be.

        Checked: free space (`size` bytes and a fifth), length, digest. The file appears whole or not at all.
        Raises `StorageFull`, or `StoreError` that says what differs.
        """
        usage = await _in_thread(shutil.disk_usage, self._folder)
        if usage.free < size * (1 + _SPARE_SHARE):
            raise StorageFull(f"no space for a model of {size} bytes in {self._folder}", retry_after_s=60)
        partial = self.path(sha256 + _PARTIAL)
        try:
            with await _in_thread(partial.open, "wb") as file:
                digest, length = hashlib.sha256(), 0
                async for chunk in chunks:
                    length += len(chunk)
                    if length > size:
                        break
                    digest.update(chunk)
                    await _in_thread(file.write, chunk)
                if length != size or digest.hexdigest() != sha256:
                    raise StoreError(f"artifact {sha256} came damaged: {length} of {size} bytes, {digest.hexdigest()}")
                await _in_thread(_flushed, file)
            await _in_thread(_appear, partial, self.path(sha256))
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def collect(self, keep: Collection[str]) -> None:
        """Delete every file whose digest is not in `keep`."""
        for file in self._folder.iterdir():
            if file.is_file() and file.name not in keep and not file.name.endswith(_PARTIAL):
                file.unlink(missing_ok=True)


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """What `work` gives; the disk's errors as ours."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except OSError as error:
        if is_full(error):
            raise StorageFull(f"no space left for model files: {error}", retry_after_s=60) from error
        raise StoreError(f"a model file cannot be written: {error}") from error


def _flushed(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _appear(partial: Path, path: Path) -> None:
    partial.replace(path)
    flush(path.parent)
