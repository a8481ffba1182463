//! The likelihood-ratio test of two samples for one distribution.

use super::chi_square::contingency;
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
/// over both sides of every cell. Pooling, the exact test of a rest, warnings and the effect size
/// √(G / (n + m)), which is Cramér's V with G for χ², are those of the chi-square test.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn g_test(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    Ok(contingency(&Pair::new(reference, current)?, METHOD, |[reference, current], [n, m]| {
        let surplus = (reference / n - current / m) / (1.0 / n + 1.0 / m);
        let sum = reference + current;
        2.0 * (deviance(reference, n / (n + m) * sum, surplus)
            + deviance(current, m / (n + m) * sum, -surplus))
    }))
}

/// o ln(o/e) − (o − e) for `surplus` = o − e. The surpluses of a side add up to nothing, so that taking them
/// off changes no sum, and leaves no term with large parts that cancel.
pub(super) fn deviance(observed: f64, expected: f64, surplus: f64) -> f64 {
    if observed > 0.0 { observed * log_excess(-surplus / observed, expected / observed) } else { expected }
}
