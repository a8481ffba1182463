//! What a classifier said, row by row, checked.
//!
//! It takes over the columns, and numbers of classes become small, since there may be many rows.

use crate::error::Error;
use crate::estimation::isotonic::Isotonic;
use crate::float::float_len;
use crate::metrics::rows::{class_number, distribution, missing, probability, same_length};
use crate::result::Warning;

/// Complete rows of probabilities, a prediction and, on a reference, a label.
pub(super) struct Told {
    /// Those of all classes, row after row; of class 1 alone if that is judged.
    probabilities: Vec<f64>,
    predictions: Vec<u16>,
    /// None but on a reference.
    labels: Vec<u16>,
    classes: usize,
    /// Whether one class is judged, class 1, instead of each.
    binary: bool,
    left_out: u64,
}

impl Told {
    /// More classes than this are taken for a mistake.
    pub(super) const MOST_CLASSES: usize = 1000;

    /// `classes` are the columns of `probabilities`; `None` if those are of class 1 alone.
    pub(super) fn new(
        mut probabilities: Vec<f64>,
        classes: Option<usize>,
        predictions: Vec<f64>,
        labels: Option<Vec<f64>>,
    ) -> Result<Self, Error> {
        let columns = classes.unwrap_or(1);
        if classes.is_some_and(|classes| !(2..=Self::MOST_CLASSES).contains(&classes)) {
            let problem =
                format!("must have a column for each of 2 to {} classes, not {columns}", Self::MOST_CLASSES);
            return Err(Error::argument("probabilities", problem));
        }
        let rows = probabilities.len() / columns;
        same_length(predictions.len(), rows, "predictions", "probabilities")?;
        if let Some(labels) = &labels {
            same_length(labels.len(), rows, "labels", "probabilities")?;
        }
        let classes = columns.max(2);
        let mut is_complete = Vec::with_capacity(rows);
        for (row, of_row) in probabilities.chunks_exact(columns).enumerate() {
            is_complete.push(match of_row {
                [single] => probability(row, *single).map(|()| !single.is_nan())?,
                several => distribution(row, several)?,
            });
        }
        let mut predictions = numbers("predictions", predictions, classes, &mut is_complete)?;
        let mut labels = match labels {
            Some(labels) => numbers("labels", labels, classes, &mut is_complete)?,
            None => Vec::new(),
        };
        let left_out = is_complete.iter().filter(|complete| !**complete).count();
        if left_out > 0 {
            keep(&mut probabilities, columns, &is_complete);
            keep(&mut predictions, 1, &is_complete);
            keep(&mut labels, 1, &is_complete);
        }
        Ok(Self {
            probabilities,
            predictions,
            labels,
            classes,
            binary: columns == 1,
            left_out: left_out as u64,
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.predictions.len()
    }

    pub(super) const fn classes(&self) -> usize {
        self.classes
    }

    pub(super) const fn binary(&self) -> bool {
        self.binary
    }

    pub(super) fn predictions(&self) -> &[u16] {
        &self.predictions
    }

    /// Labels beside predictions.
    pub(super) fn judgements(&self) -> impl Iterator<Item = (usize, usize)> {
        self.labels
            .iter()
            .zip(&self.predictions)
            .map(|(label, prediction)| (usize::from(*label), usize::from(*prediction)))
    }

    /// The classes that metrics are about.
    pub(super) const fn judged(&self) -> std::ops::Range<usize> {
        if self.binary { 1..2 } else { 0..self.classes }
    }

    /// Raw probabilities of a class that is judged, and whether it is the label.
    pub(super) fn labelled(&self, class: usize) -> impl ExactSizeIterator<Item = (f64, bool)> {
        self.of_class(class)
            .zip(&self.labels)
            .map(move |(probability, label)| (probability, usize::from(*label) == class))
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        missing(self.left_out, self.rows())
    }

    /// Raw probabilities of a class that is judged.
    fn of_class(&self, class: usize) -> impl ExactSizeIterator<Item = f64> {
        let (first, step) = if self.binary { (0, 1) } else { (class, self.classes) };
        self.probabilities.iter().skip(first).step_by(step).copied()
    }
}

/// The numbers of classes, and in `is_complete` that rows without one are not.
fn numbers(
    name: &'static str,
    given: Vec<f64>,
    classes: usize,
    is_complete: &mut [bool],
) -> Result<Vec<u16>, Error> {
    let mut numbers = Vec::with_capacity(given.len());
    for (row, (number, is_complete)) in given.into_iter().zip(is_complete).enumerate() {
        let number = class_number(name, row, number, classes)?.and_then(|number| u16::try_from(number).ok());
        *is_complete &= number.is_some();
        numbers.push(number.unwrap_or_default());
    }
    Ok(numbers)
}

/// Keeps the rows, of so many `columns`, that are marked.
fn keep<Item>(items: &mut Vec<Item>, columns: usize, marked: &[bool]) {
    let mut marks = marked.iter().flat_map(|mark| std::iter::repeat_n(*mark, columns));
    items.retain(|_| marks.next().unwrap_or(false));
}

/// Probabilities calibrated, so that those of a row add up to 1 again; alike if all would be 0.
///
/// They are computed for one class at a time, from what those of all classes add up to.
pub(super) struct Calibrated<'told> {
    told: &'told Told,
    calibrations: &'told [Option<Isotonic>],
    /// None if one class is judged.
    totals: Vec<f64>,
}

impl<'told> Calibrated<'told> {
    pub(super) fn new(told: &'told Told, calibrations: &'told [Option<Isotonic>]) -> Self {
        let rows = told.probabilities.chunks_exact(told.classes);
        let total =
            |row: &[f64]| row.iter().zip(calibrations).map(|(raw, by)| calibrated(*raw, by.as_ref())).sum();
        let totals = if told.binary { Vec::new() } else { rows.map(total).collect() };
        Self { told, calibrations, totals }
    }

    /// Raw probabilities of a class that is judged beside those calibrated.
    pub(super) fn scored(&self, class: usize) -> Vec<(f64, f64)> {
        let raw = self.told.of_class(class);
        if let [by] = self.calibrations {
            return raw.map(|raw| (raw, calibrated(raw, by.as_ref()))).collect();
        }
        let by = self.calibrations.get(class).and_then(Option::as_ref);
        let alike = 1.0 / float_len(self.told.classes);
        let of_row =
            |(raw, total): (f64, &f64)| (raw, if *total > 0.0 { calibrated(raw, by) / total } else { alike });
        raw.zip(&self.totals).map(of_row).collect()
    }
}

fn calibrated(raw: f64, by: Option<&Isotonic>) -> f64 {
    by.map_or(raw, |calibration| calibration.at(raw))
}
