//! Bootstrap intervals by weights: bias-corrected and accelerated (BCa).
//!
//! A resample of n rows, drawn with replacement, is a vector of multinomial weights: how often each row was
//! drawn. A statistic that takes weights never has to see rows in another order, so nothing is sorted twice.
//!
//! Efron, Better Bootstrap Confidence Intervals (JASA 82, 1987): the ends are the quantiles of the resampled
//! values at
//!
//! ```text
//! Φ(z₀ + (z₀ + z) / (1 − a (z₀ + z))),    z₀ = Φ⁻¹(share below the value),    a = Σ Uᵢ³ / (6 (Σ Uᵢ²)^1.5)
//! ```
//!
//! with z the normal quantiles of the tails. The influence Uᵢ of a row is the covariance of its weight with
//! the resampled value (Efron, JASA 109, 2014), which the resamples give for any statistic at the price of
//! one more pass; Σ Uᵢ² is their variance.

use super::{Intervals, MetricResult};
use crate::float::{float, float_len};
use crate::random::Random;
use crate::result::Warning;
use crate::special::{normal_quantile, normal_upper};

/// Something to draw resamples of.
pub(super) trait Sample {
    /// How many kinds of rows there are: rows of a kind are alike and have the same influence.
    fn kinds(&self) -> usize;

    /// How many rows of a kind there are.
    fn rows(&self, kind: usize) -> f64;

    /// Draws as many rows as there are and gives the metric for them; none where it is not defined.
    fn resample(&mut self, random: &mut Random) -> Option<f64>;

    /// Adds to each kind's covariance how much more often it was drawn than expected, times `deviation`.
    fn covary(&self, deviation: f64, covariances: &mut [f64]);
}

/// Rows that are all of a kind of their own.
struct Rows<Statistic> {
    weights: Vec<u32>,
    statistic: Statistic,
}

impl<Statistic: Fn(&[u32]) -> Option<f64>> Sample for Rows<Statistic> {
    fn kinds(&self) -> usize {
        self.weights.len()
    }

    fn rows(&self, _kind: usize) -> f64 {
        1.0
    }

    fn resample(&mut self, random: &mut Random) -> Option<f64> {
        draw(&mut self.weights, random);
        (self.statistic)(&self.weights)
    }

    fn covary(&self, deviation: f64, covariances: &mut [f64]) {
        for (covariance, weight) in covariances.iter_mut().zip(&self.weights) {
            *covariance += (f64::from(*weight) - 1.0) * deviation;
        }
    }
}

impl MetricResult {
    /// The metric that `statistic` gives for weights of one on each of `rows`, with the interval from
    /// resamples. `statistic` says `None` where the metric is not defined for such weights.
    pub(super) fn bootstrapped(
        metric: &'static str,
        rows: usize,
        intervals: &Intervals,
        warnings: Vec<Warning>,
        statistic: impl Fn(&[u32]) -> Option<f64>,
    ) -> Self {
        let sample = Rows { weights: vec![1; rows], statistic };
        let value = (sample.statistic)(&sample.weights);
        Self::of(metric, value, rows as u64, intervals.confidence(), warnings).resampled(intervals, sample)
    }

    /// The same with an interval from resamples of `sample`.
    pub(super) fn resampled(mut self, intervals: &Intervals, mut sample: impl Sample) -> Self {
        let Some(value) = self.worth_resampling(intervals) else {
            return self;
        };
        let mut random = Random::seeded(intervals.seed());
        let mut covariances = vec![0.0; sample.kinds()];
        let mut resampled = Vec::with_capacity(intervals.resamples());
        for _ in 0..intervals.resamples() {
            if let Some(found) = sample.resample(&mut random).filter(|found| found.is_finite()) {
                sample.covary(found - value, &mut covariances);
                resampled.push(found);
            }
        }
        self.warnings.extend(left_out(intervals.resamples() - resampled.len(), intervals.resamples()));
        resampled.sort_unstable_by(f64::total_cmp);
        let cubes = covariances.iter().enumerate().map(|(kind, covariance)| {
            let influence = covariance / float_len(resampled.len()) / sample.rows(kind);
            influence.powi(3) * sample.rows(kind)
        });
        let levels = Levels::new(value, &resampled, cubes.sum());
        let ends =
            [intervals.deviations(), -intervals.deviations()].map(|z| quantile(&resampled, levels.at(-z)));
        let [Some(low), Some(high)] = ends else {
            return self;
        };
        self.within("bootstrap, bca", [low, high])
    }

