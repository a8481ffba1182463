"""Bodies that are too large for memory, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import json
from edge_aiops.http.endpoint import SETTINGS

_CHUNK_BYTES = 256 * 1024


async def body_chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises `InvalidInput` where its sender pauses for longer than http.body_timeout."""
    settings: HttpSettings = request.app[SETTINGS].http
    chunks = request.content.iter_chunked(_CHUNK_BYTES)
    while True:
        try:
            async with asyncio.timeout(settings.body_timeout):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise InvalidInput(f"nothing of the body came for {settings.body_timeout} (http.body_timeout)") from None
        except web.RequestPayloadError as error:
            raise json.unreadable(error) from error
        if chunk is None:
            return
        yield chunk
