//! Two measurements of each of many things: before and after, one model and another on the same input.
//!
//! What both measurements of a pair share, an input that is long or a machine that is busy, cancels out in their
//! difference. All differences are of the current value less the reference's. Pairs in which a value is missing or not
//! finite are left out.

mod shift;
mod signed_rank;

use crate::error::Error;
use crate::result::{Side, Warning};

pub use shift::paired_shift;
pub use signed_rank::signed_rank_test;

/// Up to so many pairs, the distribution of the sum of ranks is exact: its counts, at most 2⁵⁰, are whole in `f64`.
const MOST_EXACT: usize = 50;

/// The differences of all pairs of finite values, and what to know of the others.
struct Differences {
    values: Vec<f64>,
    left_out: Vec<Warning>,
}

impl Differences {
    fn of(reference: &[f64], current: &[f64]) -> Result<Self, Error> {
        if reference.len() != current.len() {
            return Err(Error::argument(
                "current",
                format!(
                    "must have one value for each of the {} of reference, not {}",
                    reference.len(),
                    current.len()
                ),
            ));
        }
        let pairs = reference.iter().zip(current);
        let usable = pairs.filter(|(before, after)| before.is_finite() && after.is_finite());
        let values = usable.map(|(before, after)| (after - before).clamp(-f64::MAX, f64::MAX)).collect();
        let left_out = |side, values: &[f64]| {
            let n = values.iter().filter(|value| !value.is_finite()).count() as u64;
            (n > 0).then_some(Warning::LeftOut { side, n })
        };
        let left_out = [left_out(Side::Reference, reference), left_out(Side::Current, current)];
        Ok(Self { values, left_out: left_out.into_iter().flatten().collect() })
    }
}

/// How many of the 2ⁿ choices of signs give each sum of positive ranks, ranks being whole numbers.
fn sums_of_ranks(ranks: &[usize]) -> Vec<f64> {
    let mut ways = vec![0.0; ranks.iter().sum::<usize>() + 1];
    if let Some(none) = ways.first_mut() {
        *none = 1.0;
    }
    for rank in ranks {
        for sum in (*rank..ways.len()).rev() {
            let without = ways.get(sum - rank).copied().unwrap_or_default();
            if let Some(with) = ways.get_mut(sum) {
                *with += without;
            }
        }
    }
    ways
}
