"""The size of an image from the first bytes of its file. Nothing is decoded."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

_FEWEST_CHARACTERS = 32
_LOOKED_AT = 64 * 1024
"""Characters of base64 that are looked at; the size may stand behind the metadata of a photograph."""

_BASE64_OF = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "Qk")
"""How PNG, JPEG, GIF, RIFF (WebP) and BMP begin in base64."""

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class EncodedImage(NamedTuple):
    """What is known of a file that is an image."""

    size: int
    """Bytes of the file."""
    width: int | None
    height: int | None
    """None where the file does not say it at its beginning."""


def encoded_image(text: str) -> EncodedImage | None:
    """The image that `text` is in base64, perhaps as a data URI; None if it is none."""
    if text.startswith("data:image/"):
        text = text.partition(",")[2]
    elif not text.startswith(_BASE64_OF):
        return None
    if len(text) < _FEWEST_CHARACTERS:
        return None
    try:
        head = base64.b64decode(text[: min(_LOOKED_AT, len(text) - len(text) % 4)], validate=True)
    except (binascii.Error, ValueError):
        return None
    size = len(text) * 3 // 4 - text.count("=", len(text) - 2)
    try:
        found = _measured(head)
    except (struct.error, IndexError):
        return EncodedImage(size, None, None)
    return EncodedImage(size, *found) if found else None


def _measured(head: bytes) -> tuple[int | None, int | None] | None:
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return struct.unpack_from(">II", head, 16)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return struct.unpack_from("<HH", head, 6)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[:3] == b"\xff\xd8\xff":
        return _jpeg(head)
    if head[:2] == b"BM" and struct.unpack_from("<I", head, 6)[0] == 0:
        width, height = struct.unpack_from("<ii", head, 18)
        return width, abs(height)
    return None


def _webp(head: bytes) -> tuple[int | None, int | None]:
    if len(head) < 30:
        return None, None
    match head[12:16]:
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None, None


def _jpeg(head: bytes) -> tuple[int | None, int | None]:
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker, length = head[place + 1], struct.unpack_from(">H", head, place + 2)[0]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return width, height
        place += 2 + length
    return None, None
