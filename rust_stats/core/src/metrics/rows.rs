//! Labels beside what a model said, row by row, checked.
//!
//! They take over the columns and leave incomplete rows out in place, so that a metric needs little room of its own.

use crate::error::Error;
use crate::float::float_len;
use crate::result::{Side, Warning};

/// How far from 1 the probabilities of a row may add up to: what a softmax in half precision leaves.
const SUM_TOLERANCE: f64 = 1e-2;

/// Rows of a binary label and a score, and how many had neither value or one only.
pub(super) struct Scored {
    scores: Vec<f64>,
    labels: Vec<bool>,
    left_out: u64,
}

impl Scored {
    /// Refuses labels other than 0 and 1. Scores may be any numbers.
    pub(super) fn new(labels: Vec<f64>, mut scores: Vec<f64>, name: &'static str) -> Result<Self, Error> {
        same_length(scores.len(), labels.len(), name, "labels")?;
        let given = labels.len();
        let mut positives = Vec::with_capacity(given);
        let mut refused = None;
        let mut labels = labels.into_iter().enumerate();
        scores.retain_mut(|score| {
            let (row, label) = labels.next().unwrap_or((given, f64::NAN));
            let is_complete = !label.is_nan() && !score.is_nan();
            if is_complete {
                if label != 0.0 && !same(label, 1.0) {
                    refused = refused.or(Some((row, label)));
                }
                positives.push(same(label, 1.0));
                // A negative zero becomes positive, so that equal scores are also neighbours once sorted.
                *score += 0.0;
            }
            is_complete
        });
        if let Some((row, label)) = refused {
            let problem = format!(
                "must be 0 or 1 (or bool), but row {row} has {label:?}; pass labels == the positive class"
            );
            return Err(Error::argument("labels", problem));
        }
        let left_out = (given - scores.len()) as u64;
        Ok(Self { scores, labels: positives, left_out })
    }

    /// Refuses scores that are no probabilities.
    pub(super) fn with_probabilities(labels: Vec<f64>, probabilities: Vec<f64>) -> Result<Self, Error> {
        probabilities.iter().enumerate().try_for_each(|(row, it)| probability(row, *it))?;
        Self::new(labels, probabilities, "probabilities")
    }

    pub(super) const fn len(&self) -> usize {
        self.scores.len()
    }

    pub(super) fn labels(&self) -> &[bool] {
        &self.labels
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        missing(self.left_out, self.scores.len())
    }

    /// The rows, the smallest score first.
    pub(super) fn ascending(self) -> Vec<(f64, bool)> {
        let mut rows = self.rows();
        rows.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
        rows
    }

    /// The rows from the largest score to the smallest, without the scores.
    pub(super) fn ranked(self) -> Vec<Ranked> {
        let mut rows = self.rows();
        rows.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        let mut before = f64::NAN;
        rows.iter()
            .map(|(score, positive)| {
                let tied = same(*score, before);
                before = *score;
                Ranked { positive: *positive, tied }
            })
            .collect()
    }

    fn rows(self) -> Vec<(f64, bool)> {
        self.scores.into_iter().zip(self.labels).collect()
    }

    /// What each row contributes.
    pub(super) fn contributions(self, of: impl Fn(f64, bool) -> f64) -> Vec<f64> {
        let mut contributions = self.scores;
        for (score, label) in contributions.iter_mut().zip(self.labels) {
            *score = of(*score, label);
        }
        contributions
    }
}

/// A row among others in descending order of their scores.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    pub(super) positive: bool,
    /// Whether the row before has the same score.
    pub(super) tied: bool,
}

impl Ranked {
    /// Rows of equal scores, together.
    pub(super) fn ties(descending: &[Self]) -> impl Iterator<Item = &[Self]> {
        descending.chunk_by(|_, next| next.tied)
    }
}

