"""A uniform sample of the rows of a file that is read in blocks, without knowing how many will come.

Every row draws a random key, and those with the smallest keys are kept. The sample depends on the seed and the
order of the rows, not on the blocks in which they came, so that it is the same whatever the format of the file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

MOST_VALUES = 20_000_000
"""How many values a sample has at most, over all its columns, so that wide files do not take more memory."""

_KEY = "\0key"
"""No column has this name, as no format lets a name hold a zero byte and stay readable."""


class Sample:
    """At most `most_rows` rows of those added."""

    def __init__(self, most_rows: int, *, seed: int) -> None:
        self.rows_seen = 0
        self._most_rows = most_rows
        self._random = np.random.default_rng(seed)
        self._parts: list[pa.Table] = []
        self._kept = 0
        self._bound = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether every row that was added is in it."""
        return self.rows_seen <= self._most_rows

    @property
    def rows(self) -> int:
        """How many rows are in it."""
        return min(self.rows_seen, self._most_rows)

    def add(self, rows: int, columns: Mapping[str, pa.Array]) -> None:
        """Offer some rows."""
        if self.rows_seen == 0 and columns:
            self._most_rows = min(self._most_rows, max(MOST_VALUES // len(columns), 1))
        self.rows_seen += rows
        keys = self._random.random(rows)
        places = np.flatnonzero(keys < self._bound)
        if len(places) == 0:
            return
        taken = pa.table({_KEY: keys, **columns}).take(pa.array(places))
        self._parts.append(taken)
        self._kept += len(places)
        if self._kept >= 2 * self._most_rows:
            self._shrink()

    def columns(self) -> dict[str, pa.Array]:
        """The sample, in the order of the file. A column that came later is missing in the rows before."""
        self._shrink()
        if not self._parts:
            return {}
        whole = self._parts[0]
        return {name: whole[name].combine_chunks() for name in whole.column_names if name != _KEY}

    def _shrink(self) -> None:
        if not self._parts:
            return
        whole = pa.concat_tables(self._parts, promote_options="default")
        if whole.num_rows > self._most_rows:
            keys = whole[_KEY].to_numpy()
            self._bound = float(np.partition(keys, self._most_rows)[self._most_rows])
            whole = whole.filter(pa.array(keys < self._bound))
        self._parts = [whole.combine_chunks()]
        self._kept = whole.num_rows
