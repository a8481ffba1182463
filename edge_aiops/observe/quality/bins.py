"""What the bins of a baseline tell of later values: how many lie beyond a limit, and whether they stand still.

Only counts are looked at, so no value is touched twice. A bin is beyond a limit where all of it is. The two cells past
the extremes of the baseline have no other border: whether some value in them is beyond a limit is known from the
extremes of the values, how many are is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edge_aiops.stats.summaries import Categories, CategoryReference, Moments, NumericSummary, Reference

TUKEY_OUTER = 3.0
"""Interquartile ranges from a quartile to its outer fence (Tukey, Exploratory Data Analysis, 1977)."""
LEAST_DIFFERENT = 20
"""A feature stands still where by the baseline at least so many of its values should have differed."""

Cells = np.ndarray[Any, np.dtype[np.uint64]]


class Values(NamedTuple):
    """Numbers as counts on the bins of a reference, with their extremes."""

    cells: Cells
    """Below all edges, in each bin, above all edges."""
    minimum: float | None
    maximum: float | None
    infinite: int

    @classmethod
    def of(cls, counted: Reference | NumericSummary) -> Values:
        """The values of a reference itself, or of what was counted on it."""
        moments: Moments = counted.moments
        return cls(counted.histogram.counts[:-1], moments.minimum, moments.maximum, moments.infinite)

    @property
    def n(self) -> int:
        """How many there are."""
        return int(self.cells.sum())


def beyond(values: Values, reference: Reference, low: float | None, high: float | None) -> int:
    """How many finite values are below `low` or above `high`, at most: of a cell beyond the extremes of the reference,
    all are where any is."""
    edges, cells = reference.edges, values.cells
    count = 0
    if low is not None and values.minimum is not None and values.minimum < low:
        count += int(cells[: max(1, int(np.searchsorted(edges, low, side="right")))].sum())
    if high is not None and values.maximum is not None and values.maximum > high:
        count += int(cells[min(len(cells) - 1, int(np.searchsorted(edges, high, side="left")) + 1) :].sum())
    # Infinite values are in the outer cells as well, and are counted on their own.
    return max(0, count - values.infinite)


def outer_fences(reference: Reference) -> tuple[float, float] | None:
    """Tukey's outer fences of the reference; None where its quartiles are the same, so that nothing lies between."""
    inner = reference.histogram.counts[1:-2]
    if not inner.sum():
        return None
    shares = np.cumsum(inner) / inner.sum()
    lower, upper = (float(reference.positions[np.searchsorted(shares, quarter)]) for quarter in (0.25, 0.75))
    distance = TUKEY_OUTER * (upper - lower)
    return (lower - distance, upper + distance) if distance > 0 else None


def numbers_stand_still(values: Values, reference: Reference) -> bool:
    """Whether all values are the same, although those of the reference are not."""
    if values.minimum is None or values.minimum != values.maximum or values.infinite:
        return False
    before = Values.of(reference)
    if before.minimum == before.maximum:
        return False
    cell = int(np.searchsorted(reference.edges, values.minimum, side="right"))
    return _should_have_differed(values.n, int(before.cells[cell]), before.n)


def labels_stand_still(labels: Categories, reference: CategoryReference) -> bool:
    """Whether all labels are the same known one, although those of the reference are not."""
    seen = [place for place, count in enumerate(labels.known_counts) if count]
    if len(seen) != 1 or labels.known_counts[seen[0]] != labels.total - labels.missing:
        return False
    return _should_have_differed(labels.count, int(reference.cells[seen[0]]), int(reference.cells.sum()))


def _should_have_differed(n: int, same: int, total: int) -> bool:
    return total > 0 and n * (total - same) >= LEAST_DIFFERENT * total
