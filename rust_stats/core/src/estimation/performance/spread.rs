//! How much metrics spread from one sample to the next of the same size, learnt on the reference.
//!
//! A metric is a mean over those of n rows that it is about, a share s of all; with the variance v of what
//! they contribute its sampling error is √(v / (s n)). For a mean over k classes the variances add up:
//! √(Σ v / (s n)) / k. So NannyML has it (its package `sampling_error`, release 0.13), with a factor of 1.2
//! on the ROC AUC of several classes, found there by experiment, and without the slope of F1 in its mean over
//! classes.

use super::classes::Told;
use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;
use crate::float::{float, float_len};

/// NannyML's factor on the ROC AUC of several classes.
const AREA_OF_SEVERAL: f64 = 1.2;

/// What the sampling errors come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    accuracy: Part,
    /// Of each class that is judged: precision, recall, F1 and ROC AUC.
    by_class: Vec<[Part; 4]>,
}

/// The variance of contributions, and the share of all rows that contribute.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Part {
    variance: f64,
    share: f64,
}

impl Part {
    /// Of `right` ones among `about` contributions of zero or one, of `n` rows.
    fn of_rate(right: usize, about: usize, n: usize) -> Self {
        if about == 0 {
            return Self::default();
        }
        let rate = float_len(right) / float_len(about);
        Self { variance: rate * (1.0 - rate), share: float_len(about) / float_len(n) }
    }

    /// None where no row of the reference contributed.
    fn variance(self, n: u64) -> Option<f64> {
        (self.share > 0.0 && n > 0).then(|| self.variance / (self.share * float(n)))
    }
}

impl Spread {
    pub(super) fn of(told: &Told) -> Self {
        let right = told.judgements().filter(|(label, prediction)| label == prediction).count();
        let by_class = told.judged().map(|class| {
            let count = |holds: &dyn Fn(bool, bool) -> bool| {
                told.judgements()
                    .filter(|(label, predicted)| holds(*label == class, *predicted == class))
                    .count()
            };
            let tp = count(&|actual, predicted| actual && predicted);
            let (actual, predicted) = (count(&|actual, _| actual), count(&|_, predicted| predicted));
            let n = told.rows();
            let mut f1 = Part::of_rate(tp, actual + predicted - tp, n);
            if told.binary() && actual + predicted > 0 {
                let slope = float_len(actual + predicted - tp) / (float_len(actual + predicted) / 2.0);
                f1.variance *= slope * slope;
            }
            [
                Part::of_rate(tp, predicted, n),
                Part::of_rate(tp, actual, n),
                f1,
                area(told.labelled(class).collect()),
            ]
        });
        Self { accuracy: Part::of_rate(right, told.rows(), told.rows()), by_class: by_class.collect() }
    }

    pub(super) fn accuracy(&self, n: u64) -> Option<f64> {
        self.accuracy.variance(n).map(f64::sqrt)
    }

    pub(super) fn precision(&self, n: u64) -> Option<f64> {
        self.mean_of(n, |[precision, ..]| *precision)
    }

    pub(super) fn recall(&self, n: u64) -> Option<f64> {
        self.mean_of(n, |[_, recall, ..]| *recall)
    }

    pub(super) fn f1(&self, n: u64) -> Option<f64> {
        self.mean_of(n, |[_, _, f1, _]| *f1)
    }

    pub(super) fn roc_auc(&self, n: u64) -> Option<f64> {
        let factor = if self.by_class.len() > 1 { AREA_OF_SEVERAL } else { 1.0 };
        self.mean_of(n, |[.., area]| *area).map(|error| error * factor)
    }

    fn mean_of(&self, n: u64, part: impl Fn(&[Part; 4]) -> Part) -> Option<f64> {
        let variances = self.by_class.iter().map(|parts| part(parts).variance(n));
        variances.sum::<Option<f64>>().map(|sum| sum.sqrt() / float_len(self.by_class.len()))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        for part in std::iter::once(&self.accuracy).chain(self.by_class.iter().flatten()) {
            writer.number(part.variance);
            writer.number(part.share);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, judged: usize) -> Result<Self, Error> {
        let mut part = || {
            let part = Part { variance: reader.number()?, share: reader.number()? };
            // Written so that a NaN fails the comparison. A slope of F1 is at most 2.
            if !((0.0..=1.0).contains(&part.variance) && (0.0..=1.0).contains(&part.share)) {
                return Err(impossible("a spread is that of no rates"));
            }
            Ok(part)
        };
        let accuracy = part()?;
        let by_class = (0..judged).map(|_| Ok([part()?, part()?, part()?, part()?]));
        Ok(Self { accuracy, by_class: by_class.collect::<Result<_, _>>()? })
    }
}

/// Of the ROC AUC: what a row of the rarer class contributes is the share of the others that it is on the
/// right side of.
fn area(mut rows: Vec<(f64, bool)>) -> Part {
    let n = rows.len();
    let positives = rows.iter().filter(|(_, label)| *label).count();
    let rarer = 2 * positives <= n;
    let of_rarer = if rarer { positives } else { n - positives };
    let others = n - of_rarer;
    if of_rarer == 0 {
        return Part::default();
    }
    rows.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut below, mut sum, mut squares) = (0, 0.0, 0.0);
    for tied in rows.chunk_by(|(a, _), (b, _)| a.total_cmp(b).is_eq()) {
        let tied_rarer = tied.iter().filter(|(_, label)| *label == rarer).count();
        let tied_others = tied.len() - tied_rarer;
        let share = (float_len(below) + float_len(tied_others) / 2.0) / float_len(others);
        sum += float_len(tied_rarer) * share;
        squares += float_len(tied_rarer) * share * share;
        below += tied_others;
    }
    let mean = sum / float_len(of_rarer);
    let variance = (squares / float_len(of_rarer) - mean * mean).clamp(0.0, 1.0);
    Part { variance, share: float_len(of_rarer) / float_len(n) }
}
