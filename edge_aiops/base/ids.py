"""Ids of inference events: they sort by time and say where their row is.

An id is a UUIDv7 (RFC 9562, section 5.7), 128 bits from the left: 48 of Unix time in milliseconds, 4 of
version, 12 of salt, 2 of variant, 14 of salt, 48 of place. The *place* is the row's number in the journal, so
looking an event up needs no index of its own, which on flash would be the better part of the writing. The
*salt* is drawn at each start of the process: a journal that was replaced, restored or cloned never answers
with another's event.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple
from uuid import UUID

_PLACE_BITS = 48
_SALT_LOW_BITS = 14
_SALT_BITS = 26
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_SALT_LOW_MASK = (1 << _SALT_LOW_BITS) - 1
_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62


class EventId(NamedTuple):
    """The parts of an inference id: milliseconds since the epoch, the process's salt, the row's place."""

    at_ms: int
    salt: int
    place: int

    def __str__(self) -> str:
        salt_high, salt_low = self.salt >> _SALT_LOW_BITS, self.salt & _SALT_LOW_MASK
        value = self.at_ms << 80 | _VERSION_7 | salt_high << 64 | _VARIANT_RFC | salt_low << _PLACE_BITS | self.place
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @classmethod
    def parse(cls, text: str) -> EventId | None:
        """The parts of an id, or None where `text` is no id of ours."""
        try:
            uuid = UUID(text)
        except ValueError:
            return None
        if uuid.version != 7:
            return None
        value = uuid.int
        salt = (value >> 64 & 0xFFF) << _SALT_LOW_BITS | (value >> _PLACE_BITS & _SALT_LOW_MASK)
        return cls(value >> 80, salt, value & _PLACE_MASK)


def new_salt() -> int:
    """The random 26 bits of one process start."""
    return secrets.randbits(_SALT_BITS)
