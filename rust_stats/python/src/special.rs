//! Special functions for Python: numbers in, numbers out.

use edge_aiops_stats_core::special;
use pyo3::prelude::*;

/// Natural logarithm of the gamma function of x > 0; NaN elsewhere.
///
/// Relative error below 1e-15.
#[pyfunction]
#[pyo3(signature = (x, /))]
pub fn ln_gamma(x: f64) -> f64 {
    special::ln_gamma(x)
}

/// Regularised lower incomplete gamma function P(a, x) for a > 0, x >= 0; NaN elsewhere.
///
/// As accurate as gamma_upper.
#[pyfunction]
#[pyo3(signature = (a, x, /))]
pub fn gamma_lower(a: f64, x: f64) -> f64 {
    special::gamma_lower(a, x)
}

/// Regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x) for a > 0, x >= 0; NaN elsewhere.
#[pyfunction]
#[pyo3(signature = (a, x, /))]
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    special::gamma_upper(a, x)
}

/// Regularised incomplete beta function I_x(a, b) for a, b > 0, 0 <= x <= 1; NaN elsewhere.
#[pyfunction]
#[pyo3(signature = (a, b, x, /))]
pub fn beta_regularised(a: f64, b: f64, x: f64) -> f64 {
    special::beta_regularised(a, b, x)
}

/// Upper tail of the standard normal distribution, P(Z > z).
#[pyfunction]
#[pyo3(signature = (z, /))]
pub fn normal_upper(z: f64) -> f64 {
    special::normal_upper(z)
}

/// The z with P(Z < z) = p of the standard normal distribution, for 0 <= p <= 1; NaN elsewhere.
#[pyfunction]
#[pyo3(signature = (p, /))]
pub fn normal_quantile(p: f64) -> f64 {
    special::normal_quantile(p)
}

/// Upper tail of the chi-square distribution, P(X > x), with degrees > 0 degrees of freedom.
#[pyfunction]
#[pyo3(signature = (x, degrees, /))]
pub fn chi_square_upper(x: f64, degrees: f64) -> f64 {
    special::chi_square_upper(x, degrees)
}
