//! Mean absolute error: (1/n) Σ |y − ŷ|, in the unit of the label.

use super::bootstrap::weighted_mean;
use super::rows::Paired;
use super::{Intervals, MetricResult};
use crate::error::Error;

/// The mean absolute error of `predictions`.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, mean_absolute_error};
/// let result = mean_absolute_error(vec![1.0, 2.0], vec![1.0, 5.0], &Intervals::default())?;
/// assert_eq!(result.value, Some(1.5));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn mean_absolute_error(
    labels: Vec<f64>,
    predictions: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let paired = Paired::new(labels, predictions)?;
    let warnings = paired.warnings();
    let errors = paired.contributions(|label, prediction| (label - prediction).abs());
    Ok(MetricResult::bootstrapped("mean absolute error", errors.len(), intervals, warnings, |weights| {
        weighted_mean(&errors, weights)
    }))
}
