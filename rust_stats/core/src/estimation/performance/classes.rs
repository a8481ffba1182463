//! What a classifier said, row by row, checked.

use crate::error::Error;
use crate::estimation::isotonic::Isotonic;
use crate::float::float_len;
use crate::metrics::rows::{class_number, distribution, missing, probability, same_length};
use crate::result::Warning;

/// Complete rows of probabilities, a prediction and, on a reference, a label.
pub(super) struct Told {
    /// Those of all classes, row after row.
    probabilities: Vec<f64>,
    predictions: Vec<usize>,
    /// None but on a reference.
    labels: Vec<usize>,
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
        probabilities: &[f64],
        classes: Option<usize>,
        predictions: &[f64],
        labels: Option<&[f64]>,
    ) -> Result<Self, Error> {
        let columns = classes.unwrap_or(1);
        if classes.is_some_and(|classes| !(2..=Self::MOST_CLASSES).contains(&classes)) {
            let problem =
                format!("must have a column for each of 2 to {} classes, not {columns}", Self::MOST_CLASSES);
            return Err(Error::argument("probabilities", problem));
        }
        let rows = probabilities.chunks_exact(columns);
        same_length(predictions.len(), rows.len(), "predictions", "probabilities")?;
        if let Some(labels) = labels {
            same_length(labels.len(), rows.len(), "labels", "probabilities")?;
        }
        let mut told = Self {
            probabilities: Vec::with_capacity(rows.len() * columns.max(2)),
            predictions: Vec::with_capacity(rows.len()),
            labels: Vec::with_capacity(labels.map_or(0, <[f64]>::len)),
            classes: columns.max(2),
            binary: classes.is_none(),
            left_out: 0,
        };
        for (row, (of_row, prediction)) in rows.zip(predictions).enumerate() {
            let label = labels.and_then(|labels| labels.get(row)).copied();
            told.add(row, of_row, *prediction, label)?;
        }
        Ok(told)
    }

    fn add(&mut self, row: usize, of_row: &[f64], prediction: f64, label: Option<f64>) -> Result<(), Error> {
        let complete = match of_row {
            [single] => probability(row, *single).map(|()| !single.is_nan())?,
            several => distribution(row, several)?,
        };
        let prediction = class_number("predictions", row, prediction, self.classes)?;
        let label = label.map(|label| class_number("labels", row, label, self.classes)).transpose()?;
        let (true, Some(prediction), None | Some(Some(_))) = (complete, prediction, label) else {
            self.left_out += 1;
            return Ok(());
        };
        match of_row {
            [single] => self.probabilities.extend([1.0 - single, *single]),
            several => self.probabilities.extend(several),
        }
        self.predictions.push(prediction);
        self.labels.extend(label.flatten());
        Ok(())
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

    pub(super) fn predictions(&self) -> &[usize] {
        &self.predictions
    }

    /// Labels beside predictions.
    pub(super) fn judgements(&self) -> impl Iterator<Item = (usize, usize)> {
        self.labels.iter().copied().zip(self.predictions.iter().copied())
    }

    /// The classes that metrics are about.
    pub(super) const fn judged(&self) -> std::ops::Range<usize> {
        if self.binary { 1..2 } else { 0..self.classes }
    }

    /// Raw probabilities of a class, and whether it is the label.
    pub(super) fn labelled(&self, class: usize) -> Vec<(f64, bool)> {
        self.column(class)
            .zip(&self.labels)
            .map(|(probability, label)| (probability, *label == class))
            .collect()
    }

    /// Raw probabilities of a class beside those `calibrated`.
    pub(super) fn scored(&self, class: usize, calibrated: &[f64]) -> Vec<(f64, f64)> {
        let calibrated = calibrated.iter().skip(class).step_by(self.classes);
        self.column(class).zip(calibrated.copied()).collect()
    }

    /// All probabilities calibrated, so that those of a row add up to 1 again; alike if all would be 0.
    pub(super) fn calibrated(&self, calibrations: &[Option<Isotonic>]) -> Vec<f64> {
        let mut probabilities = self.probabilities.clone();
        for row in probabilities.chunks_exact_mut(self.classes) {
            if let ([Some(calibration)], [other, one]) = (calibrations, &mut *row) {
                *one = calibration.at(*one);
                *other = 1.0 - *one;
                continue;
            }
            for (probability, calibration) in row.iter_mut().zip(calibrations) {
                *probability = calibration.as_ref().map_or(*probability, |it| it.at(*probability));
            }
            if !self.binary {
                normalise(row);
            }
        }
        probabilities
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        missing(self.left_out, self.rows())
    }

    fn column(&self, class: usize) -> impl Iterator<Item = f64> {
        self.probabilities.iter().skip(class).step_by(self.classes).copied()
    }
}

fn normalise(row: &mut [f64]) {
    let total: f64 = row.iter().sum();
    let alike = 1.0 / float_len(row.len());
    for probability in row {
        *probability = if total > 0.0 { *probability / total } else { alike };
    }
}
