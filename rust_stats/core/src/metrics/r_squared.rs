//! The coefficient of determination: which share of the label's variance the predictions explain.
//!
//! R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)²: 1 at best, 0 for the mean as prediction, negative for worse. The squares
//! of the labels are taken from their mean, so a large offset costs no digits.

use super::rows::{Paired, same};
use super::{Intervals, MetricResult};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::result::Warning;

/// The coefficient of determination of `predictions`.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, r_squared};
/// let result = r_squared(vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 4.0], &Intervals::default())?;
/// assert_eq!(result.value, Some(0.5));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn r_squared(
    labels: Vec<f64>,
    predictions: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let paired = Paired::new(labels, predictions)?;
    let mut warnings = paired.warnings();
    let Paired { labels: mut deviations, predictions: mut errors, .. } = paired;
    if let Some(first) = deviations.first()
        && deviations.iter().all(|label| same(*label, *first))
    {
        warnings.push(Warning::Constant);
    }
    let n = float_len(deviations.len());
    let mean: f64 = deviations.iter().map(|label| label / n).sum();
    for (label, prediction) in deviations.iter_mut().zip(&mut errors) {
        (*label, *prediction) = (*label - mean, *label - *prediction);
    }
    Ok(MetricResult::bootstrapped("r squared", deviations.len(), intervals, warnings, |weights| {
        explained(&deviations, &errors, weights)
    }))
}

/// The share explained, for deviations from the mean beside errors; none if the deviations are all alike.
fn explained(deviations: &[f64], errors: &[f64], weights: &[u32]) -> Option<f64> {
    let (mut n, mut sum, mut squares, mut squared_errors) = (0_u64, 0.0, 0.0, 0.0);
    let mut drawn = deviations.iter().zip(weights).filter(|(_, weight)| **weight > 0).map(|(it, _)| *it);
    let first = drawn.next()?;
    if drawn.all(|deviation| same(deviation, first)) {
        return None;
    }
    for ((deviation, error), weight) in deviations.iter().zip(errors).zip(weights) {
        let times = f64::from(*weight);
        n += u64::from(*weight);
        sum += times * deviation;
        squares += times * deviation * deviation;
        squared_errors += times * error * error;
    }
    Some(1.0 - squared_errors / (squares - sum * sum / float(n)))
}
