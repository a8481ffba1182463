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

#[cfg(test)]
mod tests {
    use super::{Loss, LossEstimator, PerformanceEstimator};
    use crate::checksum::crc32c;

    /// Byte strings that differ from `bytes` in one byte of the payload, every `step` bytes, with a checksum
    /// that fits.
    fn forged(bytes: &[u8], step: usize) -> impl Iterator<Item = Vec<u8>> {
        let content = &bytes[..bytes.len() - 4];
        let changes = [0x00, 0x01, 0x02, 0x7F, 0x80, 0xF0, 0xFF];
        (4..content.len()).step_by(step).flat_map(move |at| {
            changes.into_iter().map(move |byte| {
                let mut forged = content.to_vec();
                forged[at] = byte;
                forged.extend(crc32c(&forged).to_le_bytes());
                forged
            })
        })
    }

    #[test]
    fn forged_bytes_are_refused_or_work_as_an_estimator() {
        let probabilities: Vec<f64> = (0..400).map(|row| f64::from(row % 20) / 20.0).collect();
        let labels: Vec<f64> = (0..400).map(|row| f64::from(u8::from((row * 7) % 20 < row % 20))).collect();
        let classifier =
            PerformanceEstimator::fit(probabilities.clone(), None, labels.clone(), labels.clone()).unwrap();
        let mut refused = 0;
        for bytes in forged(&classifier.to_bytes(), 1) {
            match PerformanceEstimator::from_bytes(&bytes) {
                Ok(read) => {
                    assert_eq!(read.to_bytes(), bytes);
                    let _ = read.estimate(probabilities[..9].to_vec(), None, labels[..9].to_vec());
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 100);
        let regressor = LossEstimator::fit(
            Loss::RootMeanSquaredError,
            probabilities[..60].to_vec(),
            1,
            labels[..60].to_vec(),
            probabilities[..60].to_vec(),
        )
        .unwrap();
        for bytes in forged(&regressor.to_bytes(), 7) {
            if let Ok(read) = LossEstimator::from_bytes(&bytes) {
                assert_eq!(read.to_bytes(), bytes);
                let _ = read.estimate(&probabilities[..9], 1, &labels[..9]);
            }
        }
    }
}
