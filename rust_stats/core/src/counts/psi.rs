//! The population stability index.

use super::pair::Pair;
use crate::error::Error;
use crate::float::{float, float_len};
use crate::result::TestResult;

const METHOD: &str = "psi";
const EFFECT: &str = "psi";

/// Population stability index of the current sample against the reference.
///
/// ```text
/// PSI = Σ (p − q) ln(p / q),    p = (r + ½) / (n + k/2),    q = (c + ½) / (m + k/2)
/// ```
///
/// for k cells. Jeffreys' half is part of the definition, the same for every n: no constant to choose, no
/// infinity, and a cell that both sides lack changes next to nothing.
///
/// Fixed thresholds such as 0.1 and 0.2 ignore the sample sizes: without drift the index is expected to be
/// [`psi_without_drift`]. There is no p-value: index / (1/n + 1/m) has nearly a chi-square distribution where cells are
/// well filled, but rejects up to every sample where a large reference has many rare categories. For a decision take
/// [`chi_square_test`](super::chi_square_test).
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn psi(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let index = pair.smoothed_shares().map(|[p, q]| (p - q) * ln_ratio(p, q)).sum();
    Ok(pair.distance(METHOD, EFFECT, index))
}

/// ln(p / q) with all digits, whether p and q are nearly equal or one is next to nothing.
fn ln_ratio(p: f64, q: f64) -> f64 {
    let excess = (p - q) / q;
    if excess.abs() < 0.5 { excess.ln_1p() } else { (p / q).ln() }
}

/// What the index is expected to be where nothing has changed: (k − 1) (1/n + 1/m) for k cells and samples of n
/// and m values; infinite for a sample of none.
///
/// To first order, for cells of which each side has many values: Yurdakul and Naranjo, Journal of Risk Model Validation 14 (2020), 89.
///
/// ```
/// use edge_aiops_stats_core::counts::psi_without_drift;
///
/// let expected = psi_without_drift(11, 1_000_000, 100);
/// assert!(expected > 0.1 && expected < 0.1001);
/// ```
#[must_use]
pub fn psi_without_drift(cells: usize, n_reference: u64, n_current: u64) -> f64 {
    if cells < 2 {
        return 0.0;
    }
    (float_len(cells) - 1.0) * (1.0 / float(n_reference) + 1.0 / float(n_current))
}
