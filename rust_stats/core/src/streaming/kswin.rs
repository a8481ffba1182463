//! KSWIN: the latest values of a window against a random sample of the older ones, by Kolmogorov-Smirnov.
//!
//! At every value of a full window of w, the latest r are compared with r drawn without replacement from the
//! other w - r. A change is p <= α and D > 0.1. Raab, Heusinger and Schleif, Reactive soft prototype computing
//! for concept drift streams, Neurocomputing 416 (2020).
//!
//! Followed: river 0.26, where after a detection the window starts empty; in the paper it keeps the latest r.
//! The draws are our own: those for the n-th value are a function of the seed and n, so two runs agree, and a
//! detector that travelled as bytes goes on alike. With w = 2 r the sample is all older values, and detections
//! are those of river exactly. The p-value is always the exact one for samples of equal size (river's, by
//! SciPy, up to r = 10,000).
//!
//! The test is made at every value, so α is not the chance of a false alarm over a stream.

use std::collections::VecDeque;

use super::detector::{Detector, Rule, as_written, at_least, finite, flag, probability};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;
use crate::random::Random;

/// A distance that is no change even where it is significant.
const SMALL: f64 = 0.1;

/// KSWIN.
///
/// ```
/// # use edge_aiops_stats_core::streaming::Kswin;
/// let mut detector = Kswin::new(0.0001, 100, 30, 42)?;
/// let stream: Vec<_> = (0..1000).map(|i| f64::from(i % 7) + if i < 500 { 0.0 } else { 5.0 }).collect();
/// let detections = detector.update_many(&stream)?;
/// assert!((510..530).contains(&detections[0]));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub type Kswin = Detector<RecentAgainstOlder>;

/// The window of KSWIN.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentAgainstOlder {
    alpha: f64,
    window_size: u64,
    stat_size: u64,
    seed: u64,
    /// How many samples were drawn so far.
    draws: u64,
    p_value: Option<f64>,
    window: VecDeque<f64>,
}

impl Detector<RecentAgainstOlder> {
    /// A detector with an empty window.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for an alpha outside of (0, 1), a `stat_size` of 0, or a window in which fewer than
    /// `stat_size` values are older than the latest `stat_size`.
    pub fn new(alpha: f64, window_size: u64, stat_size: u64, seed: u64) -> Result<Self, Error> {
        RecentAgainstOlder::new(alpha, window_size, stat_size, seed).map(Self::starting)
    }

    /// Number of values in the window.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.rule.window.len() as u64
    }

    /// The p-value of the latest test, none before the first one since the latest start.
    #[must_use]
    pub const fn p_value(&self) -> Option<f64> {
        self.rule.p_value
    }
}

impl RecentAgainstOlder {
    fn new(alpha: f64, window_size: u64, stat_size: u64, seed: u64) -> Result<Self, Error> {
        let stat_size = at_least("stat_size", stat_size, 1)?;
        if window_size / 2 < stat_size {
            let problem = format!("must be at least twice stat_size, {stat_size}, but is {window_size}");
            return Err(Error::argument("window_size", problem));
        }
        Ok(Self {
            alpha: probability("alpha", alpha)?,
            window_size,
            stat_size,
            seed,
            draws: 0,
            p_value: None,
            window: VecDeque::new(),
        })
    }

    fn is_full(&self) -> bool {
        self.window.len() as u64 >= self.window_size
    }

    /// The largest difference of counts up to a value, between the latest values and a sample of the older.
    fn largest_difference(&mut self) -> u64 {
        let recent = usize::try_from(self.stat_size).unwrap_or(usize::MAX);
        let mut older: Vec<f64> = self.window.iter().copied().collect();
        let mut latest = older.split_off(older.len().saturating_sub(recent));
        Random::at_step(self.seed, self.draws).draw(&mut older, recent);
        self.draws = self.draws.wrapping_add(1);
        older.truncate(recent);
        older.sort_unstable_by(f64::total_cmp);
        latest.sort_unstable_by(f64::total_cmp);
        largest_difference(&older, &latest)
    }
}

impl Rule for RecentAgainstOlder {
    #[expect(private_interfaces, reason = "rules are only made here")]
    const KIND: Kind = Kind::Kswin;

