//! The divergence of Kullback and Leibler.

use super::g::deviance;
use super::pair::Pair;
use crate::error::Error;
use crate::result::TestResult;

const METHOD: &str = "kullback-leibler divergence, current from reference";
const EFFECT: &str = "kullback-leibler";

/// Kullback-Leibler divergence of the current sample from the reference, in nats.
///
/// ```text
/// D(current || reference) = Σ q ln(q / p),    p = (r + ½) / (n + k/2),    q = (c + ½) / (m + k/2)
/// ```
///
/// for k cells: what it costs to take the reference's distribution for the current one. Jeffreys' half is part
/// of the definition; without it one category that the reference does not have makes the divergence infinite.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn kullback_leibler_divergence(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let divergence = pair.smoothed_shares().map(|[p, q]| deviance(q, p, q - p)).sum();
    Ok(pair.distance(METHOD, EFFECT, divergence))
}
