//! Average precision: the precision at each threshold, weighted by the recall gained there.
//!
//! AP = Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores in descending order, without interpolation, as scikit-learn
//! defines it (Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 8.4).

use super::rows::{Ranked, Scored};
use super::{Intervals, MetricResult};
use crate::error::Error;
use crate::float::float;
use crate::result::Warning;

/// The average precision of `scores` for a binary label. A score may be any number.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths or labels other than 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, average_precision};
/// let result = average_precision(
///     vec![0.0, 0.0, 1.0, 1.0],
///     vec![0.1, 0.4, 0.35, 0.8],
///     &Intervals::default(),
/// )?;
/// assert!((result.value.unwrap() - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn average_precision(
    labels: Vec<f64>,
    scores: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let given = Scored::new(labels, scores, "scores")?;
    let mut warnings = given.warnings();
    if given.len() > 0 && !given.labels().contains(&true) {
        warnings.push(Warning::Other {
            code: "one_class",
            message: "no label is 1, so there is nothing to recall".into(),
        });
    }
    let rows = given.ranked();
    Ok(MetricResult::bootstrapped("average precision", rows.len(), intervals, warnings, |weights| {
        precision(&rows, weights)
    }))
}

/// The average precision for rows in descending order of their scores.
fn precision(descending: &[Ranked], weights: &[u32]) -> Option<f64> {
    let (mut positives, mut all, mut sum) = (0_u64, 0_u64, 0.0);
    let mut weights = weights.iter();
    for tied in Ranked::ties(descending) {
        let mut gained = 0;
        for (row, weight) in tied.iter().zip(weights.by_ref()) {
            gained += u64::from(row.positive) * u64::from(*weight);
            all += u64::from(*weight);
        }
        positives += gained;
        if gained > 0 {
            sum += float(gained) * (float(positives) / float(all));
        }
    }
    (positives > 0).then(|| sum / float(positives))
}
