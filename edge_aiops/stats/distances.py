"""Tests and distances on counts: have the shares of bins or categories changed, and by how much?

Each takes the counts of the reference and of the current sample over the same cells and gives a TestResult. They
work on what summaries hold, so the data themselves are not needed. See docs/statistics/distances.md.
"""

from edge_aiops._stats import (
    binned_ks_test,
    binned_wasserstein_distance,
    chi_square_test,
    each_against_others,
    fisher_exact_test,
    g_test,
    hellinger_distance,
    jensen_shannon_distance,
    kullback_leibler_divergence,
    psi,
    psi_without_drift,
    total_variation_distance,
)

__all__ = [
    "binned_ks_test",
    "binned_wasserstein_distance",
    "chi_square_test",
    "each_against_others",
    "fisher_exact_test",
    "g_test",
    "hellinger_distance",
    "jensen_shannon_distance",
    "kullback_leibler_divergence",
    "psi",
    "psi_without_drift",
    "total_variation_distance",
]
