//! Bootstrap intervals by weights.
//!
//! A resample of n rows, drawn with replacement, is a vector of multinomial weights: how often each row was
//! drawn. A statistic that takes weights never has to see rows in another order, so nothing is sorted twice.
//!
//! The percentile interval goes from quantile α/2 to 1 − α/2 of the statistics of the resamples. The basic
//! one mirrors it at the value v, from 2v − q(1 − α/2) to 2v − q(α/2): where the statistic is biased upwards,
//! as a calibration error is, the resamples are biased once more, and the mirror takes one bias out. Davison
//! and Hinkley, Bootstrap Methods and their Application (1997), sections 5.2 and 5.3.

use super::{Intervals, MetricResult};
use crate::float::float_len;
use crate::random::Random;
use crate::result::Warning;

/// Which interval is made of the resamples.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Percentile,
    /// With the bounds of the metric, which the mirror image may exceed.
    Basic([f64; 2]),
}

impl MetricResult {
    /// The metric that `statistic` gives for weights of one on each of `rows`, with the interval from
    /// resamples. `statistic` says `None` where the metric is not defined for such weights.
    pub(super) fn bootstrapped(
        metric: &'static str,
        rows: usize,
        intervals: &Intervals,
        style: Style,
        warnings: Vec<Warning>,
        statistic: impl Fn(&[u32]) -> Option<f64>,
    ) -> Self {
        let mut weights = vec![1; rows];
        let value = statistic(&weights);
        let result = Self::of(metric, value, rows as u64, intervals.confidence(), warnings);
        let mut random = Random::seeded(intervals.seed());
        result.with_interval(intervals, style, || {
            draw(&mut weights, &mut random);
            statistic(&weights)
        })
    }

    /// The same with an interval from `resample`, which computes the metric of one resample.
    pub(super) fn with_interval(
        mut self,
        intervals: &Intervals,
        style: Style,
        mut resample: impl FnMut() -> Option<f64>,
    ) -> Self {
        let (Some(value), 1..) = (self.value, intervals.resamples()) else {
            return self;
        };
        if self.n < 2 {
            self.warnings.push(Warning::Other {
                code: "no_interval",
                message: "one row says nothing about the spread, so there is no interval".into(),
            });
            return self;
        }
        let resampled = (0..intervals.resamples()).filter_map(|_| resample());
        let mut replicates: Vec<f64> = resampled.filter(|replicate| replicate.is_finite()).collect();
        replicates.sort_unstable_by(f64::total_cmp);
        let undefined = intervals.resamples() - replicates.len();
        if undefined > 0 {
            self.warnings.push(Warning::Other {
                code: "resamples_left_out",
                message: format!(
                    "the metric is not defined for {undefined} of {} resamples, which were left out; \
                     too few rows of one class for a good interval",
                    intervals.resamples()
                ),
            });
        }
        let tail = intervals.tail();
        let (Some(low), Some(high)) = (quantile(&replicates, tail), quantile(&replicates, 1.0 - tail)) else {
            return self;
        };
        if low >= high {
            self.warnings.push(Warning::Other {
                code: "degenerate_interval",
                message:
                    "the resamples hardly differ, so the interval has no width; the truth may lie outside"
                        .into(),
            });
        }
        match style {
            Style::Percentile => self.within("bootstrap, percentile", [low, high]),
            Style::Basic([least, most]) => {
                let mirrored = [high, low].map(|end| (2.0 * value - end).clamp(least, most));
                self.within("bootstrap, basic", mirrored)
            }
        }
    }
}

/// How often each row is drawn when as many are drawn, with replacement, as there are.
#[expect(clippy::indexing_slicing, reason = "a number below the length is an index")]
fn draw(weights: &mut [u32], random: &mut Random) {
    weights.fill(0);
    let rows = weights.len();
    for _ in 0..rows {
        weights[random.below(rows)] += 1;
    }
}

/// The quantile by linear interpolation between order statistics (Hyndman and Fan's type 7).
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share * float_len(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last index"
    )]
    let below = (position.floor() as usize).min(last);
    let lower = sorted.get(below)?;
    let upper = sorted.get(below + 1).unwrap_or(lower);
    Some(lower + (upper - lower) * (position - float_len(below)))
}

/// Mean of `contributions` with weights.
pub(super) fn weighted_mean(contributions: &[f64], weights: &[u32]) -> Option<f64> {
    let total: f64 =
        contributions.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum();
    let weight: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    (weight > 0).then(|| total / crate::float::float(weight))
}

#[cfg(test)]
mod tests {
    use super::{draw, quantile};
    use crate::random::Random;

    #[test]
    fn a_draw_has_as_many_rows_as_there_are() {
        let mut weights = [1; 50];
        for seed in 0..20 {
            draw(&mut weights, &mut Random::seeded(seed));
            assert_eq!(weights.iter().sum::<u32>(), 50);
        }
        draw(&mut [], &mut Random::seeded(0));
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [1.0, 2.0, 4.0];
        for (share, expected) in [(0.0, 1.0), (0.25, 1.5), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0)] {
            assert_eq!(quantile(&sorted, share), Some(expected));
        }
        assert_eq!(quantile(&[], 0.5), None);
    }
}
