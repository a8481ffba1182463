"""Special functions: the tails that p-values are, with stated accuracy, without importing SciPy.

Numbers in, numbers out; NaN where a function is not defined. See docs/statistics/special.md.
"""

from edge_aiops._stats import (
    beta_regularised,
    chi_square_upper,
    gamma_lower,
    gamma_upper,
    kolmogorov_upper,
    ln_gamma,
    normal_quantile,
    normal_upper,
)

__all__ = [
    "beta_regularised",
    "chi_square_upper",
    "gamma_lower",
    "gamma_upper",
    "kolmogorov_upper",
    "ln_gamma",
    "normal_quantile",
    "normal_upper",
]
