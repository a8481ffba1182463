//! The distance of Jensen and Shannon.

use super::g::deviance;
use super::pair::Pair;
use crate::error::Error;
use crate::result::TestResult;
use std::f64::consts::LN_2;

const METHOD: &str = "jensen-shannon distance, base 2";
const EFFECT: &str = "jensen-shannon";

/// Jensen-Shannon distance with logarithms to the base 2: 0 for equal shares, 1 where no cell is shared.
///
/// ```text
/// √(½ Σ p log₂(p / a) + ½ Σ q log₂(q / a)),    a = (p + q) / 2,    p = r / n,    q = c / m
/// ```
///
/// The root makes it a metric (Endres and Schindelin, IEEE Transactions on Information Theory 49 (2003), 1858).
/// It is finite without any smoothing, so there is none.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn jensen_shannon_distance(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let nats: f64 = pair
        .shares()
        .map(|[p, q]| {
            let (average, surplus) = (f64::midpoint(p, q), (p - q) / 2.0);
            deviance(p, average, surplus) + deviance(q, average, -surplus)
        })
        .sum();
    Ok(pair.distance(METHOD, EFFECT, (nats / LN_2 / 2.0).sqrt().min(1.0)))
}
