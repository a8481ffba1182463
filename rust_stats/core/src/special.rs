//! Special functions, from the crate statrs, with every argument answered.

use statrs::function::{beta, erf, gamma};

/// Natural logarithm of the gamma function of `x > 0`; NaN elsewhere.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x > 0.0 { gamma::ln_gamma(x) } else { f64::NAN }
}

/// Regularised upper incomplete gamma function Q(a, x) for `a > 0, x >= 0`; NaN elsewhere.
#[must_use]
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    gamma::checked_gamma_ur(a, x).unwrap_or(f64::NAN)
}

/// Regularised incomplete beta function Iₓ(a, b) for `a, b > 0, 0 <= x <= 1`; NaN elsewhere.
#[must_use]
pub fn beta_regularised(a: f64, b: f64, x: f64) -> f64 {
    beta::checked_beta_reg(a, b, x).unwrap_or(f64::NAN)
}

/// Upper tail of the standard normal distribution, P(Z > z).
#[must_use]
pub fn normal_upper(z: f64) -> f64 {
    erf::erfc(z / std::f64::consts::SQRT_2) / 2.0
}

/// Upper tail of the chi-square distribution with `degrees` degrees of freedom, P(X > x).
#[must_use]
pub fn chi_square_upper(x: f64, degrees: f64) -> f64 {
    gamma_upper(degrees / 2.0, x / 2.0)
}
