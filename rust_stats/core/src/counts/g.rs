//! The likelihood-ratio test of two samples for one distribution.

use super::chi_square::Contingency;
use super::pair::Pair;
use crate::error::Error;
use crate::result::TestResult;
use crate::special::stirling::log_excess;

const METHOD: &str = "g, two samples";

/// The G-test: the likelihood ratio where [`chi_square_test`](super::chi_square_test) has squared differences.
///
/// ```text
/// G = 2 Σ observed ln(observed / expected),    cells − 1 degrees of freedom
/// ```
///
/// over both sides of every cell. For p, G is divided by the factor of Williams (Biometrika 63 (1976), 33),
///
/// ```text
/// 1 + (N/n + N/m − 1) (Σ N/s − 1) / (6 N (cells − 1)),    N = n + m, s the sum of a cell
/// ```
///
/// without which the test rejects too often where few are expected. Pooling, the exact test of a rest, the effect
/// size, Cramér's V, and warnings are those of the chi-square test.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn g_test(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    Ok(Contingency { method: METHOD, contribution, williams: true }.of(&Pair::new(reference, current)?))
}

fn contribution([reference, current]: [f64; 2], [n, m]: [f64; 2]) -> f64 {
    let surplus = (reference / n - current / m) / (1.0 / n + 1.0 / m);
    let share = (reference + current) / (n + m);
    2.0 * (deviance(reference, share * n, surplus) + deviance(current, share * m, -surplus))
}

/// o ln(o/e) − (o − e) for `surplus` = o − e. The surpluses of a side add up to nothing, so that taking them
/// off changes no sum, and leaves no term with large parts that cancel.
pub(super) fn deviance(observed: f64, expected: f64, surplus: f64) -> f64 {
    if observed > 0.0 { observed * log_excess(-surplus / observed, expected / observed) } else { expected }
}
