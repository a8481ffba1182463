//! Labels beside what a model said, row by row, checked.

use crate::error::Error;
use crate::result::{Side, Warning};

/// Rows of a binary label and a score, and how many had neither value or one only.
pub(super) struct Scored {
    pub(super) rows: Vec<(f64, bool)>,
    left_out: u64,
}

impl Scored {
    /// Refuses labels other than 0 and 1. Scores may be any numbers.
    pub(super) fn new(labels: &[f64], scores: &[f64], name: &'static str) -> Result<Self, Error> {
        same_length(labels, scores.len(), name)?;
        let mut rows = Vec::with_capacity(labels.len());
        for (row, (label, score)) in labels.iter().zip(scores).enumerate() {
            if label.is_nan() || score.is_nan() {
                continue;
            }
            let positive = same(*label, 1.0);
            if !positive && *label != 0.0 {
                let problem = format!(
                    "must be 0 or 1 (or bool), but row {row} has {label}; pass labels == the positive class"
                );
                return Err(Error::argument("labels", problem));
            }
            // Adding zero makes a negative zero positive, so that equal scores are also neighbours once sorted.
            rows.push((*score + 0.0, positive));
        }
        let left_out = (labels.len() - rows.len()) as u64;
        Ok(Self { rows, left_out })
    }

    /// Refuses scores that are no probabilities.
    pub(super) fn with_probabilities(labels: &[f64], probabilities: &[f64]) -> Result<Self, Error> {
        probabilities.iter().enumerate().try_for_each(|(row, it)| probability(row, *it))?;
        Self::new(labels, probabilities, "probabilities")
    }

    /// Rows sorted by score, the largest first.
    pub(super) fn descending(mut self) -> Self {
        self.rows.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        self
    }

    /// Rows sorted by score, the smallest first.
    pub(super) fn ascending(mut self) -> Self {
        self.rows.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
        self
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        missing(self.left_out, self.rows.len())
    }

    /// What each row contributes.
    pub(super) fn contributions(self, of: impl Fn(f64, bool) -> f64) -> Vec<f64> {
        self.rows.into_iter().map(|(score, label)| of(score, label)).collect()
    }
}

/// Rows of a label and a prediction that are both finite.
pub(super) struct Paired {
    pub(super) rows: Vec<(f64, f64)>,
    left_out: u64,
    infinite: u64,
}

impl Paired {
    pub(super) fn new(labels: &[f64], predictions: &[f64]) -> Result<Self, Error> {
        same_length(labels, predictions.len(), "predictions")?;
        let (mut rows, mut left_out, mut infinite) = (Vec::with_capacity(labels.len()), 0, 0);
        for (label, prediction) in labels.iter().zip(predictions) {
            if label.is_nan() || prediction.is_nan() {
                left_out += 1;
            } else if label.is_infinite() || prediction.is_infinite() {
                infinite += 1;
            } else {
                rows.push((*label + 0.0, *prediction));
            }
        }
        Ok(Self { rows, left_out, infinite })
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = missing(self.left_out, self.rows.len());
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
        self.rows.into_iter().map(|(label, prediction)| of(label, prediction)).collect()
    }
}

/// Whether two numbers are the same, zeros of either sign apart.
pub(super) fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}

pub(super) fn same_length(labels: &[f64], length: usize, name: &'static str) -> Result<(), Error> {
    if labels.len() == length {
        return Ok(());
    }
    let problem = format!("must have one entry for each of the {} labels, but has {length}", labels.len());
    Err(Error::argument(name, problem))
}

/// Refuses a number outside of 0 and 1. NaN passes: it is nobody's probability and left out later.
pub(super) fn probability(row: usize, number: f64) -> Result<(), Error> {
    if number.is_nan() || (0.0..=1.0).contains(&number) {
        return Ok(());
    }
    let problem = format!("must be from 0 to 1, but row {row} has {number}");
    Err(Error::argument("probabilities", problem))
}

pub(super) fn missing(left_out: u64, left: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if left_out > 0 {
        warnings.push(Warning::LeftOut { side: Side::Current, n: left_out });
    }
    if left == 0 {
        warnings.push(Warning::TooFewValues { side: Side::Current, n: 0, needed: 1 });
    }
    warnings
}
