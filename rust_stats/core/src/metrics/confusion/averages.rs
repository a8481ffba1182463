//! Averages over classes, with bootstrap intervals from the cells.
//!
//! Resampling rows gives the cells a multinomial distribution, which is drawn cell by cell as binomial counts
//! of what is left. So a resample costs as much as there are cells, however many rows they stand for.

use super::ConfusionMatrix;
use crate::float::float;
use crate::metrics::bootstrap::Sample;
use crate::metrics::{Intervals, MetricResult};
use crate::random::Random;
use crate::result::Warning;

/// Rows of one class: really, as predicted, and both.
#[derive(Clone, Copy, Default)]
pub(super) struct OfClass {
    pub(super) right: u64,
    pub(super) actual: u64,
    pub(super) predicted: u64,
}

impl OfClass {
    pub(super) fn add(&mut self, actual: bool, predicted: bool, count: u64) {
        let add = |to: &mut u64, applies| *to = to.saturating_add(if applies { count } else { 0 });
        add(&mut self.actual, actual);
        add(&mut self.predicted, predicted);
        add(&mut self.right, actual && predicted);
    }

    pub(super) fn precision(&self) -> Option<f64> {
        (self.predicted > 0).then(|| float(self.right) / float(self.predicted))
    }

    pub(super) fn recall(&self) -> Option<f64> {
        (self.actual > 0).then(|| float(self.right) / float(self.actual))
    }

    pub(super) fn f1(&self) -> Option<f64> {
        let both = float(self.actual) + float(self.predicted);
        (both > 0.0).then(|| 2.0 * float(self.right) / both)
    }
}

/// The mean of the `score` of each class; where a class has none, it counts as 0, as in scikit-learn.
pub(super) fn averaged(
    matrix: &ConfusionMatrix,
    metric: &'static str,
    score: impl Fn(&OfClass) -> Option<f64>,
    weighted: bool,
    intervals: &Intervals,
) -> MetricResult {
    let classes = matrix.classes();
    let position = |class| classes.binary_search(class).unwrap_or_default();
    let cells: Vec<Cell> = matrix
        .cells
        .iter()
        .map(|((label, predicted), count)| (position(label), position(predicted), *count))
        .collect();
    let mut by_class = vec![OfClass::default(); classes.len()];
    let mut warnings = matrix.warnings();
    tally(&mut by_class, cells.iter().copied());
    let undefined = by_class.iter().filter(|counts| score(counts).is_none()).count();
    if undefined > 0 {
        warnings.push(Warning::Other {
            code: "undefined_classes",
            message: format!(
                "it is not defined for {undefined} of {} classes and counts as 0 there",
                classes.len()
            ),
        });
    }
    let value = mean(&by_class, &score, weighted);
    let drawn = cells.clone();
    let sample = Table {
        cells,
        drawn,
        by_class,
        n: matrix.n(),
        metric: |by_class: &[OfClass]| mean(by_class, &score, weighted),
    };
    MetricResult::of(metric, value, sample.n, intervals.confidence(), warnings).resampled(intervals, sample)
}

/// A class, the class predicted, and how many rows.
type Cell = (usize, usize, u64);

/// Rows of the same class and prediction are of a kind.
struct Table<Metric> {
    cells: Vec<Cell>,
    drawn: Vec<Cell>,
    by_class: Vec<OfClass>,
    n: u64,
    metric: Metric,
}

impl<Metric: Fn(&[OfClass]) -> Option<f64>> Sample for Table<Metric> {
    fn kinds(&self) -> usize {
        self.cells.len()
    }

    fn rows(&self, kind: usize) -> f64 {
        self.cells.get(kind).map_or(1.0, |(_, _, count)| float(*count))
    }

    fn resample(&mut self, random: &mut Random) -> Option<f64> {
        draw(&self.cells, &mut self.drawn, self.n, random);
        tally(&mut self.by_class, self.drawn.iter().copied());
        (self.metric)(&self.by_class)
    }

    fn covary(&self, deviation: f64, covariances: &mut [f64]) {
        let pairs = self.cells.iter().zip(&self.drawn);
        for (covariance, ((_, _, count), (_, _, drawn))) in covariances.iter_mut().zip(pairs) {
            *covariance += (float(*drawn) - float(*count)) * deviation;
        }
    }
}

/// As many rows as the cells have, each from a cell as probably as that has rows.
fn draw(cells: &[Cell], drawn: &mut [Cell], n: u64, random: &mut Random) {
    let (mut to_draw, mut left) = (n, n);
    for ((_, _, count), (_, _, drawn)) in cells.iter().zip(drawn) {
        *drawn = if left > 0 { random.binomial(to_draw, float(*count) / float(left)) } else { 0 };
        to_draw = to_draw.saturating_sub(*drawn);
        left = left.saturating_sub(*count);
    }
}

fn tally(by_class: &mut [OfClass], cells: impl Iterator<Item = Cell>) {
    by_class.fill(OfClass::default());
    for (label, predicted, count) in cells {
        if let Some(class) = by_class.get_mut(label) {
            class.add(true, label == predicted, count);
        }
        if label != predicted
            && let Some(class) = by_class.get_mut(predicted)
        {
            class.add(false, true, count);
        }
    }
}

/// The mean over the classes that occur.
fn mean(by_class: &[OfClass], score: impl Fn(&OfClass) -> Option<f64>, weighted: bool) -> Option<f64> {
    let occurring = by_class.iter().filter(|counts| counts.actual > 0 || counts.predicted > 0);
    let weight = |counts: &OfClass| if weighted { float(counts.actual) } else { 1.0 };
    let scored = occurring.map(|counts| (score(counts).unwrap_or(0.0) * weight(counts), weight(counts)));
    let (sum, weights) =
        scored.fold((0.0, 0.0), |(sum, weights), (score, weight)| (sum + score, weights + weight));
    (weights > 0.0).then(|| sum / weights)
}
