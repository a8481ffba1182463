"""Baselines of data of which only descriptions are left, such as means and deviations, quantiles or shares.

See docs/statistics/descriptions.md.
"""

from edge_aiops.stats.descriptions.declared import Declared, declared
from edge_aiops.stats.descriptions.distributions import (
    DEFAULT_N,
    MOST_N,
    Described,
    UnknownDistribution,
    described,
)

__all__ = ["DEFAULT_N", "MOST_N", "Declared", "Described", "UnknownDistribution", "declared", "described"]
