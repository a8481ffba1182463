"""The model files of a node: one file per content, named by its SHA-256, which is there whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from edge_aiops.base.chunks import CHUNK_BYTES
from edge_aiops.base.disk import flush, is_full
from edge_aiops.base.errors import StorageFull, StoreError
from edge_aiops.fleet.messages.desired import DesiredModel

T = TypeVar("T")
Run = Callable[..., Awaitable[Any]]

SPARE_SHARE = 0.2
"""Of an artifact's size, what must be free beside it before it is fetched."""
_PARTIAL = ".partial"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READ_BYTES = 1024 * 1024


class Artifact(NamedTuple):
    """A content that a node needs."""

    sha256: str
    size: int
    chunks: tuple[str, ...] = ()
    """SHA-256 of each `CHUNK_BYTES`; none where the hub does not know them."""

    @classmethod
    def of(cls, model: DesiredModel) -> Artifact | None:
        """What `model` needs. Chunks that are not as many as its size says are not used: its digest decides anyway."""
        if model.sha256 is None:
            return None
        chunks = -(-model.size // CHUNK_BYTES)
        return cls(model.sha256, model.size, model.chunks if len(model.chunks) == chunks else ())


class Partial:
    """A file that is being fetched, from its beginning on; `offset` bytes of it are there and right."""

    def __init__(self, path: Path, target: Path, offset: int, run: Run) -> None:
        self._path = path
        self._target = target
        self._run = run
        self.offset = offset

    async def add(self, data: bytes) -> None:
        """What comes next, on the disk when this returns."""
        await self._run(_write, self._path, self.offset, data)
        self.offset += len(data)

    async def finish(self, sha256: str) -> bool:
        """Let the whole file appear if its content is what it should be; else nothing of it stays, and False."""
        if await self._run(_digest, self._path) != sha256:
            await self.discard()
            return False
        await self._run(_appear, self._path, self._target)
        return True

    async def discard(self) -> None:
        """Begin again."""
        await self._run(_remove, self._path)
        self.offset = 0


class ModelFiles:
    """A folder of immutable files. `run` does what blocks, by default in threads; the disk's errors come as ours."""

    def __init__(self, folder: Path, *, run: Run = asyncio.to_thread) -> None:
        self._folder = folder
        self._blocking = run
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the content is, or would be."""
        return self._folder / sha256

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def found(self, name: str) -> Path | None:
        """The file of the content that somebody outside asks for by `name`, if it is the digest of one that is here."""
        return self.path(name) if _SHA256.fullmatch(name) and name in self else None

    async def is_whole(self, sha256: str) -> bool:
        """Whether the content is there and still what it should be; a damaged file is removed."""
        if sha256 not in self:
            return False
        if await self._run(_digest, self.path(sha256)) == sha256:
            return True
        await self._run(_remove, self.path(sha256))
        return False

    async def partial(self, artifact: Artifact) -> Partial:
        """The file to fetch, with as much of it as an earlier attempt has left and is right."""
        path = self.path(artifact.sha256 + _PARTIAL)
        offset = await self._run(_right_bytes, path, artifact)
        return Partial(path, self.path(artifact.sha256), offset, self._run)

    async def make_room(self, artifact: Artifact, offset: int, keep: Collection[str]) -> None:
        """Have space for the rest of an artifact and a fifth of it, if need be by deleting files that are not in
        `keep`, the least recently used first. Raises `StorageFull`."""
        needed = artifact.size - offset + round(artifact.size * SPARE_SHARE)
        if not await self._run(_make_room, self._folder, needed, frozenset(keep)):
            raise StorageFull(f"no space for a model of {artifact.size} bytes in {self._folder}", retry_after_s=60)

    async def collect(self, keep: Collection[str], *, max_bytes: int) -> None:
        """Delete files that are not in `keep`, the least recently used first, until all together have no more than
        `max_bytes`; and what was fetched in part of contents that nobody wants any more."""
        await self._run(_collect, self._folder, frozenset(keep), max_bytes)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            done: T = await self._blocking(work, *arguments)
        except OSError as error:
            if is_full(error):
                raise StorageFull(f"no space left for model files: {error}", retry_after_s=60) from error
            raise StoreError(f"a model file cannot be written: {error}") from error
        return done


def _write(path: Path, offset: int, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fdatasync(file.fileno())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    if path.exists():
        with path.open("rb") as file:
            while piece := file.read(_READ_BYTES):
                digest.update(piece)
    return digest.hexdigest()


def _appear(path: Path, target: Path) -> None:
    if not path.exists():  # nothing was added: the content of no bytes
        path.touch()
    flush(path)
    path.replace(target)
    flush(target.parent)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _right_bytes(path: Path, artifact: Artifact) -> int:
    """How much of a partial file can be kept: whole chunks whose digests are right; where there are no digests all of
    it, for the digest of the whole is asked in the end."""
    if not path.exists():
        return 0
    if not artifact.chunks:
        length = path.stat().st_size
        return length if length <= artifact.size else 0
    offset = 0
    with path.open("rb") as file:
        for digest in artifact.chunks:
            chunk = file.read(min(CHUNK_BYTES, artifact.size - offset))
            if hashlib.sha256(chunk).hexdigest() != digest:
                break
            offset += len(chunk)
    return offset


def _unreferenced(folder: Path, keep: Collection[str]) -> list[Path]:
    """Whole files that nothing needs, the least recently used first; what is needed now counts as used now."""
    files = []
    for file in folder.iterdir():
        if file.name in keep:
            os.utime(file)
        elif file.is_file() and not file.name.endswith(_PARTIAL):
            files.append(file)
    return sorted(files, key=lambda file: file.stat().st_mtime_ns)


def _make_room(folder: Path, needed: int, keep: Collection[str]) -> bool:
    superfluous = iter(_unreferenced(folder, keep))
    while shutil.disk_usage(folder).free < needed:
        file = next(superfluous, None)
        if file is None:
            return False
        file.unlink(missing_ok=True)
    return True


def _collect(folder: Path, keep: Collection[str], max_bytes: int) -> None:
    for file in folder.glob(f"*{_PARTIAL}"):
        if file.name.removesuffix(_PARTIAL) not in keep:
            file.unlink(missing_ok=True)
    total = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    for file in _unreferenced(folder, keep):
        if total <= max_bytes:
            return
        total -= file.stat().st_size
        file.unlink(missing_ok=True)
