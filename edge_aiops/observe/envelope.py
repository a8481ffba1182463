"""How a summary travels: a mark that says what it is, a checksum, and a body in msgpack."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from edge_aiops.stats import UnreadableSummary

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""In a body: so that whatever is merged with it can still be written."""

Body = TypeVar("Body", bound=msgspec.Struct)
_HEAD = 8


def sealed(mark: bytes, body: msgspec.Struct) -> bytes:
    """The bytes of `body`. `mark`: four bytes, the kind of summary and the version of its form."""
    content = msgspec.msgpack.encode(body)
    return mark + zlib.crc32(content).to_bytes(4, "little") + content


def opened(mark: bytes, data: bytes, kind: type[Body]) -> Body:
    """The body of what `sealed` gave. Raises `UnreadableSummary`."""
    name = kind.__name__.removesuffix("State")
    content = checked(mark, data, name)
    try:
        body: Body = _decoder(kind).decode(content)
    except ValueError as error:
        raise UnreadableSummary(f"the bytes of {name} are not as they should be: {error}") from error
    return body


def checked(mark: bytes, data: bytes, name: str) -> memoryview:
    """The body, still encoded, of what `sealed` gave. Raises `UnreadableSummary`."""
    if data[:4] != mark:
        raise UnreadableSummary(f"these are not the bytes of {name} in the form {mark!r}: they begin with {data[:4]!r}")
    content = memoryview(data)[_HEAD:]
    if len(data) < _HEAD or zlib.crc32(content).to_bytes(4, "little") != data[4:_HEAD]:
        raise UnreadableSummary(f"the {len(data)} bytes of {name} are damaged: their checksum is another")
    return content


@cache
def _decoder(kind: type[Body]) -> msgspec.msgpack.Decoder[Body]:
    return msgspec.msgpack.Decoder(kind)
