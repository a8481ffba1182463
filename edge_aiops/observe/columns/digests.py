"""Digests of rows: 64 bits that are equal for equal features, on every machine, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

from edge_aiops.observe.columns.columns import Digests, Numbers

_HALF, _THIRD = np.uint64(32), np.uint64(29)
_ODD = np.uint64(0x9E3779B97F4A7C15)


def keys_of(names: Sequence[str]) -> Digests:
    """An odd multiplier for each feature, so that equal values of two features differ."""
    return np.array([_hash(name.encode()) | 1 for name in names], np.uint64)


def of_numbers(values: Numbers, keys: Digests | np.uint64) -> Digests:
    """A part of the digest from each number; `values` and `keys` broadcast."""
    bits: Digests = (values + 0.0).view(np.uint64)  # so that -0.0 is 0.0
    return _mixed(bits, keys)


def of_values(values: Sequence[Any], key: np.uint64) -> Digests:
    """A part of the digest from each value that is no number, as it is written in JSON."""
    hashes = {value: _hash(value.encode()) for value in {value for value in values if type(value) is str}}
    bits = [hashes[value] if type(value) is str else _hash(_canonical(value)) for value in values]
    return _mixed(np.array(bits, np.uint64), key)


def finished(parts: Digests) -> Digests:
    """The digests of rows, from the sums of their parts."""
    spread = (parts ^ (parts >> _HALF)) * _ODD
    whole: Digests = spread ^ (spread >> _HALF)
    return whole


def _mixed(bits: Digests, keys: Digests | np.uint64) -> Digests:
    # The low half of small whole numbers is zero: without the high half their products would have few bits.
    mixed = (bits ^ (bits >> _HALF)) * keys
    mixed ^= mixed >> _THIRD
    product: Digests = mixed * _ODD
    return product


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")
