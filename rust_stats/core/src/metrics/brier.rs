//! The Brier score: the mean squared distance between a probability and what happened.
//!
//! (1/n) Σ (p − y)², from 0, which is best, to 1. Brier, Monthly Weather Review 78 (1950), halved as usual
//! for two classes.

use super::bootstrap::weighted_mean;
use super::rows::Scored;
use super::{Intervals, MetricResult};
use crate::error::Error;

/// The Brier score of `probabilities` that a binary label is 1.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths, labels other than 0 and 1, or probabilities outside of 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, brier_score};
/// let result = brier_score(vec![1.0, 0.0], vec![0.9, 0.3], &Intervals::default())?;
/// assert!((result.value.unwrap() - 0.05).abs() < 1e-15);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn brier_score(
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?;
    let warnings = scored.warnings();
    let squares = scored.contributions(|probability, label| {
        let distance = if label { 1.0 - probability } else { probability };
        distance * distance
    });
    Ok(MetricResult::bootstrapped("brier score", squares.len(), intervals, warnings, |weights| {
        weighted_mean(&squares, weights)
    }))
}
