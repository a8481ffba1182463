"""Digests of rows: 64 bits that are equal for equal features, on every machine, whatever the order of features."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import repeat
from typing import Any

import msgspec
import numpy as np

from edge_aiops.observe.columns.columns import NO_DIGESTS, Digests, Mask, Numbers

_HALF, _THIRD = np.uint64(32), np.uint64(29)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MOST_KEPT = 16_384
_LONGEST_KEPT = 64


class Hashes:
    """Hashes of names and of short texts, which come again and again; remembers a bounded number of them."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._texts: dict[str, int] = {}

    def keys(self, names: Sequence[str]) -> Digests:
        """An odd multiplier for each feature, so that equal values of two features differ."""
        return np.array([self._remembered(self._keys, name) | 1 for name in names], np.uint64)

    def of(self, value: Any) -> int:
        """The hash of a value, as it is written in JSON."""
        if type(value) is str:
            return self._remembered(self._texts, value)
        return _hash(msgspec.json.encode(value, order="sorted"))

    @staticmethod
    def _remembered(known: dict[str, int], text: str) -> int:
        if (found := known.get(text)) is None:
            found = _hash(text.encode())
            if len(text) <= _LONGEST_KEPT:
                if len(known) >= _MOST_KEPT:
                    known.clear()
                known[text] = found
        return found


class RowDigests:
    """Collects what a batch has of each feature, and digests its rows."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._names: list[str] = []
        self._bits: list[Digests] = []
        self._missing: list[Mask | None] = []

    def add_numbers(self, name: str, values: Numbers, missing: Mask | None) -> None:
        """Add a feature that is a number."""
        self._add(name, _bits(values), missing)

    def add_texts(self, name: str, values: Sequence[Any], missing: Mask | None) -> None:
        """Add a feature that is a text."""
        bits = {value: self._hashes.of(value) if type(value) is str else 0 for value in set(values)}
        self._add(name, np.array([bits[value] for value in values], np.uint64), missing)

    def add_values(self, name: str, values: Sequence[Any], missing: Mask | None) -> None:
        """Add a feature that is anything else."""
        gone = missing.tolist() if missing is not None else repeat(False)
        bits = [0 if absent else self._hashes.of(value) for value, absent in zip(values, gone, strict=False)]
        self._add(name, np.array(bits, np.uint64), missing)

    def finished(self) -> Digests:
        """The digests of the rows that have a value at all."""
        if not self._names:
            return NO_DIGESTS
        parts = _mixed(np.stack(self._bits), self._hashes.keys(self._names)[:, np.newaxis])
        for part, missing in zip(parts, self._missing, strict=True):
            if missing is not None:
                part[missing] = 0
        found = _spread(parts.sum(axis=0, dtype=np.uint64))
        masks = [missing for missing in self._missing if missing is not None]
        if len(masks) < len(self._missing):
            return found
        present: Digests = found[~np.logical_and.reduce(masks)]
        return present

    def _add(self, name: str, bits: Digests, missing: Mask | None) -> None:
        self._names.append(name)
        self._bits.append(bits)
        self._missing.append(missing)


def of_matrix(matrix: Numbers, keys: Digests) -> Digests:
    """The digests of rows of numbers, what `RowDigests` gives for them."""
    return _spread(_mixed(_bits(matrix), keys).sum(axis=1, dtype=np.uint64))


def _bits(values: Numbers) -> Digests:
    return (values + 0.0).view(np.uint64)  # so that -0.0 is 0.0


def _mixed(bits: Digests, keys: Digests) -> Digests:
    # The low half of small whole numbers is zero: without the high half their products would have few bits.
    mixed = (bits ^ (bits >> _HALF)) * keys
    mixed ^= mixed >> _THIRD
    mixed *= _ODD
    return mixed


def _spread(sums: Digests) -> Digests:
    spread = (sums ^ (sums >> _HALF)) * _ODD
    spread ^= spread >> _HALF
    return spread


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")
