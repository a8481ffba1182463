//! How good a model was, once the labels are there: each metric with an interval.
//!
//! A rate (accuracy, and precision, recall and F1 of one class) has Wilson's interval, which keeps its level
//! for few rows and at 0 and 1, where a bootstrap gives an interval of no width. Everything else has a
//! bootstrap interval, bias-corrected and accelerated, by a generator that gives the same numbers on every
//! machine; a calibration error has the interval of an inverted bootstrap test.
//!
//! Where a metric is not defined (no rows, one class only, a constant label), the value is `None` and a
//! warning says why.

mod average_precision;
mod binning;
mod bootstrap;
mod brier;
mod calibration;
mod confusion;
mod intervals;
mod log_loss;
mod mean_absolute_error;
mod r_squared;
mod reliability;
mod roc_auc;
mod root_mean_squared_error;
pub(crate) mod rows;
mod wilson;

use crate::result::Warning;

pub use average_precision::average_precision;
pub use binning::{BinRule, Binning};
pub use brier::brier_score;
pub use calibration::{expected_calibration_error, maximum_calibration_error};
pub use confusion::{Average, ConfusionMatrix};
pub use intervals::Intervals;
pub use log_loss::{log_loss, log_loss_of_classes};
pub use mean_absolute_error::mean_absolute_error;
pub use r_squared::r_squared;
pub use reliability::{ReliabilityBin, ReliabilityCurve, reliability_curve};
pub use roc_auc::roc_auc;
pub use root_mean_squared_error::root_mean_squared_error;

/// A metric of a model on some rows, with an interval for what it is on all rows of that kind.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricResult {
    /// Which metric, for example `"roc auc"`.
    pub metric: &'static str,
    /// The metric; `None` where it is not defined, and then a warning says why.
    pub value: Option<f64>,
    /// Rows that entered.
    pub n: u64,
    /// Lower end of the interval; `None` without one.
    pub low: Option<f64>,
    /// Upper end of the interval; `None` without one.
    pub high: Option<f64>,
    /// The probability with which such an interval holds the truth.
    pub confidence: f64,
    /// How the interval was made, for example `"wilson score"`; `None` without one.
    pub interval: Option<&'static str>,
    /// What to know before relying on it; empty where all is well.
    pub warnings: Vec<Warning>,
}

impl MetricResult {
    /// A value without an interval, or none where it is `None` or beyond the range of numbers.
    fn of(metric: &'static str, value: Option<f64>, n: u64, confidence: f64, warnings: Vec<Warning>) -> Self {
        let mut result =
            Self { metric, value, n, low: None, high: None, confidence, interval: None, warnings };
        if value.is_some_and(|value| !value.is_finite()) {
            result.value = None;
            result.warnings.push(Warning::Other {
                code: "overflow",
                message: "its sums exceed the range of float64; scale the values down".into(),
            });
        }
        result
    }

    /// The same with an interval, if there is a value.
    fn within(mut self, interval: &'static str, [low, high]: [f64; 2]) -> Self {
        if self.value.is_none() {
            return self;
        }
        if low >= high {
            self.warnings.push(Warning::Other {
                code: "degenerate_interval",
                message:
                    "the resamples do not differ, so the interval has no width; the truth may lie outside"
                        .into(),
            });
        }
        Self { low: Some(low), high: Some(high), interval: Some(interval), ..self }
    }
}
