//! Calibration errors: how far probabilities are from frequencies, in bins.
//!
//! ```text
//! expected: Σ_b (n_b / n) |mean probability_b − frequency_b|,    maximum: max_b |mean probability_b − frequency_b|
//! ```
//!
//! Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017. Both grow with the number of bins and shrink with the
//! number of rows even where the model does not change: a perfectly calibrated one has an error of about
//! √(bins / n) / 4. So compare values of the same bins and the same n, and read the interval, which is the
//! basic bootstrap's because that takes this bias out once.

use super::bootstrap::Style;
use super::reliability::in_bins;
use super::rows::Scored;
use super::{Binning, Intervals, MetricResult};
use crate::error::Error;
use crate::float::float;

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
    let summed = |gaps: &mut dyn Iterator<Item = Gap>| {
        let (total, n) = gaps.fold((0.0, 0), |(total, n), gap| (total + gap.difference.abs(), n + gap.n));
        total / float(n)
    };
    calibration_error("expected calibration error", labels, probabilities, binning, intervals, summed)
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
    let largest = |gaps: &mut dyn Iterator<Item = Gap>| {
        gaps.map(|gap| gap.difference.abs() / float(gap.n)).fold(0.0, f64::max)
    };
    calibration_error("maximum calibration error", labels, probabilities, binning, intervals, largest)
}

/// Sum of probabilities less labels over the `n` rows of a bin.
struct Gap {
    difference: f64,
    n: u64,
}

fn calibration_error(
    metric: &'static str,
    labels: &[f64],
    probabilities: &[f64],
    binning: Binning,
    intervals: &Intervals,
    combined: impl Fn(&mut dyn Iterator<Item = Gap>) -> f64,
) -> Result<MetricResult, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?.ascending();
    let bins = in_bins(&scored.rows, binning);
    let (style, warnings) = (Style::Basic([0.0, 1.0]), scored.warnings());
    let n = scored.rows.len();
    Ok(MetricResult::bootstrapped(metric, n, intervals, style, warnings, |weights| {
        let mut weights = weights.iter();
        let mut gaps = bins.iter().map(|(_, _, rows)| gap(rows, &mut weights)).filter(|gap| gap.n > 0);
        (n > 0).then(|| combined(&mut gaps))
    }))
}

fn gap<'weights>(rows: &[(f64, bool)], weights: &mut impl Iterator<Item = &'weights u32>) -> Gap {
    let mut gap = Gap { difference: 0.0, n: 0 };
    for ((probability, label), weight) in rows.iter().zip(weights) {
        let difference = if *label { probability - 1.0 } else { *probability };
        gap.difference += difference * f64::from(*weight);
        gap.n += u64::from(*weight);
    }
    gap
}
