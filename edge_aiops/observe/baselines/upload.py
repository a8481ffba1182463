"""A dataset on its way in: in a temporary file that lasts as long as it is read."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

from edge_aiops.base.disk import is_full
from edge_aiops.base.errors import StorageFull, StoreError, TooLarge

_PREFIX, _SUFFIX = ".dataset-", ".upload"
_WRITE_BYTES = 1024 * 1024


@asynccontextmanager
async def received(folder: Path, chunks: AsyncIterable[bytes], *, max_bytes: int) -> AsyncIterator[Path]:
    """A file in `folder` that holds `chunks`, until the block ends.

    Raises `TooLarge` as soon as more than `max_bytes` have come, `StorageFull` and `StoreError`.
    """
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=folder)
    path = Path(name)
    try:
        with FileIO(descriptor, "w") as file:
            await _write(file, chunks, max_bytes)
        yield path
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def sweep(folder: Path) -> None:
    """Delete what was being received when the process died; nobody else may be at work in `folder`."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        path.unlink(missing_ok=True)


async def _write(file: FileIO, chunks: AsyncIterable[bytes], max_bytes: int) -> None:
    waiting = bytearray()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(f"the dataset is larger than http.max_upload_bytes allows, {max_bytes} bytes")
        waiting += chunk
        if len(waiting) >= _WRITE_BYTES:
            await _append(file, bytes(waiting))
            waiting.clear()
    await _append(file, bytes(waiting))


async def _append(file: FileIO, content: bytes) -> None:
    try:
        await asyncio.to_thread(_write_all, file, content)
    except OSError as error:
        if is_full(error):
            raise StorageFull("no space left for the dataset; free some on the node", retry_after_s=30) from error
        raise StoreError(f"the dataset cannot be written: {error}") from error


def _write_all(file: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) or 0 :]
