//! The confusion matrix: which class was predicted how often for which, and the rates that come of it.
//!
//! Of one class with tp rows right, fp wrongly predicted and fn missed:
//!
//! ```text
//! precision = tp / (tp + fp),    recall = tp / (tp + fn),    F1 = 2 tp / (2 tp + fp + fn)
//! ```
//!
//! Each is a rate or, as F1 = 2 J / (1 + J) with J = tp / (tp + fp + fn), a rising function of one, so each
//! has Wilson's interval, given how many rows the rate is about. Accuracy is a rate as well, and so are the
//! micro averages, which equal it. Macro averages (each class counts the same) and weighted ones (each as
//! much as it has rows) have a bootstrap interval, drawn from the cells: van Rijsbergen, Information
//! Retrieval (1979); Sokolova and Lapalme, Information Processing and Management 45 (2009).

mod averages;

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{missing, same_length};
use super::wilson::{WILSON, wilson};
use super::{Intervals, MetricResult};
use crate::error::Error;
use crate::float::float;
use crate::result::Warning;
pub(crate) use averages::undefined_classes;
use averages::{OfClass, averaged};

/// Whose precision, recall or F1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// That of one class against all others.
    Class(i64),
    /// The mean over classes.
    Macro,
    /// That of all classes taken together, which is the accuracy.
    Micro,
    /// The mean over classes, weighted by how many rows each really has.
    Weighted,
}

/// How often which class was predicted where which class was right.
///
/// Matrices of parts of the rows add up to that of all rows, exactly and in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfusionMatrix {
    /// Rows by class and predicted class; only those that there are.
    cells: BTreeMap<(i64, i64), u64>,
    left_out: u64,
}

impl ConfusionMatrix {
    /// More classes than this are taken for a mistake.
    pub const MOST_CLASSES: usize = 1000;
    const LARGEST: f64 = 9_007_199_254_740_992.0;

    /// The matrix of `predictions` beside `labels`, both whole numbers that name classes. Rows in which
    /// either is NaN are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for other lengths, for numbers that are not whole or beyond 2⁵³, or for more than
    /// 1,000 classes.
    ///
    /// ```
    /// # use edge_aiops_stats_core::metrics::{Average, ConfusionMatrix, Intervals};
    /// let matrix = ConfusionMatrix::of(&[1.0, 1.0, 0.0, 0.0], &[1.0, 0.0, 0.0, 0.0])?;
    /// assert_eq!(matrix.accuracy(&Intervals::default()).value, Some(0.75));
    /// assert_eq!(matrix.recall(Average::Class(1), &Intervals::default()).value, Some(0.5));
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn of(labels: &[f64], predictions: &[f64]) -> Result<Self, Error> {
        same_length(predictions.len(), labels.len(), "predictions", "labels")?;
        let (mut matrix, mut classes) = (Self::default(), BTreeSet::new());
        for (row, (label, prediction)) in labels.iter().zip(predictions).enumerate() {
            if label.is_nan() || prediction.is_nan() {
                matrix.left_out += 1;
                continue;
            }
            let cell = (class("labels", row, *label)?, class("predictions", row, *prediction)?);
            let rows = matrix.cells.entry(cell).or_default();
            if *rows == 0 {
                classes.extend([cell.0, cell.1]);
                few(classes.len())?;
            }
            *rows += 1;
        }
        Ok(matrix)
    }

    /// The matrix of known counts: for each of `classes`, in order, how often each of them was predicted, one
    /// row after the other.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there are as many counts as pairs of classes, each class is named once and
    /// there are at most 1,000.
    pub fn of_counts(classes: &[i64], counts: &[u64]) -> Result<Self, Error> {
        if classes.len().checked_mul(classes.len()) != Some(counts.len()) {
            let problem = format!(
                "must have a row and a column for each of the {} classes, but has {} entries",
                classes.len(),
                counts.len()
            );
            return Err(Error::argument("counts", problem));
        }
        if classes.iter().collect::<BTreeSet<_>>().len() < classes.len() {
            return Err(Error::argument("classes", "must name each class once"));
        }
        let pairs =
            classes.iter().flat_map(|label| classes.iter().map(move |predicted| (*label, *predicted)));
        let cells = pairs.zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect();
        let matrix = Self { cells, left_out: 0 };
        few(matrix.classes().len())?;
        Ok(matrix)
    }