    /// The value, if it can have an interval from resamples and the caller wants one.
    pub(super) fn worth_resampling(&mut self, intervals: &Intervals) -> Option<f64> {
        if intervals.resamples() == 0 {
            return None;
        }
        if self.value.is_some() && self.n < 2 {
            self.warnings.push(Warning::Other {
                code: "no_interval",
                message: "one row says nothing about the spread, so there is no interval".into(),
            });
            return None;
        }
        self.value
    }
}

fn left_out(undefined: usize, of: usize) -> Option<Warning> {
    (undefined > 0).then(|| Warning::Other {
        code: "resamples_left_out",
        message: format!(
            "the metric is not defined for {undefined} of {of} resamples, which were left out; \
             there are too few rows, or too few of a class, for a good interval"
        ),
    })
}

/// At which level a quantile of the resamples is an end.
struct Levels {
    bias: f64,
    acceleration: f64,
}

impl Levels {
    fn new(value: f64, sorted: &[f64], cubed_influences: f64) -> Self {
        let n = float_len(sorted.len());
        let below = sorted.partition_point(|found| *found < value);
        let not_above = sorted.partition_point(|found| *found <= value);
        // Ties count half. A value beyond all resamples counts as half a resample away from the last.
        let share = (f64::midpoint(float_len(below), float_len(not_above)) / n).clamp(0.5 / n, 1.0 - 0.5 / n);
        let variance = sorted.iter().map(|found| (found - value).powi(2)).sum::<f64>() / n;
        let acceleration = cubed_influences / (6.0 * variance.powf(1.5));
        Self {
            bias: normal_quantile(share),
            acceleration: if acceleration.is_finite() { acceleration } else { 0.0 },
        }
    }

    fn at(&self, z: f64) -> f64 {
        let shifted = self.bias + z;
        let stretch = (1.0 - self.acceleration * shifted).max(f64::MIN_POSITIVE);
        1.0 - normal_upper(self.bias + shifted / stretch)
    }
}

/// How often each row is drawn when as many are drawn, with replacement, as there are.
#[expect(clippy::indexing_slicing, reason = "a number below the length is an index")]
pub(super) fn draw(weights: &mut [u32], random: &mut Random) {
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
    (weight > 0).then(|| total / float(weight))
}

#[cfg(test)]
mod tests {
    use super::{Levels, draw, quantile};
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

    #[test]
    fn without_bias_and_skewness_the_levels_are_those_of_the_percentile_interval() {
        let levels = Levels::new(0.0, &[-1.0, 0.0, 1.0], 0.0);
        assert!((levels.at(-1.959_963_984_540_054) - 0.025).abs() < 1e-11);
        assert!((levels.at(1.959_963_984_540_054) - 0.975).abs() < 1e-11);
    }

    #[test]
    fn a_positive_skewness_moves_both_levels_up() {
        // Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 14.3: the spatial data have
        // ẑ₀ = 0.146 and â = 0.061, and levels of 0.110 and 0.985 at 90 %.
        let levels = Levels { bias: 0.146, acceleration: 0.061 };
        assert!((levels.at(-1.644_853_626_951_472) - 0.110).abs() < 1e-3);
        assert!((levels.at(1.644_853_626_951_472) - 0.985).abs() < 1e-3);
    }
}
