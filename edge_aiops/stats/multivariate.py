"""Comparisons of rows of many features: changes of their joint behaviour that no single feature shows.

Prepare a reference once and compare every window with it: `PcaReference` sees that features no longer vary
together as they did, `MmdReference` any difference between two distributions of rows. `cosine_shift_test` asks
whether embeddings point another way on average. See docs/statistics/multivariate.md.
"""

from edge_aiops._stats import MmdReference, PcaReference, cosine_shift_test

__all__ = ["MmdReference", "PcaReference", "cosine_shift_test"]
