"""Serves artifacts: whole or in parts, from a folder or from an object store, and the same from every hub."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.http.endpoint import SETTINGS

if TYPE_CHECKING:
    from edge_aiops.registry.registry import Artifact

LINK_VALID_S = 300.0

logger = logging.getLogger(__name__)

_FOR_EVER = "public, max-age=31536000, immutable"


async def answer(request: web.Request, artifact: Artifact) -> web.StreamResponse:
    """The response to a request for `artifact`; its entity tag is the digest."""
    headers = _headers(artifact.sha256)
    if request.if_none_match and any(tag.value in (artifact.sha256, "*") for tag in request.if_none_match):
        return web.Response(status=304, headers=headers)
    if artifact.path is not None:
        return file(artifact.path, artifact.sha256)
    if request.app[SETTINGS].hub.redirect_artifacts and (link := await artifact.link(valid_s=LINK_VALID_S)):
        return web.Response(status=302, headers={hdrs.LOCATION: link, hdrs.CACHE_CONTROL: "no-store"})
    return await _streamed(request, artifact, headers)


def file(path: Path, sha256: str) -> web.StreamResponse:
    """The response with the artifact that is at `path`, or a range of it."""
    return _File(path, headers=_headers(sha256))


def _headers(sha256: str) -> dict[str, str]:
    return {
        hdrs.CACHE_CONTROL: _FOR_EVER,
        hdrs.CONTENT_TYPE: "application/octet-stream",
        hdrs.ETAG: f'"{sha256}"',
        hdrs.ACCEPT_RANGES: "bytes",
    }


class _File(web.FileResponse):
    """Sends a file without copying it, under the tag that it is given rather than one made of the file's time."""

    @property
    def etag(self) -> None:
        return None

    @etag.setter
    def etag(self, value: object) -> None:
        pass


async def _streamed(request: web.Request, artifact: Artifact, headers: dict[str, str]) -> web.StreamResponse:
    size = artifact.size_bytes
    try:
        part = _part(request, artifact)
    except ValueError:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
    response = web.StreamResponse(headers=headers)
    if part is not None:
        response.set_status(206)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
    wanted = part or range(size)
    response.content_length = len(wanted)
    await response.prepare(request)
    try:
        if request.method != hdrs.METH_HEAD:
            async for piece in artifact.read(start=wanted.start, end=wanted.stop):
                await response.write(piece)
        await response.write_eof()
    except EdgeAiopsError as error:
        # The head is out: only a connection that breaks off can still say so.
        logger.warning("the download of artifact %s broke off: %s", artifact.sha256, error)
        if request.transport is not None:
            request.transport.abort()
    return response


def _part(request: web.Request, artifact: Artifact) -> range | None:
    """The bytes that are asked for; None for all of them. Raises `ValueError` where there are no such bytes."""
    wanted_of = request.headers.get(hdrs.IF_RANGE)
    if hdrs.RANGE not in request.headers or (wanted_of and wanted_of != f'"{artifact.sha256}"'):
        return None
    found = range(artifact.size_bytes)[request.http_range]
    if not found:
        raise ValueError("outside")
    return found
