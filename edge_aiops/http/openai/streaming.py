"""Answers as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from edge_aiops.base import errors
from edge_aiops.http import problems

WRITE_TIMEOUT_S = 30.0
"""How long a client may take nothing of its answer before it is cut off."""

_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_DONE = b"data: [DONE]\n\n"

logger = logging.getLogger(__name__)


class _Failed(Struct, frozen=True):
    error: problems.ApiError


async def streamed(
    request: web.Request, chunks: AsyncGenerator[Struct, None], headers: dict[str, str]
) -> web.StreamResponse:
    """Send `chunks` as they come. What fails before the first of them is raised, so that it gets a status of its own;
    what fails later becomes an event. A client that goes away, or takes nothing, ends the chunks."""
    async with aclosing(chunks):
        first = await anext(chunks)
        response = web.StreamResponse(headers={**_HEADERS, **headers})
        try:
            await response.prepare(request)
            await _send(response, _event(first))
            try:
                async for chunk in chunks:
                    await _send(response, _event(chunk))
                ending = _DONE
            except errors.EdgeAiopsError as error:
                ending = _event(_told(error))
            await _send(response, ending)
            await response.write_eof()
        except (ConnectionError, TimeoutError) as error:
            logger.info("a stream was cut off: %s", str(error) or "its client takes nothing")
            if request.transport is not None:
                request.transport.abort()
        return response


async def _send(response: web.StreamResponse, event: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(event)


def _event(content: Any) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def _told(error: errors.EdgeAiopsError) -> _Failed:
    return _Failed(problems.api_error(problems.status_of(error), error.code, error.message, error.fields))
