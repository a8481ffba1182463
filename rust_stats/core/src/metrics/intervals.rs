//! What interval a caller wants.

use crate::error::Error;
use crate::special::normal_quantile;

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intervals {
    resamples: usize,
    seed: u64,
    confidence: f64,
}

impl Intervals {
    const FEWEST: usize = 100;
    const MOST: usize = 10_000;

    /// Intervals that hold the truth with probability `confidence`, by so many `resamples` drawn from `seed`.
    /// No resamples: no bootstrap interval.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless 0 < confidence < 1 and resamples is 0 or from 100 to 10,000.
    pub fn new(resamples: usize, seed: u64, confidence: f64) -> Result<Self, Error> {
        if resamples != 0 && !(Self::FEWEST..=Self::MOST).contains(&resamples) {
            let problem = format!(
                "must be 0 for no interval, or from {} to {} for one, not {resamples}",
                Self::FEWEST,
                Self::MOST
            );
            return Err(Error::argument("resamples", problem));
        }
        if !(confidence > 0.0 && confidence < 1.0) {
            let problem = format!("must be between 0 and 1, as 0.95 is, not {confidence:?}");
            return Err(Error::argument("confidence", problem));
        }
        Ok(Self { resamples, seed, confidence })
    }

    pub(super) const fn resamples(&self) -> usize {
        self.resamples
    }

    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) const fn confidence(&self) -> f64 {
        self.confidence
    }

    /// The probability that the truth lies beyond one end.
    pub(super) fn tail(&self) -> f64 {
        (1.0 - self.confidence) / 2.0
    }

    /// So many standard deviations reach from the middle to an end.
    pub(super) fn deviations(&self) -> f64 {
        -normal_quantile(self.tail())
    }
}

impl Default for Intervals {
    /// 95 % by 1,000 resamples.
    fn default() -> Self {
        Self { resamples: 1000, seed: 0, confidence: 0.95 }
    }
}
