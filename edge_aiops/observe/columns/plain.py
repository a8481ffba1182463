"""The short way for what most models get: every row a few numbers, all rows with the same features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import astuple

from edge_aiops.observe.columns.columns import Plain
from edge_aiops.observe.columns.payload import PayloadReader, WrongShape

_MOST_FIELDS = 1_000
_OBJECTS = msgspec.json.Decoder(list[dict[str, float]])
_LISTS = msgspec.json.Decoder(list[list[float]])
_LISTS_OF_ONE = msgspec.json.Decoder(list[tuple[list[float]]])
_MATRICES = msgspec.json.Decoder(list[list[list[float]] | dict[str, list[list[float]]]])


class _Typed(NamedTuple):
    """A decoder of objects with just these names, in any order. Made when they have come twice in a row: it costs a
    millisecond, and saves a microsecond a row."""

    names: tuple[str, ...]
    decoder: msgspec.json.Decoder[Any]


class PlainReader:
    """Reads many payloads at once, or not at all: of one row each, or each of several."""

    def __init__(self, payload: PayloadReader) -> None:
        self._payload = payload
        self._names: tuple[str, ...] = ()
        self._typed: _Typed | None = None

    def read(self, payloads: Sequence[str]) -> Plain | None:
        """The rows of `payloads`; None where one of them is not a row of numbers, or its features are others."""
        joined = "[" + ",".join(payloads) + "]"
        try:
            names, rows = self._objects(joined) if joined.startswith("[{") else self._lists(joined)
            # A payload that is no JSON could pass for two that are.
            if not names or len(rows) != len(payloads):
                return None
            matrix = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * len(names))
        except (ValueError, RecursionError, WrongShape):
            return None
        return Plain(names, matrix.reshape(len(rows), len(names)))

    def read_matrices(self, payloads: Sequence[str], counts: Sequence[int]) -> Plain | None:
        """The rows of `payloads`, each a list of so many rows of numbers, or an object that holds such a list as the
        only input; None where one of them is otherwise."""
        try:
            decoded = _MATRICES.decode("[" + ",".join(payloads) + "]")
            rows = [row for value in decoded for row in self._payload.rows_of_only(value)]
            names = self._payload.names_of(len(rows[0])) if rows else None
            # NumPy refuses rows of several lengths; a payload that is no JSON could pass for two that are.
            if not names or [*map(len, map(self._payload.rows_of_only, decoded))] != [*counts]:
                return None
            matrix = np.array(rows, np.float64)
        except (ValueError, RecursionError, WrongShape):
            return None
        if names != self._names:
            self._names = names
        return Plain(self._names, matrix)

    def _objects(self, joined: str) -> tuple[tuple[str, ...], Sequence[Iterable[float]]]:
        if self._typed is not None:
            try:
                return self._typed.names, [*map(astuple, self._typed.decoder.decode(joined))]
            except msgspec.ValidationError:
                pass
        objects = _OBJECTS.decode(joined)
        names = tuple(objects[0])
        if any(tuple(row) != names for row in objects):
            return (), ()
        if names != self._names:
            self._names = names
        elif 0 < len(names) <= _MOST_FIELDS:
            self._typed = _Typed(self._names, _decoder_of(names))
        return self._names, [row.values() for row in objects]

    def _lists(self, joined: str) -> tuple[tuple[str, ...], Sequence[Iterable[float]]]:
        rows = [row for (row,) in _LISTS_OF_ONE.decode(joined)] if joined.startswith("[[[") else _LISTS.decode(joined)
        length = len(rows[0])
        if any(len(row) != length for row in rows):
            return (), ()
        names = self._payload.names_of(length) or ()
        if names != self._names:
            self._names = names
        return self._names, rows


def _decoder_of(names: Sequence[str]) -> msgspec.json.Decoder[Any]:
    fields = {f"field_{place}": name for place, name in enumerate(names)}
    row = msgspec.defstruct(
        "Row", [(field, float) for field in fields], rename=fields, forbid_unknown_fields=True, gc=False
    )
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]  # a type that is made here
