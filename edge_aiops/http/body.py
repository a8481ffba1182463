"""Bodies that are too large for memory, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import StreamReader, web

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import json
from edge_aiops.http.endpoint import SETTINGS

_CHUNK_BYTES = 256 * 1024
_LEAST_BYTES = 64 * 1024


async def body_chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises `InvalidInput` where 64 KiB of it take longer than http.body_timeout."""
    settings: HttpSettings = request.app[SETTINGS].http
    while True:
        try:
            async with asyncio.timeout(settings.body_timeout):
                chunk = await _chunk(request.content)
        except TimeoutError:
            raise InvalidInput(
                f"less than {_LEAST_BYTES // 1024} KiB of the body came in {settings.body_timeout} (http.body_timeout)"
            ) from None
        except web.RequestPayloadError as error:
            raise json.unreadable(error) from error
        if not chunk:
            return
        yield chunk


async def _chunk(content: StreamReader) -> bytes:
    """At least `_LEAST_BYTES`, or what is left."""
    parts: list[bytes] = []
    size = 0
    while size < _LEAST_BYTES and (part := await content.read(_CHUNK_BYTES)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
