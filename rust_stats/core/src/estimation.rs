//! How good a model probably is, before the labels are there.
//!
//! A classifier whose probabilities are calibrated says itself how often it is right
//! ([`PerformanceEstimator`]); for a regressor a second model learns how large its errors are where
//! ([`LossEstimator`]). Both see changes of the features' distribution, and neither sees that the same
//! features have come to mean something else (concept drift): then they say what was true on the reference.

mod boosting;
mod calibrator;
mod isotonic;
mod loss;
mod performance;

use crate::result::Warning;

pub use loss::{Loss, LossEstimator};
pub use performance::{PerformanceEstimate, PerformanceEstimator};

/// A metric as it is expected to be, with bounds for what it may turn out to be by chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Which metric, for example `"accuracy"`.
    pub metric: &'static str,
    /// The metric expected; `None` where it is not defined, and then a warning says why.
    pub value: Option<f64>,
    /// Standard deviation of the metric on so many rows, from the spread on the reference; `None` where that
    /// has none to tell.
    pub sampling_error: Option<f64>,
    /// The value less three sampling errors, within what the metric can be.
    pub low: Option<f64>,
    /// The value and three sampling errors, within what the metric can be.
    pub high: Option<f64>,
    /// Rows that entered.
    pub n: u64,
    /// What to know before relying on it; empty where all is well.
    pub warnings: Vec<Warning>,
}

impl Estimate {
    /// Sampling errors on either side of the value that the bounds include.
    const REACH: f64 = 3.0;

    fn new(
        metric: &'static str,
        value: Option<f64>,
        sampling_error: Option<f64>,
        most: f64,
        n: u64,
        mut warnings: Vec<Warning>,
    ) -> Self {
        let value = value.filter(|value| value.is_finite());
        let sampling_error = sampling_error.filter(|error| error.is_finite() && n > 0);
        if value.is_none() && n > 0 {
            warnings.push(Warning::Other {
                code: "undefined",
                message: "the metric is not defined for what was predicted".into(),
            });
        }
        let bound = |sign: f64| {
            value
                .zip(sampling_error)
                .map(|(value, error)| (value + sign * Self::REACH * error).clamp(0.0, most))
        };
        Self { metric, value, sampling_error, low: bound(-1.0), high: bound(1.0), n, warnings }
    }
}
