//! The beta distribution.

use super::stirling::{log_excess, stirling_error};
use std::f64::consts::TAU;

/// Regularised incomplete beta function, `I_x(a, b)`, for `0 <= x <= 1` and parameters of at least 10⁻²⁹⁰ whose
/// sum is at most 10¹⁰; NaN elsewhere.
///
/// Relative error below 10⁻¹¹ for a and b from 10⁻² to 10⁶, however small the value; for larger ones it grows to
/// 10⁻¹⁰, for smaller ones it is the absolute error that stays below 10⁻¹⁴.
#[must_use]
pub fn beta_regularised(a: f64, b: f64, x: f64) -> f64 {
    if !(a >= 1e-290 && b >= 1e-290 && a + b <= 1e10 && (0.0..=1.0).contains(&x)) {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return x;
    }
    // The continued fraction converges fast on its own side of the mean.
    let value = if x <= (a + 1.0) / (a + b + 2.0) {
        power_term(a, b, x, 1.0 - x) * fraction(a, b, x) / a
    } else {
        1.0 - power_term(b, a, 1.0 - x, x) * fraction(b, a, 1.0 - x) / b
    };
    value.clamp(0.0, 1.0)
}

/// x^a y^b / B(a, b) with y = 1 − x.
#[expect(clippy::many_single_char_names, reason = "the names of the formula")]
fn power_term(a: f64, b: f64, x: f64, y: f64) -> f64 {
    // As in Loader, Fast and accurate computation of binomial probabilities (2000): with
    // d = (a + b) x − a the large parts of the logarithms cancel before they are computed.
    let distance = b * x - a * y;
    let n = a + b;
    let exponent = a * log_excess(distance / a, x / a * n) + b * log_excess(-distance / b, y / b * n);
    let corrections = stirling_error(n) - stirling_error(a) - stirling_error(b);
    (corrections - exponent).exp() * (a / n * b / TAU).sqrt()
}

/// The continued fraction DLMF 8.17.22, evaluated by Lentz's method.
#[expect(clippy::many_single_char_names, reason = "the names of the formula")]
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let sum = a + b;
    let mut c = 1.0;
    let mut d = 1.0 / (1.0 - sum * x / (a + 1.0));
    let mut fraction = d;
    let mut m = 0.0;
    // The steps grow with the root of the larger parameter; the bound only says that it ends.
    while m < 1e6 {
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / (1.0 + even * d);
        c = 1.0 + even / c;
        fraction *= c * d;
        let odd = -(a + m) * (sum + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / (1.0 + odd * d);
        c = 1.0 + odd / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::beta_regularised;

    #[test]
    fn with_one_parameter_one_it_is_a_power() {
        for x in [1e-200_f64, 0.01, 0.3, 0.5, 0.9] {
            for a in [0.02, 0.5, 1.0, 7.0, 300.0] {
                let expected = x.powf(a);
                let error = (beta_regularised(a, 1.0, x) - expected).abs();
                assert!(error <= 1e-12 * expected, "{a} {x}");
            }
        }
    }

    #[test]
    fn the_sides_mirror_each_other() {
        for [a, b] in [[0.3, 2.0], [40.0, 60.0], [1e4, 5.0], [1e6, 2e6], [1e9, 1e9]] {
            for x in [0.25, 0.375, 0.5, 0.75] {
                let sum = beta_regularised(a, b, x) + beta_regularised(b, a, 1.0 - x);
                assert!((sum - 1.0).abs() < 1e-10, "{a} {b} {x}");
            }
        }
    }

    #[test]
    fn what_has_no_value_is_not_a_number_and_what_has_one_never_is_none() {
        let outside =
            [[0.0, 1.0, 0.5], [1.0, -1.0, 0.5], [1.0, 1.0, 1.5], [1.0, 1.0, f64::NAN], [1e300, 1.0, 0.5]];
        assert!(outside.iter().all(|[a, b, x]| beta_regularised(*a, *b, *x).is_nan()));
        let positive = [1e-290, 1e-9, 0.5, 1.0, 1e6, 4e9];
        for a in positive {
            for b in positive {
                for x in [0.0, 5e-324, 1e-9, 0.5, 1.0_f64.next_down(), 1.0] {
                    assert!((0.0..=1.0).contains(&beta_regularised(a, b, x)), "{a} {b} {x}");
                }
            }
        }
    }
}
