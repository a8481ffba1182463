//! The distance of Hellinger.

use super::pair::Pair;
use crate::error::Error;
use crate::result::TestResult;

const METHOD: &str = "hellinger distance";
const EFFECT: &str = "hellinger";

/// Hellinger distance √(½ Σ (√p − √q)²) of the shares p and q: 0 for equal shares, 1 where no cell is shared.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn hellinger_distance(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let squares: f64 = pair.shares().map(|[p, q]| (p.sqrt() - q.sqrt()).powi(2)).sum();
    Ok(pair.distance(METHOD, EFFECT, (squares / 2.0).sqrt().min(1.0)))
}
