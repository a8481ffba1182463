//! Log loss (cross-entropy): the mean of −ln of the probability that was given to what happened.
//!
//! In nats; Good, Journal of the Royal Statistical Society B 14 (1952). A probability of 0 for what happened
//! costs infinitely much, so probabilities below ε = 2⁻⁵², the machine precision, count as ε, as in
//! scikit-learn, and a warning says for how many rows that decided.

use super::bootstrap::weighted_mean;
use super::rows::{Scored, class_number, distribution, missing, same_length};
use super::{Intervals, MetricResult};
use crate::error::Error;
use crate::result::Warning;

/// The log loss of `probabilities` that a binary label is 1.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths, labels other than 0 and 1, or probabilities outside of 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{Intervals, log_loss};
/// let result = log_loss(vec![1.0, 0.0], vec![0.5, 0.5], &Intervals::default())?;
/// assert_eq!(result.value, Some(2_f64.ln()));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn log_loss(
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?;
    let warnings = scored.warnings();
    // Nearly sure of what did not happen: 1 − p is exact there, and ln of it as well.
    let given = scored.contributions(|p, label| if label { p } else { 1.0 - p });
    Ok(of_given(given, warnings, intervals))
}

/// The log loss of the probabilities of several classes: `probabilities` holds `classes` of them for each
/// row, one row after the other, and a label is the number of a class, from 0.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths, labels that are no class, or probabilities outside of 0 and 1 or
/// that do not add up to 1.
pub fn log_loss_of_classes(
    labels: &[f64],
    probabilities: &[f64],
    classes: usize,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    if classes < 2 {
        let problem = format!("must have a column for each of at least 2 classes, but has {classes}");
        return Err(Error::argument("probabilities", problem));
    }
    let rows = probabilities.chunks_exact(classes);
    same_length(rows.len(), labels.len(), "probabilities", "labels")?;
    let mut given = Vec::with_capacity(labels.len());
    for (row, (label, of_row)) in labels.iter().zip(rows).enumerate() {
        let complete = distribution(row, of_row)?;
        let label = class_number("labels", row, *label, classes)?;
        given.extend(label.filter(|_| complete).and_then(|label| of_row.get(label)).copied());
    }
    let warnings = missing((labels.len() - given.len()) as u64, given.len());
    Ok(of_given(given, warnings, intervals))
}

fn of_given(mut given: Vec<f64>, mut warnings: Vec<Warning>, intervals: &Intervals) -> MetricResult {
    let clipped = given.iter().filter(|probability| **probability < f64::EPSILON).count();
    if clipped > 0 {
        warnings.push(Warning::Other {
            code: "clipped",
            message: format!(
                "in {clipped} rows what happened had a probability below 2^-52, which counts as 2^-52"
            ),
        });
    }
    for probability in &mut given {
        *probability = -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    }
    MetricResult::bootstrapped("log loss", given.len(), intervals, warnings, |weights| {
        weighted_mean(&given, weights)
    })
}
