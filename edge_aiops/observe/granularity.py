"""The widths of windows. Windows begin at multiples of their width since the epoch, so hours and days are UTC's."""

from __future__ import annotations

from typing import Literal

Granularity = Literal["5min", "hourly", "daily"]

WIDTH_MS: dict[Granularity, int] = {"5min": 300_000, "hourly": 3_600_000, "daily": 86_400_000}
"""The width of each granularity in milliseconds, the finest first."""


def window_start(at_ms: int, granularity: Granularity) -> int:
    """The beginning of the window that a moment lies in, in milliseconds since the epoch."""
    return at_ms - at_ms % WIDTH_MS[granularity]
