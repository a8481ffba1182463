//! The reliability curve: how often something happens that was said to be so probable.
//!
//! Murphy and Winkler, Applied Statistics 26 (1977). A bin is (lower, upper], the first one [0, upper], as in
//! Guo et al., On Calibration of Modern Neural Networks (2017). The frequency has Wilson's interval.

use super::rows::Scored;
use super::wilson::wilson;
use super::{Binning, Intervals};
use crate::error::Error;
use crate::float::float;
use crate::result::Warning;

/// The bins of a reliability curve that have rows, from the lowest probabilities to the highest.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityCurve {
    /// The bins; none without rows.
    pub bins: Vec<ReliabilityBin>,
    /// Rows that entered.
    pub n: u64,
    /// The probability with which the interval of a bin holds the truth.
    pub confidence: f64,
    /// What to know before relying on it; empty where all is well.
    pub warnings: Vec<Warning>,
}

/// The rows whose probability lies between two edges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Edge below, which does not belong to the bin unless it is 0.
    pub lower: f64,
    /// Edge above, which belongs to the bin.
    pub upper: f64,
    /// Rows.
    pub n: u64,
    /// Mean of the probabilities.
    pub mean_probability: f64,
    /// Share of the rows whose label is 1.
    pub frequency: f64,
    /// Lower end of the frequency's interval.
    pub low: f64,
    /// Upper end of the frequency's interval.
    pub high: f64,
}

/// The reliability curve of `probabilities` that a binary label is 1. Only the confidence of `intervals`
/// matters.
///
/// # Errors
///
/// [`Error::Argument`] for other lengths, labels other than 0 and 1, or probabilities outside of 0 and 1.
///
/// ```
/// # use edge_aiops_stats_core::metrics::{BinRule, Binning, Intervals, reliability_curve};
/// let two = Binning::new(2, BinRule::EqualWidth)?;
/// let curve = reliability_curve(vec![0.0, 1.0, 1.0], vec![0.2, 0.4, 0.9], two, &Intervals::default())?;
/// assert_eq!(curve.bins.iter().map(|bin| bin.frequency).collect::<Vec<_>>(), [0.5, 1.0]);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn reliability_curve(
    labels: Vec<f64>,
    probabilities: Vec<f64>,
    binning: Binning,
    intervals: &Intervals,
) -> Result<ReliabilityCurve, Error> {
    let scored = Scored::with_probabilities(labels, probabilities)?;
    let (warnings, n) = (scored.warnings(), scored.len() as u64);
    let ascending = scored.ascending();
    let bins = in_bins(&ascending, binning);
    let described = bins.into_iter().map(|(lower, upper, rows)| {
        let positives = rows.iter().filter(|(_, label)| *label).count() as u64;
        let n = rows.len() as u64;
        let [low, high] = wilson(positives, n, intervals.deviations());
        let sum: f64 = rows.iter().map(|(probability, _)| probability).sum();
        let frequency = float(positives) / float(n);
        ReliabilityBin { lower, upper, n, mean_probability: sum / float(n), frequency, low, high }
    });
    Ok(ReliabilityCurve { bins: described.collect(), n, confidence: intervals.confidence(), warnings })
}

/// The edges of a bin and its rows.
type Bin<'rows> = (f64, f64, &'rows [(f64, bool)]);

/// The bins that have rows.
pub(super) fn in_bins(ascending: &[(f64, bool)], binning: Binning) -> Vec<Bin<'_>> {
    let edges = binning.edges(ascending);
    let mut rest = ascending;
    let mut bins = Vec::new();
    for (lower, upper) in edges.iter().zip(edges.iter().skip(1)) {
        let (rows, above) = rest.split_at(rest.partition_point(|(probability, _)| probability <= upper));
        rest = above;
        if !rows.is_empty() {
            bins.push((*lower, *upper, rows));
        }
    }
    bins
}
