"""Reads the wire format of Protocol Buffers field by field, skipping over what is not asked for.

The decoder of a protobuf library would copy every weight into memory and hold the interpreter meanwhile; this one
reads a few bytes for each field and seeks past the rest. Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}
_LONGEST_VARINT = 10
_TAG_MASK = 0xFFFF_FFFF


class MalformedError(ValueError):
    """These bytes are no protobuf message."""


class Field(NamedTuple):
    """One field: its number, its `value` if it is a varint, else 0, and where its payload lies in the file."""

    number: int
    value: int
    start: int
    end: int


def fields(file: BinaryIO, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in bytes `start` to `end` of `file`, in order. Raises `MalformedError`."""
    at = start
    while at < end:
        file.seek(at)
        tag = _varint(file) & _TAG_MASK
        number, kind = tag >> 3, tag & 7
        value = 0
        size = _FIXED_SIZES.get(kind, 0)
        if kind == _VARINT:
            value = _varint(file)
        elif kind == _BYTES:
            size = _varint(file)
        elif not size:
            raise MalformedError(f"field {number} has wire type {kind}")
        payload = file.tell()
        at = payload + size
        if at > end or not number:
            raise MalformedError(f"field {number} ends after its message")
        yield Field(number, value, payload, at)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise MalformedError("a number has no end")
