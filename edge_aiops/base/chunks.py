"""An artifact in chunks, each with a digest of its own, so that an interrupted download resumes within one."""

from __future__ import annotations

import hashlib

CHUNK_BYTES = 4 * 1024**2


class ChunkDigests:
    """The SHA-256 of each `CHUNK_BYTES` of what is added, and of all of it."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._chunk = hashlib.sha256()
        self._in_chunk = 0
        self._done: list[str] = []

    @property
    def sha256(self) -> str:
        """Of everything that was added."""
        return self._whole.hexdigest()

    @property
    def chunks(self) -> tuple[str, ...]:
        """Of each chunk, the last of which may be short; none of nothing."""
        return (*self._done, self._chunk.hexdigest()) if self._in_chunk else tuple(self._done)

    def add(self, data: bytes) -> None:
        """What comes next."""
        self._whole.update(data)
        view = memoryview(data)
        while view:
            part = view[: CHUNK_BYTES - self._in_chunk]
            self._chunk.update(part)
            self._in_chunk += len(part)
            view = view[len(part) :]
            if self._in_chunk == CHUNK_BYTES:
                self._done.append(self._chunk.hexdigest())
                self._chunk, self._in_chunk = hashlib.sha256(), 0
