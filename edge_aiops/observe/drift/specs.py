"""The built-in drift tests as they are registered; nothing of weight is imported."""

from __future__ import annotations

from edge_aiops.plugin.specs import DriftTestSpec

_METHODS = "edge_aiops.observe.drift.methods"

DRIFT_TESTS = (
    DriftTestSpec(
        name="ks_test",
        factory=f"{_METHODS}:KsTest",
        description="Kolmogorov and Smirnov: the largest difference of the cumulative shares",
        kinds=("numeric",),
        decides="p_value",
    ),
    DriftTestSpec(
        name="chi_square",
        factory=f"{_METHODS}:ChiSquare",
        description="Pearson: whether the shares of labels, or of groups of bins, have changed",
        decides="p_value",
    ),
    DriftTestSpec(
        name="missingness",
        factory=f"{_METHODS}:Missingness",
        description="Fisher: whether more or fewer values are missing",
        decides="p_value",
    ),
    DriftTestSpec(
        name="psi",
        factory=f"{_METHODS}:population_stability_index",
        description="Population stability index",
        decides="distance",
        threshold=0.2,
    ),
    DriftTestSpec(
        name="jensen_shannon",
        factory=f"{_METHODS}:jensen_shannon",
        description="Jensen and Shannon's distance, from 0 to 1",
        decides="distance",
        threshold=0.1,
    ),
    DriftTestSpec(
        name="wasserstein",
        factory=f"{_METHODS}:Wasserstein",
        description="How far the values have moved, in deviations of the baseline",
        kinds=("numeric",),
        decides="distance",
        threshold=0.1,
    ),
    DriftTestSpec(
        name="kullback_leibler",
        factory=f"{_METHODS}:kullback_leibler",
        description="Kullback and Leibler's divergence from the baseline, in nats",
        decides="distance",
        threshold=0.1,
    ),
    DriftTestSpec(
        name="hellinger",
        factory=f"{_METHODS}:hellinger",
        description="Hellinger's distance, from 0 to 1",
        decides="distance",
        threshold=0.1,
    ),
    DriftTestSpec(
        name="total_variation",
        factory=f"{_METHODS}:total_variation",
        description="The largest difference of the probability of any set of values, from 0 to 1",
        decides="distance",
        threshold=0.1,
    ),
)
