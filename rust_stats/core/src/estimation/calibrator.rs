//! Whether probabilities need calibration, and the calibration.
//!
//! The rule is NannyML's: calibrate if probabilities calibrated on other rows have a smaller expected
//! calibration error than the raw ones, but not where all labels are alike or the ROC AUC is above 0.999.
//! NannyML splits ten times at random; here every tenth row of each class is held out in turn, so that the
//! same reference always gives the same answer.

//!
//! The rows are sorted once: the rows of a fold, and those of the others, are parts in the same order.

use super::isotonic::{Isotonic, calibration_error};
use crate::float::float_len;

const FOLDS: u8 = 10;
const NEARLY_PERFECT: f64 = 0.999;

/// A row of the reference, in whose room the fold costs nothing.
#[derive(Clone, Copy)]
struct Row {
    probability: f64,
    label: bool,
    fold: u8,
}

/// The calibration for `rows` of a probability and a label, if they need one.
pub(super) fn calibration(rows: impl ExactSizeIterator<Item = (f64, bool)>) -> Option<Isotonic> {
    let mut rows = folded(rows);
    let positives = rows.iter().filter(|row| row.label).count();
    if positives.min(rows.len() - positives) < usize::from(FOLDS) {
        return None;
    }
    rows.sort_unstable_by(|a, b| a.probability.total_cmp(&b.probability));
    if area(&rows, positives) > NEARLY_PERFECT {
        return None;
    }
    let mut calibrated = Vec::with_capacity(rows.len());
    for fold in 0..FOLDS {
        let part = |held_out: bool| rows.iter().filter(move |row| (row.fold == fold) == held_out);
        let fitted = Isotonic::fit(part(false).map(Row::pair));
        calibrated.extend(part(true).map(|row| (fitted.at(row.probability), row.label)));
    }
    calibrated.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let is_better =
        calibration_error(calibrated.iter().copied()) < calibration_error(rows.iter().map(Row::pair));
    is_better.then(|| Isotonic::fit(rows.iter().map(Row::pair)))
}

impl Row {
    const fn pair(&self) -> (f64, bool) {
        (self.probability, self.label)
    }
}

/// Rows with their folds: the rows of each class go round.
fn folded(rows: impl ExactSizeIterator<Item = (f64, bool)>) -> Vec<Row> {
    let (mut positives, mut negatives) = (0, 0);
    rows.map(|(probability, label)| {
        let next = if label { &mut positives } else { &mut negatives };
        let fold = *next;
        *next = (fold + 1) % FOLDS;
        Row { probability, label, fold }
    })
    .collect()
}

/// The area under the ROC curve of rows in ascending order, so many of them `positives`; not all.
fn area(ascending: &[Row], positives: usize) -> f64 {
    let (mut below, mut pairs) = (0, 0.0);
    for tied in ascending.chunk_by(|a, b| a.probability.total_cmp(&b.probability).is_eq()) {
        let tied_positives = tied.iter().filter(|row| row.label).count();
        let tied_negatives = tied.len() - tied_positives;
        pairs += float_len(tied_positives) * (float_len(below) + float_len(tied_negatives) / 2.0);
        below += tied_negatives;
    }
    pairs / float_len(positives) / float_len(below)
}
