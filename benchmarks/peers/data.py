"""The inputs of every contender, made from seeds by each for itself.

Read by every contender's Python, so it needs nothing but NumPy.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

FEATURES = 100
EVENT_FEATURES = 20
WINDOW = 300
NODES = 1_000


def reference() -> NDArray[np.float64]:
    """100,000 standard normal values."""
    return np.random.default_rng(0).normal(size=100_000)


def current(length: int) -> NDArray[np.float64]:
    """Values that moved by a twentieth of a deviation."""
    return np.random.default_rng(1).normal(0.05, 1, length)


def quantile_edges(bins: int) -> NDArray[np.float64]:
    """The inner edges of so many bins that hold equally much of the reference each."""
    return np.quantile(reference(), np.linspace(0, 1, bins + 1)[1:-1])


def columns(side: str, *, features: int = FEATURES, rows: int = 100_000) -> dict[str, NDArray[np.float64]]:
    """Named features, of which every tenth moves between the "reference" and the "current" side.

    The first features are the same values whatever number of them is asked for.
    """
    made = {}
    for place in range(features):
        random = np.random.default_rng([place, side == "current"])
        moved = 0.1 * (side == "current" and place % 10 == 0)
        made[f"feature_{place:03}"] = random.normal(moved, 1, rows)
    return made


def event() -> dict[str, float]:
    """One event of 20 features."""
    values = np.random.default_rng(2).normal(size=EVENT_FEATURES)
    return {f"feature_{place:03}": float(value) for place, value in enumerate(values)}


def payloads(events: int, *, features: int = EVENT_FEATURES) -> list[str]:
    """The features of so many events as the JSON text that callers send."""
    named = columns("current", features=features, rows=events)
    rows = zip(*(values.tolist() for values in named.values()), strict=True)
    return [json.dumps(dict(zip(named, row, strict=True))) for row in rows]


def categories(*, shared: bool) -> list[str]:
    """A million strings of 50 categories; each an object of its own, or 50 objects that are pointed at."""
    names = [f"category-{place:02}" for place in range(50)]
    places = np.random.default_rng(3).integers(0, len(names), 1_000_000).tolist()
    if shared:
        return [names[place] for place in places]
    return [f"category-{place:02}" for place in places]


def node_counts() -> NDArray[np.uint64]:
    """Bin counts [NODES, FEATURES, 67]: 64 bins, under, over and missing, of a window of 300 events."""
    return np.random.default_rng(4).multinomial(WINDOW, np.full(67, 1 / 67), (NODES, FEATURES)).astype(np.uint64)
