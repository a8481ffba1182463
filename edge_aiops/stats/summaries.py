"""Summaries that merge: made where the data are, in constant memory, and added up over time and over a fleet.

Which to take when is said in docs/statistics/summaries.md and docs/statistics/sketches.md.
"""

from edge_aiops._stats import (
    Baseline,
    Categories,
    CategoryReference,
    DistinctCount,
    DistinctEstimate,
    Histogram,
    Latency,
    Moments,
    NumericSummary,
    Profile,
    Quantiles,
    Reference,
    moments,
)

__all__ = [
    "Baseline",
    "Categories",
    "CategoryReference",
    "DistinctCount",
    "DistinctEstimate",
    "Histogram",
    "Latency",
    "Moments",
    "NumericSummary",
    "Profile",
    "Quantiles",
    "Reference",
    "moments",
]
