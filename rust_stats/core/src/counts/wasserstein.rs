//! The distance of Wasserstein on bins.

use super::pair::Pair;
use crate::error::Error;
use crate::result::{TestResult, Warning};

const METHOD: &str = "wasserstein-1 distance, binned";
const EFFECT: &str = "wasserstein / reference deviation";

/// Wasserstein-1 distance of two samples whose values lie at `positions`, in the unit of the positions: how far a
/// value must be moved on average.
///
/// ```text
/// W = Σ |F(xᵢ) − G(xᵢ)| (xᵢ₊₁ − xᵢ)
/// ```
///
/// for the cumulative shares F and G. The effect size is W over the standard deviation (divisor n) of the
/// reference at the same positions; there is none, with a warning, where that deviation is zero.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many bins, with one finite position each, in ascending
/// order.
pub fn binned_wasserstein_distance(
    reference: &[u64],
    current: &[u64],
    positions: &[f64],
) -> Result<TestResult, Error> {
    let pair = Pair::new(reference, current)?;
    check(positions, reference.len())?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let scale = scale(positions);
    let gaps = positions.iter().zip(positions.iter().skip(1)).map(|(from, to)| to * scale - from * scale);
    let distance: f64 = pair.cumulative_shares().zip(gaps).map(|([f, g], gap)| (f - g).abs() * gap).sum();
    let deviation = deviation(&pair, positions, scale);
    let result = pair.distance(METHOD, EFFECT, distance / scale);
    Ok(if deviation > 0.0 {
        TestResult { effect_size: Some(distance / deviation), ..result }
    } else {
        TestResult { effect_size: None, ..result }.warned([Warning::Other {
            code: "constant_reference",
            message:
                "all values of the reference lie at one position, so there is no deviation to compare with"
                    .into(),
        }])
    })
}

fn check(positions: &[f64], bins: usize) -> Result<(), Error> {
    let refusal = |problem| Err(Error::argument("positions", problem));
    if positions.len() != bins {
        return refusal(format!(
            "must have one entry for each of the {bins} bins, but has {}",
            positions.len()
        ));
    }
    if let Some(position) = positions.iter().find(|position| !position.is_finite()) {
        return refusal(format!("must be finite, but one is {position:?}; give open bins a position within"));
    }
    if let Some((before, after)) =
        positions.iter().zip(positions.iter().skip(1)).find(|(before, after)| before > after)
    {
        return refusal(format!(
            "must ascend, but {before} comes before {after}; sort the bins with their counts"
        ));
    }
    Ok(())
}

/// A power of two that brings the positions where neither their differences nor squares leave the range of `f64`.
fn scale(positions: &[f64]) -> f64 {
    let largest = positions.iter().fold(0.0_f64, |largest, position| largest.max(position.abs()));
    if largest > 1e150 {
        2.0_f64.powi(-600)
    } else if largest < 1e-150 {
        2.0_f64.powi(600)
    } else {
        1.0
    }
}

/// The scaled positions' standard deviation in the reference.
fn deviation(pair: &Pair<'_>, positions: &[f64], scale: f64) -> f64 {
    let weighted =
        || pair.shares().map(|[share, _]| share).zip(positions.iter().map(|position| position * scale));
    let Some((_, origin)) = weighted().find(|(share, _)| *share > 0.0) else { return 0.0 };
    let mean: f64 = weighted().map(|(share, position)| share * (position - origin)).sum();
    weighted().map(|(share, position)| share * (position - origin - mean).powi(2)).sum::<f64>().sqrt()
}
