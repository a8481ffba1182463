"""A uniform sample of the rows of a dataset, of which nobody knows how many will come.

Every row draws a random key, and those with the smallest keys are kept; so the sample depends on the order of the rows
and not on the blocks in which they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_aiops.observe.columns import NumberColumn

MOST_ROWS = 100_000
MOST_VALUES = 1_000_000
"""Values that a sample has at most over all columns, so that wide datasets do not take more memory."""

Column = NDArray[Any]
"""float64, NaN where there is none; or labels as objects, None where there is none."""


class Sample:
    """At most `most_rows` rows of those added."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self.rows_seen = 0
        self._most_rows = most_rows
        self._random = np.random.default_rng(0)
        self._parts: list[tuple[NDArray[np.float64], dict[str, Column]]] = []
        self._kept = 0
        self._bound = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether every row that was added is in it."""
        return self.rows_seen <= self._most_rows

    def add(self, rows: int, columns: Mapping[str, NumberColumn | list[str | None]]) -> None:
        """Offer some rows."""
        if self.rows_seen == 0 and columns:
            self._most_rows = min(self._most_rows, max(MOST_VALUES // len(columns), 1))
        self.rows_seen += rows
        keys = self._random.random(rows)
        places = np.flatnonzero(keys < self._bound)
        if not len(places):
            return
        self._parts.append((keys[places], {name: as_array(values)[places] for name, values in columns.items()}))
        self._kept += len(places)
        if self._kept >= 2 * self._most_rows:
            self._shrink()

    def columns(self) -> dict[str, Column]:
        """The sample, in the order of the rows. A column that came later has no values in the rows before."""
        self._shrink()
        return self._parts[0][1] if self._parts else {}

    def _shrink(self) -> None:
        if not self._parts:
            return
        keys = np.concatenate([keys for keys, _ in self._parts])
        names = dict.fromkeys(name for _, columns in self._parts for name in columns)
        columns = {name: np.concatenate(self._of(name)) for name in names}
        if len(keys) > self._most_rows:
            self._bound = float(np.partition(keys, self._most_rows)[self._most_rows])
            kept = np.flatnonzero(keys < self._bound)
            keys, columns = keys[kept], {name: column[kept] for name, column in columns.items()}
        self._parts = [(keys, columns)]
        self._kept = len(keys)

    def _of(self, name: str) -> list[Column]:
        found = [columns.get(name) for _, columns in self._parts]
        kind = next(column.dtype for column in found if column is not None)
        nothing = None if kind.kind == "O" else np.nan
        return [
            np.full(len(keys), nothing, kind) if column is None else column
            for (keys, _), column in zip(self._parts, found, strict=True)
        ]


def as_array(values: NumberColumn | list[str | None]) -> Column:
    """A column as an array: numbers with NaN, or labels with None, where there is none."""
    if isinstance(values, NumberColumn):
        return values.values if values.missing is None else np.where(values.missing, np.nan, values.values)
    array = np.empty(len(values), object)
    array[:] = values
    return array
