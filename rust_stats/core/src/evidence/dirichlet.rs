//! How much better a Dirichlet-multinomial explains counts than the multinomial of its own mean.
//!
//! With weights `a = A p` on the bins, `A` their sum, and a sequence of `n` events with counts `c`,
//!
//! ```text
//! DM(c; a) = Γ(A)/Γ(A + n) Π Γ(a_i + c_i)/Γ(a_i),      log_ratio = ln DM(c; a) - Σ c_i ln p_i
//! ```
//!
//! (the probability of the sequence, so without a multinomial coefficient). Differences of ln Γ at large
//! arguments would cancel 10 of 16 digits. With Stirling's formula, `ln Γ(x) = (x - 1/2) ln x - x + ln(2π)/2 +
//! μ(x)`, and `q_i = (a_i + c_i)/(A + n)`, the large parts cancel on paper instead, and what is left is
//!
//! ```text
//! log_ratio = (A + n) KL(q ‖ p) - (Σ ln(1 + c_i/a_i) - ln(1 + n/A))/2
//!           + Σ (μ(a_i + c_i) - μ(a_i)) - (μ(A + n) - μ(A))
//! ```
//!
//! where KL is a sum of terms that are never negative: `p_i φ(t_i)` with `q_i = p_i (1 + t_i)` and
//! `φ(t) = (1 + t) ln(1 + t) - t`.

use crate::float::{float, float_len};
use crate::special::stirling::stirling_error;

/// ln DM(c; A p) - Σ c ln p for p proportional to `weights` and A = `concentration`.
///
/// `total` is the sum of `weights`, all positive, and `n` that of `counts`.
pub(super) fn log_ratio(
    counts: &[u64],
    n: u64,
    weights: impl ExactSizeIterator<Item = f64>,
    total: f64,
    concentration: f64,
) -> f64 {
    let n = float(n);
    let bins = float_len(weights.len());
    let posterior = concentration + n;
    let growth = (n / concentration).ln_1p();
    let (mut divergence, mut logs, mut remainders) = (0.0, 0.0, 0.0);
    for (&count, weight) in counts.iter().zip(weights) {
        let (count, p) = (float(count), weight / total);
        let (before, expected) = (concentration * p, posterior * p);
        let excess = (count - n * p) / expected;
        let log = if excess.abs() < 0.5 { excess.ln_1p() } else { ((before + count) / expected).ln() };
        divergence += expected * phi(excess, log);
        logs += log;
        remainders += stirling_error(before + count) - stirling_error(before);
    }
    let remainder = stirling_error(posterior) - stirling_error(concentration);
    divergence - 0.5 * (logs + (bins - 1.0) * growth) + remainders - remainder
}

/// (1 + t) ln(1 + t) - t, given t and ln(1 + t).
fn phi(t: f64, log: f64) -> f64 {
    // Σ (-t)^j / (j (j - 1)) from j = 2; the first term left out is below 10⁻¹⁶ of the sum.
    const TERMS: [f64; 11] = [
        1.0 / 2.0,
        -1.0 / 6.0,
        1.0 / 12.0,
        -1.0 / 20.0,
        1.0 / 30.0,
        -1.0 / 42.0,
        1.0 / 56.0,
        -1.0 / 72.0,
        1.0 / 90.0,
        -1.0 / 110.0,
        1.0 / 132.0,
    ];
    const SERIES: f64 = 0.05;
    if t.abs() > SERIES {
        return (1.0 + t) * log - t;
    }
    t * t * TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term)
}

#[cfg(test)]
mod tests {
    use super::{log_ratio, phi};
    use crate::float::float;

    fn of(counts: &[u64], weights: &[f64], concentration: f64) -> f64 {
        let (n, total) = (counts.iter().sum(), weights.iter().sum());
        log_ratio(counts, n, weights.iter().copied(), total, concentration)
    }

    /// The definition as a product over single events.
    fn event_by_event(counts: &[u64], weights: &[f64], concentration: f64) -> f64 {
        let total: f64 = weights.iter().sum();
        let mut log = 0.0;
        for (&count, weight) in counts.iter().zip(weights) {
            let a = concentration * weight / total;
            log += (0..count).map(|seen| (float(seen) / a).ln_1p()).sum::<f64>();
        }
        let n: u64 = counts.iter().sum();
        log - (0..n).map(|seen| (float(seen) / concentration).ln_1p()).sum::<f64>()
    }

    #[test]
    fn it_is_the_product_over_single_events() {
        let cases: [(&[u64], &[f64]); 5] = [
            (&[3, 0, 9], &[1.0, 2.0, 3.0]),
            (&[1000, 0], &[0.5, 1e5]),
            (&[300, 310, 290, 305], &[1.0, 1.0, 1.0, 1.0]),
            (&[0, 7], &[1e-3, 40.0]),
            (&[20_000, 100, 5], &[7e5, 30.0, 0.5]),
        ];
        for (counts, weights) in cases {
            for concentration in [0.01, 1.0, 37.5, 1e4, 1e9] {
                let (found, wanted) =
                    (of(counts, weights, concentration), event_by_event(counts, weights, concentration));
                let error = (found - wanted).abs();
                assert!(
                    error <= 1e-10 * wanted.abs().max(1e-2),
                    "{found} {wanted} {counts:?} {concentration}"
                );
            }
        }
    }

    #[test]
    fn no_events_say_nothing_at_all() {
        assert!(of(&[0, 0], &[1.0, 3.0], 1e3).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn one_event_is_expected_by_either() {
        assert!(of(&[1, 0, 0], &[1.0, 2.0, 3.0], 7.0).abs() < 1e-13);
    }

    #[test]
    fn the_series_meets_the_formula() {
        for t in [-0.05_f64, 0.05] {
            let direct = (1.0 + t) * t.ln_1p() - t;
            assert!((phi(t, t.ln_1p()) - direct).abs() < 1e-16);
        }
    }
}
