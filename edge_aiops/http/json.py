"""JSON bodies and queries as typed requests, within limits."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from aiohttp import web

from edge_aiops.base.errors import FieldError, InvalidInput, TooLarge
from edge_aiops.base.nesting import deeper_than
from edge_aiops.base.settings import HttpSettings

T = TypeVar("T")

_PATH = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)


async def body_bytes(request: web.Request, settings: HttpSettings) -> bytes:
    """The whole body. Raises `InvalidInput` where it is too slow or damaged on its way, and aiohttp's own 413."""
    try:
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(settings.body_timeout):
            return await request.read()
    except TimeoutError:
        raise InvalidInput(f"the body did not arrive within {settings.body_timeout} (http.body_timeout)") from None
    except web.RequestPayloadError as error:
        raise unreadable(error) from error


def unreadable(error: web.RequestPayloadError) -> InvalidInput:
    """What to say of a body whose chunks or compression are damaged."""
    return InvalidInput(f"the body cannot be read: {' '.join(str(error).split())}")


def decoded(body: bytes, decoder: msgspec.json.Decoder[T], settings: HttpSettings) -> T:
    """The typed request in `body`. Raises `InvalidInput` that names the field and what was expected, `TooLarge`."""
    if body.count(b",") >= settings.max_elements:
        raise TooLarge(f"the body holds more than {settings.max_elements} values (http.max_elements)")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None
    except ValueError as error:  # malformed JSON, or text that is no UTF-8
        raise InvalidInput(f"the body is not JSON: {error}" if body else "the body is empty; send JSON") from error


def query(request: web.Request, wanted: type[T]) -> T:
    """The typed query parameters. Raises `InvalidInput` that names the parameter."""
    try:
        return msgspec.convert(dict(request.query), wanted, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def unwrapped(value: msgspec.Raw, field: str, settings: HttpSettings) -> msgspec.Raw:
    """`value` as structured data: an object that came as a JSON string is taken out of it.

    Raises `InvalidInput` for text that looks like JSON and is not, and for nesting over http.max_depth.
    """
    try:
        content = msgspec.json.decode(value)
        if isinstance(content, str) and content.lstrip()[:1] in ("{", "["):
            value = msgspec.Raw(content.encode())
            content = msgspec.json.decode(value)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.of(field, f"is not JSON: {error}") from error
    if deeper_than(content, settings.max_depth):
        raise TooLarge(f"{field} is nested deeper than {settings.max_depth} (http.max_depth)")
    return value


def invalid(error: msgspec.ValidationError) -> InvalidInput:
    """What to say of a value that is not of its type; names its place."""
    match = _PATH.match(str(error))
    message, path = match["message"], match["path"]  # type: ignore[index]  # the pattern matches any text
    field = (path or "$").removeprefix("$").removeprefix(".") or "body"
    return InvalidInput(f"{field}: {message}", fields=(FieldError(field, message),))
