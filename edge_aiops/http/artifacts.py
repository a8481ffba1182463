"""Sends artifacts, whole or in part; what has a digest for a name never changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from aiohttp import web

FOR_EVER = "public, max-age=31536000, immutable"


class Read(Protocol):
    """Gives the bytes from `start` up to, without, `end`, in pieces."""

    def __call__(self, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """In pieces."""


async def sent(request: web.Request, size: int, read: Read, *, path: Path | None) -> web.StreamResponse:
    """The answer to a request for an artifact, or for a range of it; from its file where there is one at `path`."""
    headers = {"Cache-Control": FOR_EVER, "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
    if path is not None:
        return web.FileResponse(path, headers=headers)
    try:
        wanted = request.http_range
        start, end, _ = wanted.indices(size)
    except ValueError:
        wanted, start, end = slice(None), 0, size
    partial = wanted.start is not None or wanted.stop is not None
    if partial and start >= end:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.content_length = end - start
    await response.prepare(request)
    async for piece in read(start=start, end=end):
        await response.write(piece)
    await response.write_eof()
    return response
