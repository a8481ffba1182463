//! Whether probabilities need calibration, and the calibration.
//!
//! The rule is NannyML's: calibrate if probabilities calibrated on other rows have a smaller expected
//! calibration error than the raw ones, but not where all labels are alike or the ROC AUC is above 0.999.
//! NannyML splits ten times at random; here every tenth row of each class is held out in turn, so that the
//! same reference always gives the same answer.

use super::isotonic::{Isotonic, calibration_error};
use crate::metrics::{Intervals, roc_auc};

const FOLDS: usize = 10;
const NEARLY_PERFECT: f64 = 0.999;

/// The calibration for `rows` of a probability and a label, if they need one.
pub(super) fn calibration(rows: &[(f64, bool)]) -> Option<Isotonic> {
    let positives = rows.iter().filter(|(_, label)| *label).count();
    if positives.min(rows.len() - positives) < FOLDS || nearly_perfect(rows) {
        return None;
    }
    let folds = folds(rows);
    let (mut raw, mut calibrated) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for fold in 0..FOLDS {
        let part = |held_out: bool| {
            let chosen = rows.iter().zip(&folds).filter(move |(_, of)| (**of == fold) == held_out);
            chosen.map(|(row, _)| *row)
        };
        let fitted = fit(part(false).collect());
        raw.extend(part(true));
        calibrated.extend(part(true).map(|(probability, label)| (fitted.at(probability), label)));
    }
    (calibration_error(&mut calibrated) < calibration_error(&mut raw)).then(|| fit(rows.to_vec()))
}

fn fit(mut rows: Vec<(f64, bool)>) -> Isotonic {
    rows.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    Isotonic::fit(&rows)
}

/// The fold of each row: the rows of each class go round.
fn folds(rows: &[(f64, bool)]) -> Vec<usize> {
    let (mut positives, mut negatives) = (0, 0);
    rows.iter()
        .map(|(_, label)| {
            let next = if *label { &mut positives } else { &mut negatives };
            let fold = *next % FOLDS;
            *next += 1;
            fold
        })
        .collect()
}

fn nearly_perfect(rows: &[(f64, bool)]) -> bool {
    let (labels, scores): (Vec<_>, Vec<_>) =
        rows.iter().map(|(probability, label)| (f64::from(u8::from(*label)), *probability)).unzip();
    let without = Intervals::WITHOUT;
    let area = roc_auc(&labels, &scores, &without).ok().and_then(|result| result.value);
    area.is_none_or(|area| area > NEARLY_PERFECT)
}
