"""Summaries of numbers, labels and durations in constant memory: made where the data are, and merged over time and
over a fleet.

Quantiles for percentiles of any numbers, Categories for labels, DistinctCount for how many different texts there were,
Latency for durations. Which to take when is said in docs/statistics/sketches.md.
"""

from edge_aiops._stats import Categories, DistinctCount, Estimate, Latency, Quantiles

__all__ = ["Categories", "DistinctCount", "Estimate", "Latency", "Quantiles"]
