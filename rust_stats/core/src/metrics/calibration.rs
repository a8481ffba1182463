//! Calibration errors: how far probabilities are from frequencies, in bins.
//!
//! ```text
//! expected: Σ_b (n_b / n) |gap_b|,    maximum: max_b |gap_b|,    gap_b = mean probability_b − frequency_b
//! ```
//!
//! Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017. Both are biased upwards, since noise in
//! a gap enlarges it: a perfectly calibrated model has an expected error of about 0.4 √(bins / n).
//!
//! The bias is largest where the truth is smallest, so no quantile of resampled errors is a confidence limit.
//! The interval inverts a test instead (Carpenter, Journal of the Royal Statistical Society B 61, 1999): if the true gaps were λ
//! times those observed, errors would be spread as those of λ times the gaps plus the deviations that
//! the gaps have in resamples. The interval holds the error of every λ for which the error observed is between the quantiles of the
//! tails. It reaches to 0 where a calibrated model may well have the error observed.

use super::bootstrap::{draw, quantile};
use super::reliability::in_bins;
use super::rows::Scored;
use super::{Binning, Intervals, MetricResult};
use crate::error::Error;
use crate::float::float;
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
/// let (labels, probabilities) = ([0.0, 1.0, 1.0, 1.0], [0.25, 0.25, 0.75, 0.75]);
/// let result = expected_calibration_error(&labels, &probabilities, two, &Intervals::default())?;
/// assert_eq!(result.value, Some(0.25));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn expected_calibration_error(
    labels: &[f64],
    probabilities: &[f64],
    binning: Binning,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let metric = "expected calibration error";
    calibration_error(metric, labels, probabilities, binning, intervals, |sum, gap| sum + gap.abs(), true)
}

/// The largest distance between probability and frequency in a bin.
///
/// # Errors
///
/// As [`expected_calibration_error`].
pub fn maximum_calibration_error(
    labels: &[f64],
    probabilities: &[f64],
    binning: Binning,
    intervals: &Intervals,
) -> Result<MetricResult, Error> {
    let metric = "maximum calibration error";
    calibration_error(
        metric,
        labels,
        probabilities,
        binning,
        intervals,
        |most, gap| most.max(gap.abs()),
        false,
    )
}

/// `weighted`: whether a gap counts as much as its bin has of all rows.
fn calibration_error(
    metric: &'static str,
    labels: &[f64],
    probabilities: &[f64],
    binning: Binning,
    intervals: &Intervals,
    fold: impl Fn(f64, f64) -> f64,
    weighted: bool,
) -> Result<MetricResult, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?.ascending();
    let bins = in_bins(&scored.rows, binning);
    let mut weights = vec![1; scored.rows.len()];
    let gaps_of = |weights: &[u32]| {
        let mut weights = weights.iter();
        let n = if weighted { scored.rows.len() as u64 } else { 0 };
        bins.iter().map(|(_, _, rows)| gap(rows, &mut weights, n)).collect::<Vec<_>>()
    };
    let gaps: Vec<f64> = gaps_of(&weights).into_iter().map(|gap| gap.unwrap_or(0.0)).collect();
    let error = |gaps: &mut dyn Iterator<Item = f64>| gaps.fold(0.0, &fold);
    let value = (!gaps.is_empty()).then(|| error(&mut gaps.iter().copied()));
    let n = scored.rows.len() as u64;
    let mut result = MetricResult::of(metric, value, n, intervals.confidence(), scored.warnings());
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
    let mut errors = Vec::with_capacity(intervals.resamples());
    let mut spread = |scale: f64, level: f64| {
        errors.clear();
        errors.extend(deviations.chunks_exact(gaps.len()).map(|deviations| {
            error(&mut gaps.iter().zip(deviations).map(|(gap, deviation)| scale * gap + deviation))
        }));
        errors.sort_unstable_by(f64::total_cmp);
        quantile(&errors, level).unwrap_or(value)
    };
    let [low, high] = [1.0 - intervals.tail(), intervals.tail()]
        .map(|level| value * scale_at(|scale| spread(scale, level) < value));
    Ok(result.within("bootstrap, test inversion", [low.min(1.0), high.min(1.0)]))
}

/// The gap of some rows with weights, none if no row has any: per row, or per `n` rows if that is not 0.
fn gap<'weights>(
    rows: &[(f64, bool)],
    weights: &mut impl Iterator<Item = &'weights u32>,
    n: u64,
) -> Option<f64> {
    let (mut sum, mut drawn) = (0.0, 0);
    for ((probability, label), weight) in rows.iter().zip(weights) {
        let difference = if *label { probability - 1.0 } else { *probability };
        sum += difference * f64::from(*weight);
        drawn += u64::from(*weight);
    }
    let of = if n > 0 { n } else { drawn };
    (of > 0).then(|| sum / float(of))
}

/// The largest scale for which `below` holds, where it holds up to some scale: 0 if for none, at most 2¹⁰.
fn scale_at(mut below: impl FnMut(f64) -> bool) -> f64 {
    let (mut holds, mut fails) = (0.0, 1.0);
    if !below(holds) {
        return holds;
    }
    while fails < 1024.0 && below(fails) {
        holds = fails;
        fails *= 2.0;
    }
    for _ in 0..20 {
        let middle = f64::midpoint(holds, fails);
        *(if below(middle) { &mut holds } else { &mut fails }) = middle;
    }
    f64::midpoint(holds, fails)
}
