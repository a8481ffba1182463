"""Summaries that merge: made where the data are, in constant memory, and added up over time and over a fleet.

See docs/statistics/summaries.md and docs/statistics/sketches.md.
"""

from edge_aiops._stats import (
    Baseline,
    CategoryReference,
    Histogram,
    Moments,
    NumericSummary,
    Profile,
    Reference,
    moments,
)

__all__ = [
    "Baseline",
    "CategoryReference",
    "Histogram",
    "Moments",
    "NumericSummary",
    "Profile",
    "Reference",
    "moments",
]
