//! The total variation distance.

use super::pair::Pair;
use crate::error::Error;
use crate::result::TestResult;

const METHOD: &str = "total variation distance";
const EFFECT: &str = "total variation";

/// Total variation distance ½ Σ |p − q| of the shares p and q: the share of values that would have to change
/// cells. 0 for equal shares, 1 where no cell is shared.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn total_variation_distance(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let difference: f64 = pair.shares().map(|[p, q]| (p - q).abs()).sum();
    Ok(pair.distance(METHOD, EFFECT, (difference / 2.0).min(1.0)))
}