/// Rows of a label and a prediction that are both finite.
pub(super) struct Paired {
    pub(super) labels: Vec<f64>,
    pub(super) predictions: Vec<f64>,
    left_out: u64,
    infinite: u64,
}

impl Paired {
    pub(super) fn new(mut labels: Vec<f64>, mut predictions: Vec<f64>) -> Result<Self, Error> {
        same_length(predictions.len(), labels.len(), "predictions", "labels")?;
        let (mut left_out, mut infinite, mut kept) = (0, 0, 0);
        for row in 0..labels.len() {
            let (Some(label), Some(prediction)) = (labels.get(row).copied(), predictions.get(row).copied())
            else {
                break;
            };
            if label.is_nan() || prediction.is_nan() {
                left_out += 1;
            } else if label.is_infinite() || prediction.is_infinite() {
                infinite += 1;
            } else if let (Some(to), Some(beside)) = (labels.get_mut(kept), predictions.get_mut(kept)) {
                (*to, *beside) = (label + 0.0, prediction);
                kept += 1;
            }
        }
        labels.truncate(kept);
        predictions.truncate(kept);
        Ok(Self { labels, predictions, left_out, infinite })
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = missing(self.left_out, self.labels.len());
        if self.infinite > 0 {
            warnings.push(Warning::Other {
                code: "infinite_left_out",
                message: format!("{} rows with an infinite label or prediction were left out", self.infinite),
            });
        }
        warnings
    }

    /// What each row contributes.
    pub(super) fn contributions(self, of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut contributions = self.labels;
        for (label, prediction) in contributions.iter_mut().zip(self.predictions) {
            *label = of(*label, prediction);
        }
        contributions
    }
}

/// Whether two numbers are the same, zeros of either sign apart.
pub(super) fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}

pub(crate) fn same_length(
    length: usize,
    wanted: usize,
    name: &'static str,
    other: &'static str,
) -> Result<(), Error> {
    if length == wanted {
        return Ok(());
    }
    let problem = format!("must have one entry for each of the {wanted} {other}, but has {length}");
    Err(Error::argument(name, problem))
}

/// Refuses a number outside of 0 and 1. NaN passes: it is nobody's probability and left out later.
pub(crate) fn probability(row: usize, number: f64) -> Result<(), Error> {
    if number.is_nan() || (0.0..=1.0).contains(&number) {
        return Ok(());
    }
    let problem = format!("must be from 0 to 1, but row {row} has {number:?}");
    Err(Error::argument("probabilities", problem))
}

/// Whether there are probabilities of all classes. Refuses those that are none or do not add up to 1.
pub(crate) fn distribution(row: usize, probabilities: &[f64]) -> Result<bool, Error> {
    probabilities.iter().try_for_each(|it| probability(row, *it))?;
    let total: f64 = probabilities.iter().sum();
    if (total - 1.0).abs() > SUM_TOLERANCE {
        let problem = format!("must add up to 1 in each row, but row {row} adds up to {total}");
        return Err(Error::argument("probabilities", problem));
    }
    Ok(!total.is_nan())
}

/// The number of a class below `classes`, none if it is not known.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and small")]
pub(crate) fn class_number(
    name: &'static str,
    row: usize,
    number: f64,
    classes: usize,
) -> Result<Option<usize>, Error> {
    if number.is_nan() {
        return Ok(None);
    }
    if number.fract() == 0.0 && number >= 0.0 && number < float_len(classes) {
        return Ok(Some(number as usize));
    }
    let problem =
        format!("must be whole numbers of classes, from 0 to {}, but row {row} has {number:?}", classes - 1);
    Err(Error::argument(name, problem))
}

pub(crate) fn missing(left_out: u64, left: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if left_out > 0 {
        warnings.push(Warning::LeftOut { side: Side::Current, n: left_out });
    }
    if left == 0 {
        warnings.push(Warning::TooFewValues { side: Side::Current, n: 0, needed: 1 });
    }
    warnings
}