    /// The matrix of the rows of both. Counts stop at 2⁶⁴ − 1.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if they have more than 1,000 classes together.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        let mut merged = self.clone();
        merged.left_out = merged.left_out.saturating_add(other.left_out);
        for (cell, count) in &other.cells {
            let so_far = merged.cells.entry(*cell).or_default();
            *so_far = so_far.saturating_add(*count);
        }
        few(merged.classes().len()).map_err(|error| Error::Incompatible { because: error.to_string() })?;
        Ok(merged)
    }

    /// The classes that occur, as label or prediction, ascending.
    #[must_use]
    pub fn classes(&self) -> Vec<i64> {
        let classes: BTreeSet<_> =
            self.cells.keys().flat_map(|(label, predicted)| [*label, *predicted]).collect();
        classes.into_iter().collect()
    }

    /// For each of the classes, in order, how often each of them was predicted, one row after the other.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        let classes = self.classes();
        let pairs =
            classes.iter().flat_map(|label| classes.iter().map(move |predicted| (*label, *predicted)));
        pairs.map(|cell| self.cells.get(&cell).copied().unwrap_or_default()).collect()
    }

    /// Rows that entered.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.cells.values().fold(0, |n, count| n.saturating_add(*count))
    }

    /// Share of the rows whose class was predicted, with Wilson's interval. Only the confidence of
    /// `intervals` matters.
    #[must_use]
    pub fn accuracy(&self, intervals: &Intervals) -> MetricResult {
        self.rate("accuracy", self.right(), self.n(), intervals, None)
    }

    /// Share of the rows predicted as a class that are of that class.
    #[must_use]
    pub fn precision(&self, average: Average, intervals: &Intervals) -> MetricResult {
        match average {
            Average::Class(class) => {
                let counts = self.of_class(class);
                let none = (counts.predicted == 0).then(|| format!("class {class} was never predicted"));
                self.rate("precision", counts.right, counts.predicted, intervals, none)
            }
            Average::Micro => self.rate("precision, micro", self.right(), self.n(), intervals, None),
            Average::Macro => averaged(self, "precision, macro", OfClass::precision, false, intervals),
            Average::Weighted => averaged(self, "precision, weighted", OfClass::precision, true, intervals),
        }
    }

    /// Share of the rows of a class that were predicted as that class.
    #[must_use]
    pub fn recall(&self, average: Average, intervals: &Intervals) -> MetricResult {
        match average {
            Average::Class(class) => {
                let counts = self.of_class(class);
                let none = (counts.actual == 0).then(|| format!("no row is of class {class}"));
                self.rate("recall", counts.right, counts.actual, intervals, none)
            }
            Average::Micro => self.rate("recall, micro", self.right(), self.n(), intervals, None),
            Average::Macro => averaged(self, "recall, macro", OfClass::recall, false, intervals),
            Average::Weighted => averaged(self, "recall, weighted", OfClass::recall, true, intervals),
        }
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self, average: Average, intervals: &Intervals) -> MetricResult {
        match average {
            Average::Class(class) => {
                let counts = self.of_class(class);
                let either = (counts.predicted.saturating_add(counts.actual)).saturating_sub(counts.right);
                let none = (either == 0).then(|| format!("class {class} neither occurs nor was predicted"));
                let mut result = self.rate("f1", counts.right, either, intervals, none);
                for end in [&mut result.value, &mut result.low, &mut result.high].into_iter().flatten() {
                    *end = 2.0 * *end / (1.0 + *end);
                }
                result
            }
            Average::Micro => self.rate("f1, micro", self.right(), self.n(), intervals, None),
            Average::Macro => averaged(self, "f1, macro", OfClass::f1, false, intervals),
            Average::Weighted => averaged(self, "f1, weighted", OfClass::f1, true, intervals),
        }
    }

    fn rate(
        &self,
        metric: &'static str,
        right: u64,
        of: u64,
        intervals: &Intervals,
        undefined: Option<String>,
    ) -> MetricResult {
        let mut warnings = self.warnings();
        warnings.extend(
            undefined.filter(|_| self.n() > 0).map(|message| Warning::Other { code: "undefined", message }),
        );
        let value = (of > 0).then(|| float(right) / float(of));
        MetricResult::of(metric, value, self.n(), intervals.confidence(), warnings)
            .within(WILSON, wilson(right, of, intervals.deviations()))
    }

    fn of_class(&self, class: i64) -> OfClass {
        let mut counts = OfClass::default();
        for ((label, predicted), count) in &self.cells {
            counts.add(*label == class, *predicted == class, *count);
        }
        counts
    }

    fn right(&self) -> u64 {
        let right = self.cells.iter().filter(|((label, predicted), _)| label == predicted);
        right.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    fn warnings(&self) -> Vec<Warning> {
        missing(self.left_out, self.cells.len())
    }
}

fn few(classes: usize) -> Result<(), Error> {
    if classes <= ConfusionMatrix::MOST_CLASSES {
        return Ok(());
    }
    let problem = format!(
        "must name at most {} classes, but there are at least {classes}; take the rare ones together",
        ConfusionMatrix::MOST_CLASSES
    );
    Err(Error::argument("labels", problem))
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and at most 2^53")]
fn class(name: &'static str, row: usize, number: f64) -> Result<i64, Error> {
    if number.fract() == 0.0 && number.abs() <= ConfusionMatrix::LARGEST {
        return Ok(number as i64);
    }
    let problem = format!("must be whole numbers up to 2^53 that name classes, but row {row} has {number:?}");
    Err(Error::argument(name, problem))
}
