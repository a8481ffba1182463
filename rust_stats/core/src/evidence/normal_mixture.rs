//! The normal mixture: a sum whose variance is known, tried against normal alternatives of every size.
//!
//! For a sum s of centred values that is sub-Gaussian with variance v, and a mixture N(0, 1/ρ) of slopes,
//!
//! ```text
//! two-sided: log e = ln(ρ/(v + ρ))/2 + s²/(2(v + ρ))
//! one-sided: log e = ln(4ρ/(v + ρ))/2 + s²/(2(v + ρ)) + ln Φ(s/√(v + ρ))
//! ```
//!
//! Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals
//! of Statistics 49 (2021), propositions 4 and 5, with their choice (3.7) of ρ for a v at which to be tightest.

use super::{level, positive};
use crate::error::Error;
use crate::special::normal_upper;

/// Whether a bound holds on one side or on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// P(sum ever above the bound) <= alpha.
    One,
    /// P(sum ever further from zero than the bound) <= alpha.
    Two,
}

/// The bound that a centred sum of variance `v` exceeds at any v with probability at most `alpha`.
///
/// It is about tightest at the variance `v_opt` for the level `alpha_opt`.
///
/// # Errors
///
/// [`Error::Argument`] unless `v >= 0`, `v_opt > 0`, both finite, and `alpha` and `alpha_opt` lie between 0 and
/// 1, `alpha_opt` of a one-sided bound below 1/2, and where the bound is beyond the range of float64.
///
/// ```
/// # use edge_aiops_stats_core::{Sides, normal_mixture_bound};
/// let bound = normal_mixture_bound(1000.0, 0.05, 100.0, 0.05, Sides::One)?;
/// assert!((bound - 94.39391616939474).abs() < 1e-9);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn normal_mixture_bound(
    v: f64,
    alpha: f64,
    v_opt: f64,
    alpha_opt: f64,
    sides: Sides,
) -> Result<f64, Error> {
    if !(0.0..f64::INFINITY).contains(&v) {
        return Err(Error::argument("v", format!("must be finite and not negative, but is {v:?}")));
    }
    let log_threshold = -level("alpha", alpha)?.ln();
    positive("v_opt", v_opt)?;
    level("alpha_opt", alpha_opt)?;
    if sides == Sides::One && alpha_opt >= 0.5 {
        let problem = format!("must be below 0.5 for a one-sided bound, but is {alpha_opt:?}; 0.05 is usual");
        return Err(Error::argument("alpha_opt", problem));
    }
    let rho = match sides {
        Sides::One => best_rho(v_opt, 2.0 * alpha_opt),
        Sides::Two => best_rho(v_opt, alpha_opt),
    };
    let two_sided = two_sided_bound(v, rho, log_threshold);
    if !two_sided.is_finite() {
        let problem = format!(
            "must be closer to v or smaller: for {v_opt:?} and {v:?} the bound is beyond the range of float64"
        );
        return Err(Error::argument("v_opt", problem));
    }
    Ok(match sides {
        Sides::Two => two_sided,
        // Where the two-sided mixture reaches the threshold, the one-sided has passed it.
        Sides::One => super::root::crossing(0.0, two_sided, |s| one_sided_log_e(s, v, rho) >= log_threshold),
    })
}

/// The ρ that makes the two-sided bound at level `alpha` about tightest at the variance `v`.
pub(super) fn best_rho(v: f64, alpha: f64) -> f64 {
    let twice = -2.0 * alpha.ln();
    v / (twice + twice.ln_1p())
}

pub(super) fn two_sided_bound(v: f64, rho: f64, log_threshold: f64) -> f64 {
    ((v + rho) * ((v / rho).ln_1p() + 2.0 * log_threshold)).sqrt()
}

/// Logarithm of the two-sided mixture for a sum of `deviations` of √v.
pub(super) fn two_sided_log_e(deviations: f64, v: f64, rho: f64) -> f64 {
    0.5 * (deviations * deviations * (v / (v + rho)) - (v / rho).ln_1p())
}

fn one_sided_log_e(s: f64, v: f64, rho: f64) -> f64 {
    let scaled = s / (v + rho).sqrt();
    0.5 * (scaled * scaled + 4_f64.ln() - (v / rho).ln_1p()) + (-normal_upper(scaled)).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::{Sides, normal_mixture_bound};

    #[test]
    fn the_bounds_are_those_of_confseq() {
        let cases = [
            (10.0, 11.492_681_796_253_237),
            (100.0, 27.660_708_830_694_603),
            (1e3, 94.393_916_169_394_74),
            (1e4, 332.797_156_783_897_2),
            (1e6, 3_957.394_301_021_822),
        ];
        for (v, wanted) in cases {
            let found = normal_mixture_bound(v, 0.05, 100.0, 0.05, Sides::One).unwrap();
            assert!((found / wanted - 1.0).abs() < 1e-11, "{found} {wanted}");
        }
    }

    #[test]
    fn no_argument_brings_it_down() {
        let numbers = [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0, 5e-324, 0.05, 0.5, 1.0, 1e308, f64::INFINITY];
        for v in numbers {
            for alpha in numbers {
                for sides in [Sides::One, Sides::Two] {
                    if let Ok(bound) = normal_mixture_bound(v, alpha, 100.0, 0.05, sides) {
                        assert!(bound > 0.0);
                    }
                    if let Ok(bound) = normal_mixture_bound(1.0, 0.05, v, alpha, sides) {
                        assert!(bound > 0.0);
                    }
                }
            }
        }
    }
}
