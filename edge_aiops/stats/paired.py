"""Two measurements of each of many things: is the second larger, and by how much?

What both values of a pair share, such as an input that is long or a machine that is busy, cancels out in their
difference. See docs/statistics/paired.md.
"""

from edge_aiops._stats import paired_shift, signed_rank_test

__all__ = ["paired_shift", "signed_rank_test"]
