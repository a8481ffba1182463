"""How many rows came more than once."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from edge_aiops.observe.columns.columns import NO_DIGESTS, Digests
from edge_aiops.observe.envelope import Count
from edge_aiops.stats.summaries import DistinctCount

MOST_EXACT = 10_000
"""Different rows up to which each digest is kept; beyond, their number is estimated."""

_BITS = np.uint64(0xFF_FFFF_FFFF)
_BYTES = 5
"""Of each digest 40 bits are kept: among 10,000 different rows, two are taken for one in 1 window of 20,000."""

_WAITING = 1_024


class Repeats(msgspec.Struct, array_like=True):
    """How many rows were equal to an earlier one, each within its own part: what may be told of `Duplicates`, whose
    digests would tell the rows to whoever tries all that there can be."""

    count: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] = 0
    """Of a part that was estimated it may be below zero, so that all parts add up to the whole."""
    exact: bool = True

    def merge(self, other: Repeats) -> None:
        """Add those of another part."""
        self.count += other.count
        self.exact = self.exact and other.exact

    def since(self, before: Repeats) -> Repeats:
        """Those that have come since."""
        return Repeats(self.count - before.count, self.exact)


class DuplicatesState(msgspec.Struct, array_like=True):
    """What is kept of `Duplicates`."""

    rows: Count
    digests: bytes
    sketch: bytes | None


class Duplicates:
    """Counts rows whose digest came before: exactly among up to 10,000 different ones, then by a sketch."""

    def __init__(self) -> None:
        self._rows = 0
        self._digests = NO_DIGESTS
        self._waiting: list[Digests] = []
        self._waiting_rows = 0
        self._sketch: DistinctCount | None = None

    @property
    def repeats(self) -> Repeats:
        """Rows that are equal to an earlier one."""
        self._settle()
        distinct = len(self._digests) if self._sketch is None else round(self._sketch.estimate.value)
        return Repeats(max(0, self._rows - distinct), self._sketch is None)

    def update(self, digests: Digests) -> None:
        """Count rows by their digests."""
        if not len(digests):
            return
        self._rows += len(digests)
        self._wait_for(digests & _BITS)

    def merge(self, other: Duplicates) -> None:
        """Count the rows of `other` too."""
        other._settle()
        self._rows += other._rows
        if other._sketch is not None:
            self._settle()
            self._sketch = self._as_sketch() + other._sketch
            self._digests = NO_DIGESTS
        elif len(other._digests):
            self._wait_for(other._digests)

    def state(self) -> DuplicatesState:
        """What is needed to go on elsewhere."""
        self._settle()
        digests = self._digests.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :_BYTES].tobytes()
        return DuplicatesState(self._rows, digests, None if self._sketch is None else self._sketch.to_bytes())

    @classmethod
    def of(cls, state: DuplicatesState) -> Duplicates:
        """What `state` gave. Raises `UnreadableSummary`, or `ValueError` for digests that are cut."""
        duplicates = cls()
        duplicates._rows = state.rows
        packed = np.frombuffer(state.digests, np.uint8).reshape(-1, _BYTES)
        wide = np.zeros((len(packed), 8), np.uint8)
        wide[:, :_BYTES] = packed
        duplicates._digests = wide.view("<u8").ravel().astype(np.uint64)
        duplicates._sketch = None if state.sketch is None else DistinctCount.from_bytes(state.sketch)
        return duplicates

    def _wait_for(self, digests: Digests) -> None:
        self._waiting.append(digests)
        self._waiting_rows += len(digests)
        if self._waiting_rows >= _WAITING:
            self._settle()

    def _settle(self) -> None:
        if not self._waiting:
            return
        waiting = _distinct(np.concatenate(self._waiting))
        self._waiting, self._waiting_rows = [], 0
        if self._sketch is not None:
            self._sketch.update(waiting.astype(np.int64))
            return
        self._digests = _distinct(np.concatenate([self._digests, waiting]))
        if len(self._digests) > MOST_EXACT:
            self._sketch, self._digests = self._as_sketch(), NO_DIGESTS

    def _as_sketch(self) -> DistinctCount:
        if self._sketch is not None:
            return self._sketch
        sketch = DistinctCount()
        sketch.update(self._digests.astype(np.int64))
        return sketch


def _distinct(digests: Digests) -> Digests:
    """As `np.unique`, which imports masked arrays: 1.5 MB that a node has no other use for."""
    ordered = np.sort(digests)
    found: Digests = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found
