"""Columns of the features that callers sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.columns import digests
from edge_aiops.observe.columns.assembly import Assembly
from edge_aiops.observe.columns.columns import MOST_NAMES, Columns, Plain, first_names, kinds_of
from edge_aiops.observe.columns.known import with_parents
from edge_aiops.observe.columns.payload import MOST_PLACES, PayloadReader, Row, WrongShape
from edge_aiops.observe.models import ObservedModel
from edge_aiops.stats.summaries import Baseline

_ROWS = attrgetter("rows")
_OBJECTS = msgspec.json.Decoder(list[dict[str, float]])
_LISTS = msgspec.json.Decoder(list[list[float]])
_LISTS_OF_ONE = msgspec.json.Decoder(list[tuple[list[float]]])


def inputs_of(events: Sequence[NewEvent], model: ObservedModel, baseline: Baseline | None) -> Columns:
    """The features of `events`, all of one model version."""
    return InputColumns(model, baseline).read(events)


class InputColumns:
    """Makes columns of the features of one model version, on its baseline. For many batches, keep one."""

    def __init__(self, model: ObservedModel, baseline: Baseline | None) -> None:
        self._kinds = kinds_of(baseline)
        self._known = frozenset(chain.from_iterable(map(with_parents, self._kinds)))
        self._expected = self._known | set(model.feature_names)
        self._payload = PayloadReader(model.feature_names, self._known)
        self._all_numeric = "category" not in self._kinds.values()
        self._names: tuple[str, ...] = ()
        self._keys = digests.keys_of(())
        self._unexpected: tuple[dict[str, int], int] = ({}, 0)

    def read(self, events: Sequence[NewEvent]) -> Columns:
        """The features of a batch. What one event has wrong is counted, and harms no other."""
        captured = [event for event in events if event.features is not None]
        columns = self._plain(captured) or self._assembled(captured)
        if len(captured) < len(events):
            columns.without_payload = sum(event.rows for event in events if event.features is None)
        return columns

    def _plain(self, events: Sequence[NewEvent]) -> Columns | None:
        """The short way: all rows at once, where each is a row of numbers with the same features."""
        if not self._all_numeric or not events or set(map(_ROWS, events)) != {1}:
            return None
        joined = "[" + ",".join([event.features or "" for event in events]) + "]"
        try:
            decoded = _rows_of_numbers(joined)
        except (ValueError, RecursionError):
            return None
        if len(decoded) != len(events):
            return None
        first = decoded[0]
        if isinstance(first, dict):
            names = tuple(first)
            if any(tuple(row) != names for row in decoded):
                return None
            numbers: Iterable[float] = chain.from_iterable(map(dict.values, decoded))
        else:
            if any(len(row) != len(first) for row in decoded) or not 0 < len(first) <= MOST_PLACES:
                return None
            try:
                names = self._payload.names_of(len(first)) or ()
            except WrongShape:
                return None
            numbers = chain.from_iterable(decoded)
        if not names:
            return None
        matrix = np.fromiter(numbers, np.float64, len(decoded) * len(names)).reshape(len(decoded), len(names))
        return self._columns_of(names, matrix)

    def _columns_of(self, names: tuple[str, ...], matrix: np.ndarray[Any, np.dtype[np.float64]]) -> Columns:
        if names != self._names:
            self._names, self._keys = names, digests.keys_of(names)
            self._unexpected = self._surprises(names)
        rows = len(matrix)
        unexpected, beyond = self._unexpected
        return Columns(
            rows=rows,
            plain=Plain(self._names, matrix),
            unexpected=dict.fromkeys(unexpected, rows),
            unexpected_beyond=beyond * rows,
            digests=digests.finished(digests.of_numbers(matrix, self._keys).sum(axis=1, dtype=np.uint64)),
        )

    def _surprises(self, names: Iterable[str]) -> tuple[dict[str, int], int]:
        if not self._expected:
            return {}, 0
        found = [name for name in names if name not in self._expected]
        return dict.fromkeys(first_names(found, MOST_NAMES), 1), max(0, len(found) - MOST_NAMES)

    def _assembled(self, events: Sequence[NewEvent]) -> Columns:
        rows: list[Row] = []
        malformed = wrong_shape = 0
        for event in events:
            try:
                rows += self._payload.rows_of(event.features or "", event.rows)
            except WrongShape:
                wrong_shape += event.rows
            except (ValueError, RecursionError):
                malformed += event.rows
        total = len(rows) + malformed + wrong_shape
        assembly = Assembly(total, self._kinds, self._known, digested=True)
        assembly.add_rows([*rows, *({} for _ in range(total - len(rows)))])
        columns = assembly.finished()
        columns.malformed, columns.wrong_shape = malformed, wrong_shape
        self._count_unexpected(columns, rows)
        return columns

    def _count_unexpected(self, columns: Columns, rows: list[Row]) -> None:
        if not self._expected:
            return
        for row in rows:
            for name in row.keys() - self._expected:
                columns.unexpected[name] = columns.unexpected.get(name, 0) + 1
        if len(columns.unexpected) > MOST_NAMES:
            kept = first_names(columns.unexpected, MOST_NAMES)
            columns.unexpected_beyond = sum(n for name, n in columns.unexpected.items() if name not in kept)
            columns.unexpected = {name: n for name, n in columns.unexpected.items() if name in kept}


def _rows_of_numbers(joined: str) -> list[Any]:
    if joined.startswith("[{"):
        return _OBJECTS.decode(joined)
    if joined.startswith("[[["):
        return [row for (row,) in _LISTS_OF_ONE.decode(joined)]
    return _LISTS.decode(joined)
