//! Calibration errors: how far probabilities are from frequencies, in bins.
//!
//! ```text
//! expected: Σ_b (n_b / n) |gap_b|,    maximum: max_b |gap_b|,    gap_b = mean probability_b − frequency_b
//! ```
//!
//! Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017. Both are biased upwards, since noise in
//! a gap enlarges it: a perfectly calibrated model has an expected error of up to 0.4 √(bins / n).
//!
//! The bias is largest where the truth is smallest, so no quantile of resampled errors is a confidence limit.
//! The interval inverts a test instead (Carpenter, Journal of the Royal Statistical Society B 61, 1999): if
//! the true gaps were λ times those observed, errors would be spread as those of λ times the gaps plus the
//! deviations that the gaps have in resamples. The interval holds the error of every λ for which the error
//! observed is between the quantiles of the tails. It reaches to 0 where a calibrated model may well have the
//! error observed.

use super::bootstrap::{draw, quantile};
use super::reliability::in_bins;
use super::rows::Scored;
use super::{Binning, Intervals, MetricResult};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::random::Random;

/// The mean over rows of the distance between probability and frequency in their bin.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths, labels other than 0 and 1, or probabilities outside of 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{BinRule, Binning, Intervals, expected_calibration_error};
/// let two = Binning::new(2, BinRule::EqualWidth)?;
/// let (labels, probabilities) = (vec![0.0, 1.0, 1.0, 1.0], vec![0.25, 0.25, 0.75, 0.75]);
/// let result = expected_calibration_error(labels, probabilities, two, &Intervals::default())?;
/// assert_eq!(result.value, Some(0.25));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn expected_calibration_error(
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    binning: Binning,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    calibration_error(Combined::Expected, labels, probabilities, binning, intervals)
}

/// The largest distance between probability and frequency in a bin.
///
/// # Errors
///
/// As [`expected_calibration_error`].
pub fn maximum_calibration_error(
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    binning: Binning,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    calibration_error(Combined::Maximum, labels, probabilities, binning, intervals)
}

/// What is made of the gaps.
#[derive(Clone, Copy)]
enum Combined {
    Expected,
    Maximum,
}

impl Combined {
    const fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected calibration error",
            Self::Maximum => "maximum calibration error",
        }
    }

    /// The error, from what [`Combined::gap`] gave for each bin.
    fn error(self, gaps: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Expected => gaps.map(f64::abs).sum(),
            Self::Maximum => gaps.map(f64::abs).fold(0.0, f64::max),
        }
    }

    /// The gap of a bin, for the expected error as it counts among all `n` rows; none if no row has weight.
    fn gap<'weights>(
        self,
        rows: &[(f64, bool)],
        weights: &mut impl Iterator<Item = &'weights u32>,
        n: usize,
    ) -> Option<f64> {
        let (mut sum, mut drawn) = (0.0, 0);
        for ((probability, label), weight) in rows.iter().zip(weights) {
            let difference = if *label { probability - 1.0 } else { *probability };
            sum += difference * f64::from(*weight);
            drawn += u64::from(*weight);
        }
        let among = match self {
            Self::Expected => float_len(n),
            Self::Maximum => float(drawn),
        };
        (drawn > 0).then(|| sum / among)
    }
}

fn calibration_error(
    combined: Combined,
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    binning: Binning,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?;
    let (warnings, n) = (scored.warnings(), scored.len());
    let ascending = scored.ascending();
    let bins = in_bins(&ascending, binning);
    let mut weights = vec![1; n];
    let gaps_of = |weights: &[u32]| {
        let mut weights = weights.iter();
        bins.iter().map(|(_, _, rows)| combined.gap(rows, &mut weights, n)).collect::<Vec<_>>()
    };
    let gaps: Vec<f64> = gaps_of(&weights).into_iter().flatten().collect();
    let value = (n > 0).then(|| combined.error(gaps.iter().copied()));
    let mut result = MetricResult::of(combined.name(), value, n as u64, intervals.confidence(), warnings);
    let Some(value) = result.worth_resampling(intervals) else {
        return Ok(result);
    };
    let mut random = Random::seeded(intervals.seed());
    let mut deviations = Vec::with_capacity(intervals.resamples() * gaps.len());
    for _ in 0..intervals.resamples() {
        draw(&mut weights, &mut random);
        // A bin of which no row was drawn tells of no deviation.
        let pairs = gaps_of(&weights).into_iter().zip(&gaps);
        deviations.extend(pairs.map(|(drawn, gap)| drawn.map_or(0.0, |drawn| drawn - gap)));
    }
    let ends = [1.0 - intervals.tail(), intervals.tail()]
        .map(|level| (value * scale(combined, &gaps, &deviations, level, value)).min(1.0));
    Ok(result.within("bootstrap, test inversion", ends))
}

/// The scale of the gaps at which the errors that the deviations spread have `value` as their quantile
/// `level`: 0 if that is above already without gaps, at most 2¹⁰.
fn scale(combined: Combined, gaps: &[f64], deviations: &[f64], level: f64, value: f64) -> f64 {
    const STEPS: usize = 40;
    let mut errors = Vec::with_capacity(deviations.len() / gaps.len().max(1));
    let mut is_below = |scale: f64| {
        errors.clear();
        errors.extend(deviations.chunks_exact(gaps.len()).map(|deviations| {
            combined.error(gaps.iter().zip(deviations).map(|(gap, deviation)| scale * gap + deviation))
        }));
        errors.sort_unstable_by(f64::total_cmp);
        quantile(&errors, level).is_some_and(|error| error < value)
    };
    let (mut below, mut above) = (0.0, 1.0);
    if !is_below(below) {
        return below;
    }
    while above < 1024.0 && is_below(above) {
        below = above;
        above *= 2.0;
    }
    for _ in 0..STEPS {
        let middle = f64::midpoint(below, above);
        *(if is_below(middle) { &mut below } else { &mut above }) = middle;
    }
    above
}
