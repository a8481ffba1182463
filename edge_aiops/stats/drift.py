"""Has a feature drifted? Tests and distances between a reference and a current sample of numbers.

Tests say whether a difference is more than chance, effect sizes how large it is. All take NumPy arrays and give
a TestResult. A SortedReference is prepared once and compared with many samples. See
docs/statistics/drift-tests.md.
"""

from edge_aiops._stats import (
    SortedReference,
    anderson_darling_test,
    cramer_von_mises_test,
    energy_distance,
    ks_test,
    mann_whitney_test,
    wasserstein_distance,
)

__all__ = [
    "SortedReference",
    "anderson_darling_test",
    "cramer_von_mises_test",
    "energy_distance",
    "ks_test",
    "mann_whitney_test",
    "wasserstein_distance",
]
