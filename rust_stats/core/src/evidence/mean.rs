//! A confidence sequence for a mean, by the normal mixture.
//!
//! With n values of mean x̄ and deviation σ, and ρ chosen for the n at which to be tightest, the interval is
//!
//! ```text
//! x̄ ± σ/n √((n + ρ)(ln(1 + n/ρ) + 2 ln(1/alpha)))
//! ```
//!
//! With a known σ for which the values are sub-Gaussian (normal with that deviation, or within bounds 2σ apart)
//! this holds for every n: Howard, Ramdas, McAuliffe and Sekhon (2021). With the deviation of the sample in its
//! place it holds asymptotically for independent values of finite variance: Waudby-Smith, Arbour, Sinha, Kennedy
//! and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52
//! (2024), theorem 2.2. What is asymptotic is silent at first: below [`MeanSequence::SETTLED`] values there is no
//! evidence and the interval is the whole line.

use super::normal_mixture::{best_rho, two_sided_bound, two_sided_log_e};
use super::{Interval, TIGHTEST_LEVEL, difference, level, positive};
use crate::Moments;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

const VERSION: u8 = 1;

/// The mean of values, with an interval that holds at all times at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSequence {
    deviation: Option<f64>,
    tightest_at: u64,
    moments: Moments,
}

impl MeanSequence {
    /// From how many values on the deviation of the sample is relied on.
    pub const SETTLED: u64 = 100;

    /// No values yet. `deviation` is the known σ, none for that of the sample; the interval is about tightest
    /// after `tightest_at` values.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless the deviation is positive and finite, and `tightest_at` at least one.
    pub fn new(deviation: Option<f64>, tightest_at: u64) -> Result<Self, Error> {
        if let Some(deviation) = deviation {
            positive("deviation", deviation)?;
        }
        if tightest_at == 0 {
            return Err(Error::argument("tightest_at", "must be at least 1, but is 0"));
        }
        Ok(Self { deviation, tightest_at, moments: Moments::EMPTY })
    }

    /// The same with the values that `moments` describes added.
    #[must_use]
    pub fn with(&self, moments: &Moments) -> Self {
        Self { moments: self.moments.merge(moments), ..*self }
    }

    /// The sequence of the values of both.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] unless both were made with the same arguments.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        if (self.deviation, self.tightest_at) != (other.deviation, other.tightest_at) {
            let because =
                "the two have different deviations or tightest_at; make both with the same arguments";
            return Err(Error::Incompatible { because: because.into() });
        }
        Ok(self.with(&other.moments))
    }

    /// What is known of the values so far.
    #[must_use]
    pub const fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The known deviation; none where that of the sample is used.
    #[must_use]
    pub const fn deviation(&self) -> Option<f64> {
        self.deviation
    }

    /// After how many values the interval is about tightest.
    #[must_use]
    pub const fn tightest_at(&self) -> u64 {
        self.tightest_at
    }

    /// The interval that contains the mean at all times with probability `1 - alpha`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `alpha` lies between 0 and 1.
    pub fn interval(&self, alpha: f64) -> Result<Interval, Error> {
        let log_threshold = -level("alpha", alpha)?.ln();
        Ok(self.known().map_or((f64::NEG_INFINITY, f64::INFINITY), |(n, mean, deviation)| {
            let half_width = deviation * (two_sided_bound(n, self.rho(), log_threshold) / n);
            (mean - half_width, mean + half_width)
        }))
    }

    /// Logarithm of the evidence that the mean is not `null`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `null` is finite.
    pub fn log_e(&self, null: f64) -> Result<f64, Error> {
        if !null.is_finite() {
            return Err(Error::argument("null", format!("must be finite, but is {null:?}")));
        }
        Ok(self.known().map_or(0.0, |(n, mean, deviation)| {
            // Halved, so that the difference of two numbers at the ends of the range is within it.
            let deviations = (0.5 * mean - 0.5 * null) / deviation * 2.0;
            two_sided_log_e(deviations * n.sqrt(), n, self.rho())
        }))
    }

    /// The interval that contains this mean minus the other at all times with probability `1 - alpha`: each has
    /// half of `alpha`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `alpha` lies between 0 and 1.
    pub fn difference(&self, other: &Self, alpha: f64) -> Result<Interval, Error> {
        let each = level("alpha", alpha)? / 2.0;
        Ok(difference(self.interval(each)?, other.interval(each)?))
    }

    /// Everything as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::MeanSequence, VERSION);
        writer.number(self.deviation.unwrap_or(0.0));
        writer.count(self.tightest_at);
        writer.blob(&self.moments.to_bytes());
        writer.seal()
    }

    /// The sequence that [`MeanSequence::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::MeanSequence, VERSION)?;
        let deviation = Some(reader.number()?).filter(|deviation| deviation.to_bits() != 0);
        let read = Self::new(deviation, reader.count()?)
            .map_err(|_| impossible("its deviation or tightest_at cannot be"))?;
        let moments = Moments::from_bytes(reader.blob()?)?;
        reader.close()?;
        Ok(read.with(&moments))
    }

    /// Count, mean and deviation, once there is enough to know them.
    fn known(&self) -> Option<(f64, f64, f64)> {
        let deviation = match self.deviation {
            Some(known) => known,
            None if self.moments.count() < Self::SETTLED => return None,
            None => self.moments.standard_deviation().filter(|it| *it > 0.0 && it.is_finite())?,
        };
        self.moments.mean().map(|mean| (float(self.moments.count()), mean, deviation))
    }

    fn rho(&self) -> f64 {
        best_rho(float(self.tightest_at), TIGHTEST_LEVEL)
    }
}

#[cfg(test)]
mod tests {
    use super::MeanSequence;
    use crate::Moments;

    #[test]
    fn a_value_outside_of_the_interval_has_the_evidence_that_puts_it_there() {
        let values: Vec<f64> = (0..500).map(|n: i32| f64::from(n % 7)).collect();
        for deviation in [None, Some(2.5)] {
            let sequence = MeanSequence::new(deviation, 300).unwrap().with(&Moments::of(&values));
            let (lower, upper) = sequence.interval(0.05).unwrap();
            for end in [lower, upper] {
                assert!((sequence.log_e(end).unwrap() - 20_f64.ln()).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn extremes_give_numbers() {
        for value in [f64::MAX, -f64::MAX, 5e-324, 0.0] {
            for deviation in [None, Some(5e-324), Some(f64::MAX)] {
                let many = Moments::of(&[[value; 100], [1.0; 100]].concat());
                let sequence = MeanSequence::new(deviation, u64::MAX).unwrap().with(&many);
                let (lower, upper) = sequence.interval(0.05).unwrap();
                assert!(lower <= upper);
                assert!(!sequence.log_e(-value).unwrap().is_nan());
                assert_eq!(MeanSequence::from_bytes(&sequence.to_bytes()), Ok(sequence));
            }
        }
    }
}
