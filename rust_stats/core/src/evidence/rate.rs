//! A confidence sequence for a rate of successes, by the beta-binomial mixture.
//!
//! Against the rate p, the alternatives are beta distributed around p with a concentration κ:
//!
//! ```text
//! log e = ln B(κ(1 - p) + failures, κ p + successes) - ln B(κ(1 - p), κ p)
//!       - successes ln p - failures ln(1 - p)
//! ```
//!
//! Howard, Ramdas, McAuliffe and Sekhon (2021), proposition 7, with g = p and h = 1 - p, as in the function
//! `bernoulli_confidence_interval` of confseq. κ is chosen for the number of events at which to be tightest. The
//! interval holds exactly, for any number of events, whether their rate is near 1/2 or near 0.

use super::dirichlet::log_ratio;
use super::normal_mixture::best_rho;
use super::root::crossing;
use super::{Interval, TIGHTEST_LEVEL, difference, level};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

const VERSION: u8 = 1;

/// A rate of successes, with an interval that holds at all times at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSequence {
    tightest_at: u64,
    successes: u64,
    failures: u64,
}

impl RateSequence {
    /// No events yet. The interval is about tightest after `tightest_at` events.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `tightest_at` is at least one.
    pub fn new(tightest_at: u64) -> Result<Self, Error> {
        if tightest_at == 0 {
            return Err(Error::argument("tightest_at", "must be at least 1, but is 0"));
        }
        Ok(Self { tightest_at, successes: 0, failures: 0 })
    }

    /// The same with events added.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there are more than 2⁶⁴ of them.
    ///
    /// ```
    /// # use edge_aiops_stats_core::RateSequence;
    /// let accuracy = RateSequence::new(1000)?.with(950, 50)?;
    /// let (lower, upper) = accuracy.interval(0.05)?;
    /// assert!(0.92 < lower && lower < 0.95 && 0.95 < upper && upper < 0.98);
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn with(&self, successes: u64, failures: u64) -> Result<Self, Error> {
        let sum = Self {
            successes: self.successes.saturating_add(successes),
            failures: self.failures.saturating_add(failures),
            ..*self
        };
        match sum.successes.checked_add(sum.failures) {
            Some(_) => Ok(sum),
            None => Err(Error::argument("successes", "and failures are more than 2^64 events; begin again")),
        }
    }

    /// The same with outcomes added: one for a success, zero for a failure, except those marked in `missing`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if an outcome is neither, or there are more than 2⁶⁴ events.
    pub fn with_outcomes(&self, outcomes: &[f64], missing: Option<&[bool]>) -> Result<Self, Error> {
        let (mut successes, mut failures) = (0, 0);
        let missing = missing.unwrap_or_default().iter().copied().chain(std::iter::repeat(false));
        for (outcome, _) in outcomes.iter().zip(missing).filter(|(_, missing)| !missing) {
            match *outcome {
                1.0 => successes += 1,
                0.0 => failures += 1,
                _ => {
                    let problem =
                        format!("must be true or false, 1 or 0, but one is {outcome:?}; mark it in missing");
                    return Err(Error::argument("outcomes", problem));
                }
            }
        }
        let beyond =
            |_| Error::argument("outcomes", "make more than 2^64 events with those before; begin again");
        self.with(successes, failures).map_err(beyond)
    }

    /// The sequence of the events of both.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] unless both have the same `tightest_at` and together fewer than 2⁶⁴ events.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        if self.tightest_at != other.tightest_at {
            let because = "the two have different tightest_at; make both with the same";
            return Err(Error::Incompatible { because: because.into() });
        }
        self.with(other.successes, other.failures).map_err(|_| {
            let because = "the two have more than 2^64 events together; one must be forged";
            Error::Incompatible { because: because.into() }
        })
    }

    /// Number of successes so far.
    #[must_use]
    pub const fn successes(&self) -> u64 {
        self.successes
    }

    /// Number of failures so far.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// After how many events the interval is about tightest.
    #[must_use]
    pub const fn tightest_at(&self) -> u64 {
        self.tightest_at
    }

    /// Number of events so far.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.successes.saturating_add(self.failures)
    }

    /// Share of successes so far, none without events.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.n() > 0).then(|| float(self.successes) / float(self.n()))
    }

    /// The interval that contains the rate at all times with probability `1 - alpha`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `alpha` lies between 0 and 1.
    pub fn interval(&self, alpha: f64) -> Result<Interval, Error> {
        let log_threshold = -level("alpha", alpha)?.ln();
        Ok(self.rate().map_or((0.0, 1.0), |rate| {
            let refuted = |null| self.log_e_against(null) >= log_threshold;
            (crossing(rate, 0.0, refuted), crossing(rate, 1.0, refuted))
        }))
    }

    /// Logarithm of the evidence that the rate is not `null`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `null` lies between 0 and 1, both included.
    pub fn log_e(&self, null: f64) -> Result<f64, Error> {
        if (0.0..=1.0).contains(&null) {
            Ok(self.log_e_against(null))
        } else {
            Err(Error::argument("null", format!("must lie between 0 and 1, but is {null:?}")))
        }
    }

    /// The interval that contains this rate minus the other at all times with probability `1 - alpha`: each has
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
        let mut writer = Writer::new(Kind::RateSequence, VERSION);
        for count in [self.tightest_at, self.successes, self.failures] {
            writer.count(count);
        }
        writer.seal()
    }

    /// The sequence that [`RateSequence::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::RateSequence, VERSION)?;
        let (tightest_at, successes, failures) = (reader.count()?, reader.count()?, reader.count()?);
        reader.close()?;
        Self::new(tightest_at)
            .and_then(|empty| empty.with(successes, failures))
            .map_err(|_| impossible("its tightest_at is zero or its events are more than 2^64"))
    }

    /// A rate of zero or one is refuted by a single event of the other sort, and says nothing else. Below 10⁻³⁰⁰
    /// the evidence is that of 10⁻³⁰⁰, which is less.
    fn log_e_against(&self, null: f64) -> f64 {
        const LEAST: f64 = 1e-300;
        if null <= 0.0 || null >= 1.0 {
            let against = if null <= 0.0 { self.successes } else { self.failures };
            return if against > 0 { f64::INFINITY } else { 0.0 };
        }
        let null = null.max(LEAST);
        let counts = [self.failures, self.successes];
        log_ratio(&counts, self.n(), [1.0 - null, null].into_iter(), 1.0, self.concentration())
    }

    /// κ such that the mixture has the best ρ at `tightest_at` events, and a thousandth where that is below.
    fn concentration(&self) -> f64 {
        (best_rho(float(self.tightest_at), TIGHTEST_LEVEL) - 1.0).max(1e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::RateSequence;

    #[test]
    fn extremes_give_intervals_around_the_rate() {
        for successes in [0, 1, 5, 1 << 40, u64::MAX / 2] {
            for failures in [0, 1, 7, 1 << 50, u64::MAX / 2] {
                for tightest_at in [1, 1000, u64::MAX] {
                    let sequence = RateSequence::new(tightest_at).unwrap().with(successes, failures).unwrap();
                    let (lower, upper) = sequence.interval(0.05).unwrap();
                    let rate = sequence.rate().unwrap_or(0.5);
                    assert!(0.0 <= lower && lower <= rate && rate <= upper && upper <= 1.0);
                    assert!(!sequence.log_e(5e-324).unwrap().is_nan());
                    assert_eq!(RateSequence::from_bytes(&sequence.to_bytes()), Ok(sequence));
                }
            }
        }
    }
}
