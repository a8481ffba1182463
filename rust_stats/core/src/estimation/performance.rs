//! Confidence-based performance estimation (CBPE) of classifiers.
//!
//! Where a calibrated classifier gives class k the probability p, k is right in p of such rows. So the
//! expected
//! confusion matrix is known without labels: a row predicted as j adds its pₖ to cell (k, j). Accuracy,
//! precision, recall and F1 follow from it. Likewise the expected ROC AUC: a row counts as p positives and
//! 1 − p negatives, ordered by the raw score.
//!
//! Probabilities are calibrated for each class against the others by isotonic regression where that lowers
//! their calibration error, and then made to add up to 1. With two classes all is said of class 1, with more
//! it is the mean over classes (accuracy excepted).
//!
//! As NannyML does it (its module `confidence_based`, release 0.13; Białek, Kivimäki, Kuberski and
//! Perrakis, Estimating Model Performance Under Covariate Shift Without Labels, arXiv 2401.08348), down to
//! the sampling errors, except that equal scores form one step of the ROC curve.

mod area;
mod classes;
mod spread;

use super::Estimate;
use super::calibrator::calibration;
use super::isotonic::Isotonic;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float_len;
use crate::metrics::undefined_classes;
use area::expected_area;
use classes::{Calibrated, Told};
use spread::Spread;

const VERSION: u8 = 1;

/// What a reference says of a classifier: how to calibrate its probabilities and how its metrics spread.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceEstimator {
    /// For class 1 if there are two classes, else for each.
    calibrations: Vec<Option<Isotonic>>,
    spread: Spread,
    classes: usize,
    n: u64,
}

/// The metrics that a classifier is expected to have on some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceEstimate {
    /// Share of rows whose class was predicted.
    pub accuracy: Estimate,
    /// Of class 1, or the mean over classes if there are more than two; so are those that follow.
    pub precision: Estimate,
    /// Share of the rows of a class that were predicted as it.
    pub recall: Estimate,
    /// Harmonic mean of precision and recall.
    pub f1: Estimate,
    /// Area under the ROC curve, of a class against the others.
    pub roc_auc: Estimate,
    /// Expected rows by class, one after the other, and predicted class.
    pub confusion: Vec<f64>,
    /// How many classes there are.
    pub classes: usize,
}

impl PerformanceEstimator {
    /// Learns from a reference, whose labels are known and on which the model was not trained.
    ///
    /// `probabilities` are those of class 1, one a row, if `classes` is `None`; else those of all `classes`,
    /// row after row. Labels and predictions are the numbers of classes, from 0. Rows with a NaN are left
    /// out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for other lengths, labels or predictions that are no class, probabilities outside
    /// of 0 and 1 or that do not add up to 1, or no row at all.
    pub fn fit(
        probabilities: Vec<f64>,
        classes: Option<usize>,
        predictions: Vec<f64>,
        labels: Vec<f64>,
    ) -> Result<Self, Error> {
        let told = Told::new(probabilities, classes, predictions, Some(labels))?;
        if told.rows() == 0 {
            return Err(Error::argument(
                "labels",
                "must have at least one row that is complete to learn from",
            ));
        }
        let calibrations = told.judged().map(|class| calibration(told.labelled(class))).collect();
        Ok(Self { calibrations, spread: Spread::of(&told), classes: told.classes(), n: told.rows() as u64 })
    }

    /// How many classes there are.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of the reference that were learnt from.
    #[must_use]
    pub const fn n_reference(&self) -> u64 {
        self.n
    }

    /// Whether probabilities are calibrated: of class 1 if there are two classes, else of each.
    #[must_use]
    pub fn calibrated(&self) -> Vec<bool> {
        self.calibrations.iter().map(Option::is_some).collect()
    }

    /// The metrics expected for `predictions` made with `probabilities`, both as in
    /// [`PerformanceEstimator::fit`]. Rows with a NaN are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] as there, or for another number of classes.
    pub fn estimate(
        &self,
        probabilities: Vec<f64>,
        classes: Option<usize>,
        predictions: Vec<f64>,
    ) -> Result<PerformanceEstimate, Error> {
        let told = Told::new(probabilities, classes, predictions, None)?;
        if told.classes() != self.classes || classes.is_some() != (self.calibrations.len() > 1) {
            let problem = format!(
                "must be those of {} classes in the form of the reference, but are those of {}",
                self.classes,
                told.classes()
            );
            return Err(Error::argument("probabilities", problem));
        }
        Ok(self.expected(&told, &Calibrated::new(&told, &self.calibrations)))
    }

