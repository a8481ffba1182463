"""What comes as the bytes of a summary: noise, damage, and forgeries whose checksum is right."""

from __future__ import annotations

import numpy as np

from .arrays import Generator, pick

HEAD, CHECKSUM = 4, 4
"""How many bytes the envelope has before the payload, and after it."""

_ONE_BYTE = np.arange(256, dtype=np.uint32)
for _ in range(8):
    _ONE_BYTE = np.where(_ONE_BYTE & 1, _ONE_BYTE >> 1 ^ 0x82F63B78, _ONE_BYTE >> 1)
_TABLE = [int(entry) for entry in _ONE_BYTE]

_NUMBERS = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 5e-324, 1e308, -1e308, 0.5, 2.0**53]
_COUNTS = [
    0,
    1,
    2,
    63,
    64,
    127,
    128,
    1000,
    2**16,
    2**20,
    2**31,
    2**32 - 1,
    2**32,
    2**53,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
]


def crc32c(content: bytes) -> int:
    """CRC-32C, as the envelope has it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def sealed(content: bytes) -> bytes:
    """The content with the checksum that it should have."""
    return content + crc32c(content).to_bytes(CHECKSUM, "little")


def leb128(count: int) -> bytes:
    """A count as the encoding has it."""
    written = bytearray()
    while count > 0x7F:
        written.append(0x80 | count & 0x7F)
        count >>= 7
    written.append(count)
    return bytes(written)


def _piece(random: Generator, donor: bytes) -> bytes:
    kind = int(random.integers(6))
    if kind == 0:
        return random.bytes(int(random.integers(1, 9)))
    if kind == 1:
        return leb128(pick(random, _COUNTS))
    if kind == 2:
        return np.float64(pick(random, _NUMBERS)).tobytes()
    if kind == 3:
        return bytes([pick(random, [0, 0x7F, 0x80, 0xFF])]) * int(random.integers(1, 10))
    if kind == 4:
        return leb128(int(random.integers(2**63)) >> int(random.integers(63)))
    start = int(random.integers(len(donor) + 1))
    return donor[start : start + int(random.integers(1, 40))]


def edited(random: Generator, content: bytes, donor: bytes, first: int) -> bytes:
    """The content with one to three changes from byte `first` on: bits, bytes, counts, numbers, what another has."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        at = first + int(random.integers(max(len(changed) - first, 0) + 1))
        way = int(random.integers(6))
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << int(random.integers(8))
        elif way == 1 and at < len(changed):
            changed[at] = (changed[at] + pick(random, [1, -1])) & 0xFF
        elif way == 2:
            del changed[at : at + int(random.integers(1, 9))]
        elif way == 3:
            changed[at:at] = _piece(random, donor)
        else:
            piece = _piece(random, donor)
            changed[at : at + len(piece)] = piece
    return bytes(changed)


def forged(random: Generator, valid: bytes, donor: bytes) -> bytes:
    """Something in the place of `valid`; `donor` is a valid encoding too, perhaps of another statistic."""
    kind = int(random.integers(12))
    if kind == 0:
        return random.bytes(int(random.integers(0, 200)))
    if kind == 1:
        return valid[: int(random.integers(len(valid) + 1))]
    if kind == 2:
        return edited(random, valid, donor, 0)
    content = valid[:-CHECKSUM]
    if kind == 3:
        return sealed(content[:HEAD] + random.bytes(int(random.integers(0, 100))))
    if kind == 4:
        return sealed(content[: int(random.integers(len(content) + 1))])
    if kind == 5:
        return sealed(content[: int(random.integers(HEAD))] + donor[int(random.integers(HEAD)) :])
    if kind == 6:
        return sealed(edited(random, content, donor, 0))
    return sealed(edited(random, content, donor, HEAD))
