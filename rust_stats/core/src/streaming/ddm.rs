//! DDM: an error rate that has risen well above its best.
//!
//! With the error rate p of n predictions and its deviation s = √(p (1 - p) / n), the p and s of their smallest
//! sum so far are remembered as `p_min` and `s_min`. Beyond the first `warm_start` predictions
//!
//! ```text
//! p + s > p_min + w s_min   is a warning,     p + s > p_min + d s_min   is a change.
//! ```
//!
//! Gama, Medas, Castillo and Rodrigues, Learning with drift detection (SBIA 2004). Followed: river 0.26,
//! detection for detection. There as here `s_min` is 0 for a stream that begins with `warm_start` predictions
//! without an error, so that the first error after them is a change.

use super::detector::{Detector, Rule, as_written, flag, not_negative, size};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

/// DDM.
///
/// ```
/// # use edge_aiops_stats_core::streaming::Ddm;
/// let mut detector = Ddm::new(30, 2.0, 3.0)?;
/// let stream: Vec<_> = (0..600).map(|i| f64::from(u8::from(i % 10 == 0 || i > 300))).collect();
/// assert_eq!(detector.update_many(&stream)?.first(), Some(&311));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub type Ddm = Detector<ErrorRate>;

/// The error rate of DDM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorRate {
    warm_start: u64,
    warning_threshold: f64,
    drift_threshold: f64,
    count: u64,
    rate: f64,
    best: Option<Best>,
    warning_detected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Best {
    rate: f64,
    deviation: f64,
}

impl Detector<ErrorRate> {
    /// A detector that has seen nothing.
    ///
    /// Nothing is detected among the first `warm_start` values; the thresholds are numbers of deviations.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a threshold that is negative or not finite, or a warning that needs more than a
    /// change.
    pub fn new(warm_start: u64, warning_threshold: f64, drift_threshold: f64) -> Result<Self, Error> {
        ErrorRate::new(warm_start, warning_threshold, drift_threshold).map(Self::starting)
    }

    /// Whether the error rate is above the threshold of a warning, but not above that of a change.
    #[must_use]
    pub const fn warning_detected(&self) -> bool {
        self.rule.warning_detected
    }

    /// Number of values since the latest start: that of the detector or that after a detection.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.rule.count
    }

    /// Share of errors among the values since the latest start, none without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.rule.count > 0).then_some(self.rule.rate)
    }
}

impl ErrorRate {
    fn new(warm_start: u64, warning_threshold: f64, drift_threshold: f64) -> Result<Self, Error> {
        let warning_threshold = size("warning_threshold", warning_threshold)?;
        let drift_threshold = size("drift_threshold", drift_threshold)?;
        if warning_threshold > drift_threshold {
            let problem =
                format!("must be at most drift_threshold, {drift_threshold:?}, but is {warning_threshold:?}");
            return Err(Error::argument("warning_threshold", problem));
        }
        Ok(Self {
            warm_start,
            warning_threshold,
            drift_threshold,
            count: 0,
            rate: 0.0,
            best: None,
            warning_detected: false,
        })
    }
}

impl Rule for ErrorRate {
    #[expect(private_interfaces, reason = "rules are only made here")]
    const KIND: Kind = Kind::Ddm;

    fn restart(&mut self) {
        (self.count, self.rate, self.best, self.warning_detected) = (0, 0.0, None, false);
    }

    fn take(&mut self, value: f64) -> bool {
        self.count = self.count.saturating_add(1);
        self.rate += 1.0 / float(self.count) * (value - self.rate);
        if self.count <= self.warm_start {
            return false;
        }
        let deviation = (self.rate * (1.0 - self.rate) / float(self.count)).max(0.0).sqrt();
        let level = self.rate + deviation;
        let best = match self.best {
            Some(best) if level > best.rate + best.deviation => best,
            _ => Best { rate: self.rate, deviation },
        };
        self.best = Some(best);
        let changed = level > best.rate + self.drift_threshold * best.deviation;
        self.warning_detected = !changed && level > best.rate + self.warning_threshold * best.deviation;
        changed
    }

    fn refusal(value: f64) -> Option<Error> {
        (![0.0, 1.0].contains(&value)).then(|| {
            let problem = format!("must be 1 for an error and 0 otherwise, but one is {value:?}");
            Error::argument("values", problem)
        })
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn write(&self, to: &mut Writer) {
        to.count(self.warm_start);
        to.number(self.warning_threshold);
        to.number(self.drift_threshold);
        to.count(self.count);
        if self.count > 0 {
            to.number(self.rate);
        }
        to.count(u64::from(self.warning_detected));
        to.count(u64::from(self.best.is_some()));
        if let Some(best) = self.best {
            to.number(best.rate);
            to.number(best.deviation);
        }
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let empty = as_written(Self::new(from.count()?, from.number()?, from.number()?))?;
        let count = from.count()?;
        let rate = if count > 0 { not_negative(from)? } else { 0.0 };
        let warning_detected = flag(from)?;
        let best = if flag(from)? {
            Some(Best { rate: not_negative(from)?, deviation: not_negative(from)? })
        } else {
            None
        };
        if rate > 1.0 || best.is_some_and(|best| best.rate > 1.0 || best.deviation > 0.5) {
            return Err(impossible("an error rate is above 1"));
        }
        if best.is_some() != (count > empty.warm_start) || warning_detected && best.is_none() {
            return Err(impossible("an error rate has a best one before its warm start, or none after it"));
        }
        Ok(Self { count, rate, best, warning_detected, ..empty })
    }
}