    fn expected(&self, told: &Told, calibrated: &Calibrated<'_>) -> PerformanceEstimate {
        let (k, n) = (self.classes, told.rows() as u64);
        let mut confusion = vec![0.0; k * k];
        let mut areas = Vec::new();
        for class in told.judged() {
            let scored = calibrated.scored(class);
            expect(&mut confusion, k, class, told.predictions(), scored.iter().map(|(_, it)| *it));
            if told.binary() {
                expect(&mut confusion, k, 0, told.predictions(), scored.iter().map(|(_, it)| 1.0 - it));
            }
            areas.push(expected_area(scored));
        }
        let warnings = told.warnings();
        let estimate = |metric, value, error| Estimate::new(metric, value, error, 1.0, n, warnings.clone());
        let mean = |of: &dyn Fn(usize) -> Option<f64>| {
            let judged = told.judged();
            let count = float_len(judged.len());
            judged.map(of).sum::<Option<f64>>().map(|sum| sum / count)
        };
        // As in the average over a confusion matrix, a class without a rate counts as 0 there, and is told of.
        let rate = |metric, of: &dyn Fn(usize) -> Option<f64>, error| {
            let undefined = told.judged().filter(|class| of(*class).is_none()).count();
            if told.binary() || n == 0 || undefined == 0 {
                return estimate(metric, mean(of), error);
            }
            let mut averaged = estimate(metric, mean(&|class| of(class).or(Some(0.0))), error);
            averaged.warnings.push(undefined_classes(undefined, k));
            averaged
        };
        let cells = Cells { confusion: &confusion, classes: k };
        let right = (0..k).map(|class| cells.right(class)).sum::<f64>();
        PerformanceEstimate {
            accuracy: estimate("accuracy", ratio(right, float_len(told.rows())), self.spread.accuracy(n)),
            precision: rate(
                "precision",
                &|class| ratio(cells.right(class), cells.predicted(class)),
                self.spread.precision(n),
            ),
            recall: rate(
                "recall",
                &|class| ratio(cells.right(class), cells.actual(class)),
                self.spread.recall(n),
            ),
            f1: rate(
                "f1",
                &|class| ratio(2.0 * cells.right(class), cells.predicted(class) + cells.actual(class)),
                self.spread.f1(n),
            ),
            roc_auc: estimate(
                "roc auc",
                areas.iter().copied().sum::<Option<f64>>().map(|sum| sum / float_len(areas.len())),
                self.spread.roc_auc(n),
            ),
            confusion,
            classes: k,
        }
    }

    /// The estimator as bytes with a version and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::PerformanceEstimator, VERSION);
        writer.count(self.n);
        writer.count(self.classes as u64);
        writer.count(self.calibrations.len() as u64);
        for calibration in &self.calibrations {
            writer.count(u64::from(calibration.is_some()));
            if let Some(isotonic) = calibration {
                isotonic.write(&mut writer);
            }
        }
        self.spread.write(&mut writer);
        writer.seal()
    }

    /// The estimator that [`PerformanceEstimator::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::PerformanceEstimator, VERSION)?;
        let n = reader.count()?;
        let classes = usize::try_from(reader.count()?).unwrap_or(0);
        let judged = reader.count()?;
        let one_or_all = judged == 1 && classes == 2 || judged == classes as u64 && classes >= 2;
        if n == 0 || !one_or_all || classes > Told::MOST_CLASSES {
            return Err(impossible("its numbers of rows and classes do not go together"));
        }
        let mut calibrations = Vec::new();
        for _ in 0..judged {
            calibrations.push(match reader.count()? {
                0 => None,
                1 => Some(Isotonic::read(&mut reader)?),
                _ => return Err(impossible("a calibration is neither there nor not there")),
            });
        }
        let spread = Spread::read(&mut reader, calibrations.len())?;
        reader.close()?;
        Ok(Self { calibrations, spread, classes, n })
    }
}

/// Adds to the expected rows of a class, by predicted class, the probability that each row is of it.
fn expect(
    confusion: &mut [f64],
    classes: usize,
    class: usize,
    predictions: &[u16],
    probabilities: impl Iterator<Item = f64>,
) {
    for (probability, prediction) in probabilities.zip(predictions) {
        if let Some(cell) = confusion.get_mut(class * classes + usize::from(*prediction)) {
            *cell += probability;
        }
    }
}

/// A confusion matrix of expected rows.
struct Cells<'cells> {
    confusion: &'cells [f64],
    classes: usize,
}

impl Cells<'_> {
    fn right(&self, class: usize) -> f64 {
        self.confusion.get(class * self.classes + class).copied().unwrap_or(0.0)
    }

    fn actual(&self, class: usize) -> f64 {
        self.confusion.chunks_exact(self.classes).nth(class).map_or(0.0, |row| row.iter().sum())
    }

    fn predicted(&self, class: usize) -> f64 {
        self.confusion.chunks_exact(self.classes).filter_map(|row| row.get(class)).sum()
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
