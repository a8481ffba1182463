//! Root mean squared error: √((1/n) Σ (y − ŷ)²), in the unit of the label.

use super::bootstrap::weighted_mean;
use super::rows::Paired;
use super::{Intervals, MetricResult};
use crate::error::Error;

/// The root mean squared error of `predictions`.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, root_mean_squared_error};
/// let result = root_mean_squared_error(vec![0.0, 0.0], vec![1.0, 7.0], &Intervals::default())?;
/// assert_eq!(result.value, Some(5.0));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn root_mean_squared_error(
    labels: Vec<f64>,
    predictions: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let paired = Paired::new(labels, predictions)?;
    let warnings = paired.warnings();
    let squares = paired.contributions(|label, prediction| (label - prediction).powi(2));
    Ok(MetricResult::bootstrapped("root mean squared error", squares.len(), intervals, warnings, |weights| {
        weighted_mean(&squares, weights).map(f64::sqrt)
    }))
}
