"""A binned distribution as histograms that can be drawn: bins of equal width over the range where nearly all is.

The bins of a reference are cut at its quantiles, so their widths differ by orders of magnitude. Within a bin the
values are taken as spread evenly, which is what a picture of it would show as well.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_aiops.stats.summaries import Quantiles

BARS = 48
_TAIL = 0.005
_STEPS = 32

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

    What lies under and over them has no bins; `quantiles` tells how it is spread there.
    """

    def __init__(self, edges: NDArray[np.float64], counts: NDArray[np.uint64], quantiles: Quantiles) -> None:
        sums = np.cumsum(counts.astype(np.float64))
        sums /= max(sums[-1], 1.0)
        low, high = float(edges[0]), float(edges[-1])
        under = np.linspace(0.0, sums[0], _STEPS, endpoint=False)
        over = np.linspace(1.0, sums[-2], _STEPS, endpoint=False)[::-1]
        self.places = np.concatenate(
            (np.minimum(_places(quantiles, under, low), low), edges, np.maximum(_places(quantiles, over, high), high))
        )
        self.shares = np.concatenate((under, sums[:-1], over))

    def share_below(self, value: Any) -> Any:
        """The share of values below each `value`."""
        return np.interp(value, self.places, self.shares, left=0.0, right=1.0)

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
    of_reference, of_current = reference.share_below(edges), current.share_below(edges)
    return Histograms(
        edges=edges.tolist(),
        reference=np.diff(of_reference).tolist(),
        current=np.diff(of_current).tolist(),
        reference_lower=float(of_reference[0]),
        reference_higher=float(1 - of_reference[-1]),
        current_lower=float(of_current[0]),
        current_higher=float(1 - of_current[-1]),
    )


def _places(quantiles: Quantiles, shares: NDArray[np.float64], fallback: float) -> NDArray[np.float64]:
    """The finite values below which these shares lie."""
    places = np.array(quantiles.quantiles(shares.tolist()) or [fallback] * len(shares))
    return np.where(np.isfinite(places), places, fallback)
