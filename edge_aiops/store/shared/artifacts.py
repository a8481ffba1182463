"""The artifact store: immutable files under the SHA-256 of their content."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from msgspec import Struct
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import NotFound
from edge_aiops.store.shared import objects
from edge_aiops.store.shared.staging import StagedUpload, disk_errors, staged, sweep

_PREFIX = "sha256"
_READ_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ArtifactInfo(Struct, frozen=True):
    """One artifact of the store."""

    sha256: str
    size_bytes: int


class ArtifactStore:
    """Artifacts by content, in a folder or in whatever object store obstore can open.

    Contents never change: putting one that is there already does nothing.
    """

    def __init__(self, store: ObjectStore, *, folder: Path | None, incoming: Path) -> None:
        self._store = store
        self._folder = folder
        self._incoming = incoming

    @classmethod
    async def open(cls, location: Path | str, *, incoming: Path | None = None) -> ArtifactStore:
        """The store in the folder, or at the URL, `location`; what dead uploads left behind is swept.

        `incoming`: local folder of uploads under way; by default a folder inside `location`, so that a finished
        upload need only be renamed. Raises `SettingsError` for a URL of no store, and `Unavailable` when nothing
        answers there.
        """
        if isinstance(location, Path):
            incoming = location / "incoming" if incoming is None else incoming
            await asyncio.to_thread(_prepare, incoming)
            return cls(LocalStore(location, mkdir=True), folder=location, incoming=incoming)
        if incoming is None:
            raise ValueError("an artifact store behind a URL needs a local folder for uploads under way")
        await asyncio.to_thread(_prepare, incoming)
        store = objects.open_store(location)
        await objects.check(store)
        return cls(store, folder=None, incoming=incoming)

    def stage(self, chunks: AsyncIterable[bytes], *, max_bytes: int) -> AbstractAsyncContextManager[StagedUpload]:
        """Write `chunks` to disk, ready to be put; nothing of it stays after the block unless it was put.

        Raises `TooLarge` as soon as more than `max_bytes` have come, and `StorageFull`.
        """
        return staged(self._incoming, chunks, max_bytes=max_bytes)

    async def prepare(self, upload: StagedUpload) -> None:
        """Do ahead what may take long of a put: copying over the network; nothing for a store in a folder."""
        if self._folder is None:
            await self.put(upload)

    async def put(self, upload: StagedUpload) -> None:
        """Make sure that the upload's content is in the store, durably and whole."""
        if await self._holds(upload):
            return
        if self._folder is None:
            with objects.failures():
                await obstore.put_async(self._store, _key(upload.sha256), upload.path)
        else:
            await asyncio.to_thread(_move, upload.path, self._folder / _key(upload.sha256))

    async def info(self, sha256: str) -> ArtifactInfo:
        """The artifact's size. Raises `NotFound`, also for what is no SHA-256 in lower-case hex."""
        try:
            with objects.failures():
                meta = await obstore.head_async(self._store, _key(sha256))
        except FileNotFoundError as error:
            raise _unknown(sha256) from error
        return ArtifactInfo(sha256, meta["size"])

    async def read(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, without, `end`, by default all, in pieces. Raises `NotFound`.

        The range must lie within the artifact.
        """
        size = (await self.info(sha256)).size_bytes
        end = size if end is None else end
        if not 0 <= start <= end <= size:
            raise ValueError(f"bytes {start} to {end} do not lie within an artifact of {size} bytes")
        # One request a piece, each with its own deadline and retries: who reads slowly is not cut off in the middle.
        for offset in range(start, end, _READ_BYTES):
            try:
                with objects.failures():
                    until = min(offset + _READ_BYTES, end)
                    piece = await obstore.get_range_async(self._store, _key(sha256), start=offset, end=until)
            except FileNotFoundError as error:
                raise _unknown(sha256) from error
            yield bytes(piece)

    def path(self, sha256: str) -> Path | None:
        """Where the file of this content would be; None where the store is no folder."""
        return None if self._folder is None else self._folder / _key(sha256)

    async def link(self, sha256: str, *, valid_s: float) -> str | None:
        """An address where anybody can read the artifact for some time; None where the store makes none."""
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        with objects.failures():
            return await obstore.sign_async(self._store, "GET", _key(sha256), timedelta(seconds=valid_s))

    async def delete(self, sha256: str) -> None:
        """Delete the artifact; nothing happens when it is not there. Who is reading it may find the rest gone."""
        with suppress(FileNotFoundError), objects.failures():
            await obstore.delete_async(self._store, _key(sha256))

    async def all(self, *, before_ms: int | None = None) -> list[ArtifactInfo]:
        """Every artifact of the store, or every one that was put before a moment by the store's own clock."""
        found: list[ArtifactInfo] = []
        with objects.failures():
            async for batch in obstore.list(self._store, prefix=_PREFIX):
                found += [
                    ArtifactInfo(meta["path"].rpartition("/")[2], meta["size"])
                    for meta in batch
                    if before_ms is None or meta["last_modified"].timestamp() * 1000 < before_ms
                ]
        return [artifact for artifact in found if _SHA256.fullmatch(artifact.sha256)]

    async def copy_to(self, folder: Path) -> None:
        """Copy every artifact that `folder`, the root of another such store, does not have yet; one that is deleted
        meanwhile is passed over."""
        for artifact in await self.all():
            target = folder / _key(artifact.sha256)
            with suppress(FileNotFoundError, NotFound):
                if (source := self.path(artifact.sha256)) is not None:
                    await asyncio.to_thread(_copy, source, target)
                elif not await asyncio.to_thread(target.exists):
                    await self._download(artifact.sha256, target)

    async def _holds(self, upload: StagedUpload) -> bool:
        try:
            return (await self.info(upload.sha256)).size_bytes == upload.size_bytes
        except NotFound:
            return False

    async def _download(self, sha256: str, target: Path) -> None:
        await asyncio.to_thread(_prepare, folder := target.parent)
        size = (await self.info(sha256)).size_bytes
        async with staged(folder, self.read(sha256), max_bytes=size) as copy:
            await asyncio.to_thread(_move, copy.path, target)


def _key(sha256: str) -> str:
    # Checked here, on the way to every file, so that no digest from outside ever becomes a path.
    if not _SHA256.fullmatch(sha256):
        raise _unknown(sha256)
    return f"{_PREFIX}/{sha256[:2]}/{sha256}"


def _unknown(sha256: str) -> NotFound:
    return NotFound(f"no artifact with SHA-256 {sha256[:80]!r} here; GET /models shows the digests of all models")


def _prepare(incoming: Path) -> None:
    incoming.mkdir(parents=True, exist_ok=True)
    sweep(incoming)


def _move(path: Path, target: Path) -> None:
    with disk_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    # A renamed file survives power loss only with its folder's entry.
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        flush(folder)


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        partial = target.with_name(target.name + ".partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