    /// The draws go on, so that no sample is drawn twice.
    fn restart(&mut self) {
        self.window.clear();
        self.p_value = None;
    }

    fn take(&mut self, value: f64) -> bool {
        if self.is_full() {
            self.window.pop_front();
        }
        self.window.push_back(value);
        if !self.is_full() {
            return false;
        }
        let difference = self.largest_difference();
        let p_value = exact_p_value(self.stat_size, difference);
        self.p_value = Some(p_value);
        p_value <= self.alpha && float(difference) / float(self.stat_size) > SMALL
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn write(&self, to: &mut Writer) {
        to.number(self.alpha);
        let width = self.window.len() as u64;
        for count in [self.window_size, self.stat_size, self.seed, self.draws, width] {
            to.count(count);
        }
        to.count(u64::from(self.p_value.is_some()));
        self.p_value.iter().chain(&self.window).for_each(|number| to.number(*number));
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let empty = as_written(Self::new(from.number()?, from.count()?, from.count()?, from.count()?))?;
        let (draws, width) = (from.count()?, from.count()?);
        let p_value = if flag(from)? { Some(finite(from)?) } else { None };
        if width > empty.window_size || p_value.is_some() != (width == empty.window_size) {
            return Err(impossible("a window has more values than it can have, or no test where it is full"));
        }
        if p_value.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(impossible("a p-value is not between 0 and 1"));
        }
        let window = (0..width).map(|_| finite(from)).collect::<Result<_, _>>()?;
        Ok(Self { draws, p_value, window, ..empty })
    }
}

/// n times the Kolmogorov-Smirnov distance of two sorted samples of n values.
fn largest_difference(one: &[f64], other: &[f64]) -> u64 {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let (mut difference, mut largest) = (0_i64, 0);
    while let (Some(&&a), Some(&&b)) = (one.peek(), other.peek()) {
        let at = a.min(b);
        // After all values that are equal, since only there the counts are those up to a value.
        while one.next_if(|value| **value <= at).is_some() {
            difference += 1;
        }
        while other.next_if(|value| **value <= at).is_some() {
            difference -= 1;
        }
        largest = largest.max(difference.unsigned_abs());
    }
    largest
}

/// The chance that two samples of n values of one continuous distribution differ by at least h / n:
///
/// ```text
/// 2 Σ_{k>=1} (-1)^(k-1) C(2n, n - k h) / C(2n, n)
/// ```
///
/// Gnedenko and Korolyuk (1951). Evaluated from the innermost bracket of products, as SciPy does, so that no
/// large terms cancel.
fn exact_p_value(n: u64, difference: u64) -> f64 {
    let Some(last) = n.checked_div(difference) else { return 1.0 };
    let n = float(n);
    let mut p = 0.0;
    for k in (0..=last).rev() {
        let shift = float(k) * float(difference);
        let ratio: f64 =
            (0..difference).map(float).map(|j| (n - shift - j) / (n + shift + j + 1.0)).product();
        p = ratio * (1.0 - p);
    }
    (2.0 * p).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::{exact_p_value, largest_difference};

    #[test]
    fn the_p_value_is_the_exact_one() {
        // From scipy.stats.ks_2samp(..., method="exact").
        assert_eq!((exact_p_value(2, 0), exact_p_value(1, 1)), (1.0, 1.0));
        assert!((exact_p_value(2, 2) - 1.0 / 3.0).abs() < 1e-15);
        assert!((exact_p_value(30, 30) / 1.691_123_389_214_473_5e-17 - 1.0).abs() < 1e-9);
        assert!(exact_p_value(u64::from(u32::MAX), 0) >= 1.0);
    }

    #[test]
    fn the_difference_is_taken_after_all_equal_values() {
        assert_eq!(largest_difference(&[1.0, 1.0, 2.0], &[1.0, 1.0, 2.0]), 0);
        assert_eq!(largest_difference(&[0.0, 1.0, 1.0], &[-0.0, 1.0, 2.0]), 1);
        assert_eq!(largest_difference(&[1.0, 2.0], &[3.0, 4.0]), 2);
    }
}
