//! The area under the ROC curve: how probably a random positive is scored above a random negative.
//!
//! Ties count half: AUC = (#{s₊ > s₋} + #{s₊ = s₋} / 2) / (n₊ n₋), the Mann-Whitney statistic (Hanley and
//! McNeil, Radiology 143, 1982).

use super::rows::{Ranked, Scored};
use super::{Intervals, MetricResult};
use crate::error::Error;
use crate::float::float;
use crate::result::Warning;

/// The area under the ROC curve of `scores` for a binary label. A score may be any number.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths or labels other than 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, roc_auc};
/// let result = roc_auc(vec![0.0, 0.0, 1.0, 1.0], vec![0.1, 0.4, 0.35, 0.8], &Intervals::default())?;
/// assert_eq!(result.value, Some(0.75));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn roc_auc(labels: Vec<f64>, scores: Vec<f64>, intervals: &Intervals) -> Result<MetricResult, Error> {
    let given = Scored::new(labels, scores, "scores")?;
    let mut warnings = given.warnings();
    if let Some(first) = given.labels().first()
        && given.labels().iter().all(|label| label == first)
    {
        warnings.push(Warning::Other {
            code: "one_class",
            message: "all labels are the same, and the area compares two classes".into(),
        });
    }
    let rows = given.ranked();
    Ok(MetricResult::bootstrapped("roc auc", rows.len(), intervals, warnings, |weights| area(&rows, weights)))
}

/// The area for rows in descending order of their scores.
fn area(descending: &[Ranked], weights: &[u32]) -> Option<f64> {
    let (mut positives, mut negatives, mut pairs) = (0_u64, 0_u64, 0.0);
    let mut weights = weights.iter();
    for tied in Ranked::ties(descending) {
        let (mut tied_positives, mut tied_negatives) = (0_u64, 0_u64);
        for (row, weight) in tied.iter().zip(weights.by_ref()) {
            let positive = u64::from(row.positive) * u64::from(*weight);
            tied_positives += positive;
            tied_negatives += u64::from(*weight) - positive;
        }
        pairs += float(tied_negatives) * (float(positives) + float(tied_positives) / 2.0);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    (positives > 0 && negatives > 0).then(|| pairs / float(positives) / float(negatives))
}
