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
/// let result = r_squared(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0], &Intervals::default())?;
/// assert_eq!(result.value, Some(0.5));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn r_squared(labels: &[f64], predictions: &[f64], intervals: &Intervals) -> Result<MetricResult, Error> {
    let paired = Paired::new(labels, predictions)?;
    let mut warnings = paired.warnings();
    let mut rows = paired.rows;
    if let Some((first, _)) = rows.first()
        && rows.iter().all(|(label, _)| same(*label, *first))
    {
        warnings.push(Warning::Constant);
    }
    let n = float_len(rows.len());
    let mean: f64 = rows.iter().map(|(label, _)| label / n).sum();
    for row in &mut rows {
        *row = (row.0 - mean, row.0 - row.1);
    }
    Ok(MetricResult::bootstrapped("r squared", rows.len(), intervals, warnings, |weights| {
        explained(&rows, weights)
    }))
}

/// The share explained, for rows of deviation from the mean and error; none if the deviations are all alike.
fn explained(rows: &[(f64, f64)], weights: &[u32]) -> Option<f64> {
    let (mut n, mut sum, mut squares, mut errors) = (0_u64, 0.0, 0.0, 0.0);
    let mut drawn = rows.iter().zip(weights).filter(|(_, weight)| **weight > 0).map(|((it, _), _)| *it);
    let first = drawn.next()?;
    if drawn.all(|deviation| same(deviation, first)) {
        return None;
    }
    for ((deviation, error), weight) in rows.iter().zip(weights) {
        let times = f64::from(*weight);
        n += u64::from(*weight);
        sum += times * deviation;
        squares += times * deviation * deviation;
        errors += times * error * error;
    }
    Some(1.0 - errors / (squares - sum * sum / float(n)))
}
