"""A binned distribution as histograms that can be drawn: bins of equal width over the range where nearly all is.

The bins of a reference are cut at its quantiles, so their widths differ by orders of magnitude. Within a bin the
values are taken as spread evenly, which is what a picture of it would show as well.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

BARS = 48
_TAIL = 0.005
_RANKS = 129
_CROWDED = 1 / 32
"""The share of a cell that is worth looking into."""

_NEAR, _FAR = 1, 12
"""How far beyond the range of the reference a picture goes, in widths of that range."""


class Histograms(msgspec.Struct, frozen=True, rename="camel"):
    """Shares of the values of both sides in bins of equal width, and of those beyond them; each sums to 1."""

    edges: list[float]
    reference: list[float]
    current: list[float]
    reference_lower: float
    reference_higher: float
    current_lower: float
    current_higher: float


class Cumulated:
    """How the values of one side are distributed: `counts` under, between and over the edges of the reference.

    At the edges it is exact. Where much lies between two of them, or far out, a `sample` tells how it is spread there.
    """

    def __init__(self, edges: NDArray[np.float64], counts: NDArray[np.uint64], sample: NDArray[np.float64]) -> None:
        below = np.concatenate(([0.0], np.cumsum(counts.astype(np.float64))))
        below /= max(below[-1], 1.0)
        ranks = np.linspace(0.0, 1.0, _RANKS)
        values = percentiles(sample, ranks)
        cells = np.searchsorted(edges, values, side="right")
        crowded = (np.diff(below) > _CROWDED) | ~_inner(len(edges) + 1)
        useful = np.isfinite(values) & crowded[np.minimum(cells, len(edges))]
        values, cells, ranks = values[useful], cells[useful], ranks[useful]
        places = np.concatenate((edges, values))
        shares = np.concatenate((below[1:-1], np.clip(ranks, below[cells], below[cells + 1])))
        order = np.lexsort((shares, places))
        self.places, self.shares = places[order], shares[order]

    def shares_between(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """The shares of values below all edges, from each edge to before the next, and above all edges.

        What equals the last edge lies before it: many values may.
        """
        below = np.interp(edges, self.places, self.shares, left=0.0, right=1.0)
        first = np.searchsorted(self.places, edges, side="left")
        after = np.searchsorted(self.places, edges, side="right")
        is_place = first < after
        below[is_place] = self.shares[first[is_place]]
        if is_place[-1]:
            below[-1] = self.shares[after[-1] - 1]
        return np.diff(below, prepend=0.0, append=1.0)

    def quantile(self, share: float) -> float:
        """The value below which that share lies."""
        return float(np.interp(share, self.shares, self.places))


def histograms(reference: Cumulated, current: Cumulated) -> Histograms | None:
    """Both sides on the same bins; None where they have no width, or more than a float can say."""
    low, high = reference.quantile(_TAIL), reference.quantile(1 - _TAIL)
    with np.errstate(over="ignore", invalid="ignore"):
        reach = _NEAR * (high - low)
        # Far values must not squeeze the reference into one bar, unless most of the current side is far away.
        if not low - reach <= current.quantile(0.5) <= high + reach:
            reach = _FAR * (high - low)
        low = min(low, max(current.quantile(_TAIL), low - reach))
        high = max(high, min(current.quantile(1 - _TAIL), high + reach))
        width = high - low
    if not (np.isfinite(width) and width > 0):
        return None
    edges = np.linspace(low, high, BARS + 1)
    of_reference, of_current = (side.shares_between(edges).tolist() for side in (reference, current))
    return Histograms(
        edges=edges.tolist(),
        reference=of_reference[1:-1],
        current=of_current[1:-1],
        reference_lower=of_reference[0],
        reference_higher=of_reference[-1],
        current_lower=of_current[0],
        current_higher=of_current[-1],
    )


def percentiles(sample: NDArray[np.float64], ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of a sample without NaN below which these shares of it lie; NaN where it is empty."""
    if not len(sample):
        return np.full(len(ranks), np.nan)
    found: NDArray[np.float64] = np.quantile(sample, ranks, method="inverted_cdf")
    return found


def _inner(cells: int) -> NDArray[np.bool_]:
    """Which cells are not among the two on either end, which are wide."""
    inner = np.zeros(cells, np.bool_)
    inner[2:-2] = True
    return inner
