"""Answers as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from aiohttp import web
from msgspec import Struct

from edge_aiops.http import problems

WRITE_TIMEOUT_S = 30.0
"""How long a client may take nothing of its answer before it is cut off."""

_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_DONE = b"data: [DONE]\n\n"

logger = logging.getLogger(__name__)


class _Failed(Struct, frozen=True):
    error: problems.ApiError


async def streamed(
    request: web.Request,
    chunks: AsyncGenerator[Struct, None],
    headers: dict[str, str],
    *,
    write_timeout_s: float = WRITE_TIMEOUT_S,
) -> web.StreamResponse:
    """Send `chunks` as they come. What fails before the first of them is raised, so that it gets a status of its own;
    what fails later becomes an event. A client that goes away, or takes nothing, ends the chunks."""
    async with aclosing(chunks):
        first = await anext(chunks)
        response = web.StreamResponse(headers={**_HEADERS, **headers})
        try:
            async with aclosing(_events(first, chunks, path=request.path)) as events:
                await response.prepare(request)
                async for event in events:
                    async with asyncio.timeout(write_timeout_s):
                        await response.write(event)
            await response.write_eof()
        except (ConnectionError, TimeoutError) as error:
            logger.info("a stream was cut off: %s", str(error) or f"nothing was taken for {write_timeout_s:g} s")
            if request.transport is not None:
                request.transport.abort()
        return response


async def _events(first: Struct, chunks: AsyncGenerator[Struct, None], *, path: str) -> AsyncGenerator[bytes, None]:
    """The chunks, and at last that it is done, or what went wrong."""
    yield _event(first)
    try:
        async for chunk in chunks:
            yield _event(chunk)
    except Exception as error:
        # The boundary to the caller, who has a status already.
        yield _event(_Failed(problems.api_error_of(error, path=path)))
    else:
        yield _DONE


def _event(content: Struct) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"
