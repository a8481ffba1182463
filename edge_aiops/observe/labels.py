"""How often a model was right, and by how much it was wrong, as far as feedback tells; it merges.

A label that is changed later is counted again as it is now, and what it had been is counted as retracted: so windows
only ever grow, merge in any order, and tell the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_aiops.observe.envelope import Count, opened, sealed
from edge_aiops.stats.summaries import Moments, moments

MARK = b"EAL\x01"


class LabelMetrics(Struct, frozen=True, kw_only=True, rename="camel"):
    """What labels say of a span; None where none of them says it."""

    labelled: int
    """Predictions of which something became known."""
    accuracy: float | None
    """Share of the right ones among those that are right or wrong."""
    mean_absolute_error: float | None
    """Of predictions that are numbers."""


class Labels(NamedTuple):
    """Labels of some predictions."""

    labelled: int
    right: int
    wrong: int
    absolute_errors: NDArray[np.float64]
    """Of those whose prediction is a number."""


class Judged(NamedTuple):
    """Predictions of which it is known whether they were right."""

    right: int
    wrong: int


def judged(counts: Iterable[bytes]) -> Judged:
    """The predictions in all that `LabelCounts.to_bytes` wrote, at a small part of what merging costs. Raises
    `UnreadableSummary`.

    Where more was retracted than given, as in a span that begins between the two, there are none.
    """
    states = [opened(MARK, data, LabelCountsState) for data in counts]
    return Judged(
        max(0, sum(state.given.right - state.retracted.right for state in states)),
        max(0, sum(state.given.wrong - state.retracted.wrong for state in states)),
    )


class _Part(Struct, kw_only=True, array_like=True):
    labelled: Count = 0
    right: Count = 0
    wrong: Count = 0
    errors: bytes = b""


class LabelCountsState(Struct, frozen=True, kw_only=True, array_like=True):
    """What `LabelCounts` keeps, as it is stored."""

    given: _Part
    retracted: _Part


class _Tally:
    """Labels that were given, or that were retracted."""

    def __init__(self, part: _Part | None = None) -> None:
        part = part or _Part()
        self.labelled, self.right, self.wrong = part.labelled, part.right, part.wrong
        self.errors = Moments.from_bytes(part.errors) if part.errors else Moments()

    def add(self, labels: Labels) -> None:
        self.labelled += labels.labelled
        self.right += labels.right
        self.wrong += labels.wrong
        if len(labels.absolute_errors):
            self.errors += moments(labels.absolute_errors)

    @property
    def largest_count(self) -> int:
        return max(self.labelled, self.right, self.wrong, self.errors.total)

    def merge(self, other: _Tally) -> None:
        self.labelled += other.labelled
        self.right += other.right
        self.wrong += other.wrong
        self.errors += other.errors

    def stored(self) -> _Part:
        errors = self.errors.to_bytes() if self.errors.total else b""
        return _Part(labelled=self.labelled, right=self.right, wrong=self.wrong, errors=errors)


class LabelCounts:
    """Counts of labels, and of what was retracted of them."""

    __slots__ = ("_given", "_retracted")

    def __init__(self) -> None:
        self._given, self._retracted = _Tally(), _Tally()

    @property
    def n(self) -> int:
        """Predictions of which something is known."""
        return self._given.labelled - self._retracted.labelled

    @property
    def right(self) -> int:
        """Of them, those that were right."""
        return self._given.right - self._retracted.right

    @property
    def wrong(self) -> int:
        """Of them, those that were wrong; of the others neither is known."""
        return self._given.wrong - self._retracted.wrong

    @property
    def largest_count(self) -> int:
        """The largest of all its counts."""
        return max(self._given.largest_count, self._retracted.largest_count)

    def give(self, labels: Labels) -> None:
        """Count labels."""
        self._given.add(labels)

    def retract(self, labels: Labels) -> None:
        """Take back labels that were counted before."""
        self._retracted.add(labels)

    def merge(self, other: LabelCounts) -> None:
        """Take in what `other` counted; it stays as it is."""
        self._given.merge(other._given)
        self._retracted.merge(other._retracted)

    def metrics(self) -> LabelMetrics:
        """What to show."""
        judged = self.right + self.wrong
        given, retracted = self._given.errors, self._retracted.errors
        n = given.count - retracted.count
        total = (given.mean or 0.0) * given.count - (retracted.mean or 0.0) * retracted.count
        return LabelMetrics(
            labelled=self.n,
            accuracy=self.right / judged if judged > 0 else None,
            mean_absolute_error=max(total / n, 0.0) if n > 0 else None,
        )

    def to_bytes(self) -> bytes:
        """As bytes with a version and a checksum."""
        return sealed(MARK, LabelCountsState(given=self._given.stored(), retracted=self._retracted.stored()))

    @classmethod
    def from_bytes(cls, data: bytes) -> LabelCounts:
        """The counts that `to_bytes` wrote. Raises `UnreadableSummary` for anything else."""
        stored = opened(MARK, data, LabelCountsState)
        read = cls()
        read._given, read._retracted = _Tally(stored.given), _Tally(stored.retracted)
        return read
