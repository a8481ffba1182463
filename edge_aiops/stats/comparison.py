"""A profile against its baseline, once: which features have drifted, by how much, and how sure that is.

See docs/statistics/comparison.md. Whoever looks again and again wants `edge_aiops.stats.evidence`.
"""

from edge_aiops._stats import Comparison, FeatureComparison, compare

__all__ = ["Comparison", "FeatureComparison", "compare"]
