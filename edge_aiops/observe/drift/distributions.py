"""How the values of a feature are distributed: over all cells for the tests, over few for a picture."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from edge_aiops.plugin.monitoring import Counts, Distribution
from edge_aiops.stats.summaries import CategoryReference, NumericSummary, Profile, Reference

MOST_CELLS = 20
"""Of a picture. Neighbouring bins are added up; labels beyond the most frequent ones are counted as other ones."""

_DIGITS = 6


class Picture(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A distribution, ready to plot: bar i holds `counts[i]` values, `shares[i]` of all that are there.

    Of a number, bar i reaches from `edges[i]` to `edges[i + 1]`, and `below` and `above` lie beyond the extremes of
    the baseline. Of a category, bar i is `labels[i]`, and `other` counts all other labels.
    """

    counts: list[int]
    shares: list[float]
    edges: list[float] | None = None
    labels: list[str] | None = None
    below: int = 0
    above: int = 0
    other: int = 0
    missing: int = 0
    """Rows without a value; in no bar and no share."""


def both_sides(profile: Profile, name: str) -> tuple[Distribution, Distribution]:
    """The distributions of a feature in the baseline of `profile` and in `profile`, over the same cells."""
    reference = profile.baseline[name]
    if isinstance(reference, Reference):
        return _of_numbers(reference, profile[name])
    return _of_labels(reference, profile, name)


def pictures(reference: Distribution, current: Distribution) -> tuple[Picture, Picture]:
    """Both sides with the same bars."""
    if reference.kind == "numeric":
        return _bins(reference), _bins(current)
    shown = np.argsort(-(reference.counts[:-1] + current.counts[:-1]), kind="stable")[:MOST_CELLS]
    return _labels(reference, shown), _labels(current, shown)


def _of_numbers(reference: Reference, summary: NumericSummary) -> tuple[Distribution, Distribution]:
    edges = tuple(reference.edges.tolist())
    first, second = (
        Distribution(
            kind="numeric", counts=histogram.counts[:-1].astype(np.int64), missing=histogram.missing, edges=edges
        )
        for histogram in (reference.histogram, summary.histogram)
    )
    return first, second


def _of_labels(reference: CategoryReference, profile: Profile, name: str) -> tuple[Distribution, Distribution]:
    counted, labels = profile[name], tuple(reference.categories.known)
    known = counted.known_counts
    ours = np.array([*known, counted.total - counted.missing - sum(known)], np.int64)
    return (
        Distribution(
            kind="category",
            counts=reference.cells.astype(np.int64),
            missing=reference.categories.missing,
            labels=labels,
        ),
        Distribution(kind="category", counts=ours, missing=counted.missing, labels=labels),
    )


def _bins(distribution: Distribution) -> Picture:
    inner = distribution.counts[1:-1]
    step = max(1, -(-len(inner) // MOST_CELLS))
    starts = range(0, len(inner), step)
    counts = np.add.reduceat(inner, starts) if len(inner) else inner
    return Picture(
        counts=counts.tolist(),
        shares=_shares(counts, distribution.n),
        edges=[distribution.edges[place] for place in (*starts, len(distribution.edges) - 1)] if len(inner) else [],
        below=int(distribution.counts[0]),
        above=int(distribution.counts[-1]),
        missing=distribution.missing,
    )


def _labels(distribution: Distribution, shown: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Picture:
    counts = distribution.counts[shown]
    return Picture(
        counts=counts.tolist(),
        shares=_shares(counts, distribution.n),
        labels=[distribution.labels[place] for place in shown],
        other=distribution.n - int(counts.sum()),
        missing=distribution.missing,
    )


def _shares(counts: Counts, of: int) -> list[float]:
    shares: list[float] = np.round(counts / max(of, 1), _DIGITS).tolist()
    return shares
