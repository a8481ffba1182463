//! ADWIN: a window that grows while the mean stays, and shrinks where it has changed.
//!
//! The window is kept as buckets of 1, 2, 4, ... values, at most `max_buckets` of each size: the memory grows
//! with the logarithm of the window. At every `clock`-th value each border between two buckets cuts the window
//! into an older part of n0 values and a newer one of n1. With the variance σ² of the window of n values,
//!
//! ```text
//! m = 1 / (1/(n0 - l + 1) + 1/(n1 - l + 1)),   δ' = ln(2 ln(n) / δ),   l = min_window_length
//! |mean0 - mean1| > √(2 σ² δ' / m) + 2 δ' / (3 m)
//! ```
//!
//! shows a change; the oldest buckets are dropped until no cut does. Bifet and Gavaldà, Learning from
//! time-changing data with adaptive windowing (SIAM SDM 2007), section 4 with its remarks on the normal bound.
//!
//! Followed: river 0.26, detection for detection. There as here the bound has the offset `l`, which the paper
//! has not, and after a detection the next value starts an empty window, where the paper goes on with what
//! was left. The bound assumes values within [0, 1] for its last term, so scale others to about that.

use super::detector::{Detector, Rule, as_written, at_least, finite, not_negative, probability};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

/// ADWIN.
///
/// ```
/// # use edge_aiops_stats_core::streaming::Adwin;
/// let mut adwin = Adwin::new(0.002, 32, 5, 5, 10)?;
/// let stream: Vec<_> = (0..1000).map(|i| f64::from(u8::from(i >= 500))).collect();
/// assert_eq!(adwin.update_many(&stream)?, [511]);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub type Adwin = Detector<AdaptiveWindow>;

/// The window of ADWIN.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveWindow {
    delta: f64,
    clock: u64,
    max_buckets: u64,
    min_window_length: u64,
    grace_period: u64,
    width: u64,
    total: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    /// Level i holds buckets of 2^i values, the oldest first.
    levels: Vec<Vec<Bucket>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    total: f64,
    squares: f64,
}

impl Detector<AdaptiveWindow> {
    /// A detector with an empty window.
    ///
    /// `delta` bounds the chance of a false cut; cuts are looked for at every `clock`-th value once there are
    /// more than `grace_period`, with at least `min_window_length` values on either side.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a delta outside of (0, 1), or less than 1 of `clock`, `max_buckets` or
    /// `min_window_length`.
    pub fn new(
        delta: f64,
        clock: u64,
        max_buckets: u64,
        min_window_length: u64,
        grace_period: u64,
    ) -> Result<Self, Error> {
        AdaptiveWindow::new(delta, clock, max_buckets, min_window_length, grace_period).map(Self::starting)
    }

    /// Number of values in the window.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.rule.width
    }

    /// Mean of the window, none of an empty one.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.rule.width > 0).then(|| self.rule.total / float(self.rule.width))
    }

    /// Variance of the window with the divisor `width`, none of an empty one.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        // A cut subtracts, which may leave less than nothing of almost nothing.
        (self.rule.width > 0).then(|| (self.rule.squares / float(self.rule.width)).max(0.0))
    }

    /// δ.
    #[must_use]
    pub const fn delta(&self) -> f64 {
        self.rule.delta
    }
}

impl AdaptiveWindow {
    fn new(
        delta: f64,
        clock: u64,
        max_buckets: u64,
        min_window_length: u64,
        grace_period: u64,
    ) -> Result<Self, Error> {
        Ok(Self {
            delta: probability("delta", delta)?,
            clock: at_least("clock", clock, 1)?,
            max_buckets: at_least("max_buckets", max_buckets, 1)?,
            min_window_length: at_least("min_window_length", min_window_length, 1)?,
            grace_period,
            width: 0,
            total: 0.0,
            squares: 0.0,
            levels: Vec::new(),
        })
    }

    fn insert(&mut self, value: f64) {
        if self.width > 0 {
            let before = float(self.width);
            let delta = value - self.total / before;
            self.squares += before * delta * delta / (before + 1.0);
        }
        self.width = self.width.saturating_add(1);
        self.total += value;
        self.push(0, Bucket { total: value, squares: 0.0 });
    }

    /// Puts a bucket into a level; if that has too many now, its two oldest become one of the next level.
    fn push(&mut self, level: usize, bucket: Bucket) {
        let (mut level, mut bucket) = (level, bucket);
        loop {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let Some(buckets) = self.levels.get_mut(level) else { return };
            buckets.push(bucket);
            if buckets.len() as u64 <= self.max_buckets {
                return;
            }
            let mut oldest = buckets.drain(..2);
            let (Some(one), Some(two)) = (oldest.next(), oldest.next()) else { return };
            bucket = one.merge(two, size_of_bucket(level));
            level += 1;
        }
    }

    /// Drops the oldest bucket.
    fn drop_oldest(&mut self) {
        let Some(last) = self.levels.len().checked_sub(1) else { return };
        let Some(buckets) = self.levels.get_mut(last).filter(|buckets| !buckets.is_empty()) else { return };
        let dropped = buckets.remove(0);
        // With one bucket a size, the sizes before may have none either.
        while self.levels.last().is_some_and(Vec::is_empty) {
            self.levels.pop();
        }
        let size = size_of_bucket(last);
        self.width -= size;
        self.total -= dropped.total;
        let (dropped_size, left) = (float(size), float(self.width));
        let delta = dropped.total / dropped_size - self.total / left;
        self.squares -= dropped.squares + dropped_size * left * delta * delta / (dropped_size + left);
    }

    fn has_cut(&self) -> bool {
        let least = self.min_window_length;
        let (mut older, mut older_total) = (0, 0.0);
        let (mut newer, mut newer_total) = (self.width, self.total);
        for (level, buckets) in self.levels.iter().enumerate().rev() {
            let size = size_of_bucket(level);
            for bucket in buckets {
                older += size;
                newer -= size;
                older_total += bucket.total;
                newer_total -= bucket.total;
                if newer < least {
                    return false;
                }
                let difference = older_total / float(older) - newer_total / float(newer);
                if older >= least && difference.abs() > self.bound(older, newer) {
                    return true;
                }
            }
        }
        false
    }

    fn bound(&self, older: u64, newer: u64) -> f64 {
        let width = float(self.width);
        let confidence = (2.0 * width.ln() / self.delta).ln();
        let over = |part: u64| 1.0 / (float(part - self.min_window_length) + 1.0);
        let scale = over(older) + over(newer);
        (2.0 * scale * (self.squares / width) * confidence).sqrt() + 2.0 / 3.0 * confidence * scale
    }

    fn is_consistent(&self) -> bool {
        let mut width = 0_u64;
        for (level, buckets) in self.levels.iter().enumerate() {
            let Some(values) = 1_u64.checked_shl(u32::try_from(level).unwrap_or(u32::MAX)) else {
                return false;
            };
            let Some(values) = values.checked_mul(buckets.len() as u64) else { return false };
            let Some(sum) = width.checked_add(values) else { return false };
            width = sum;
        }
        let fit = self.levels.iter().all(|buckets| buckets.len() as u64 <= self.max_buckets);
        let countable = width <= 1 << 53;
        let none_beyond = self.levels.last().is_none_or(|oldest| !oldest.is_empty());
        width == self.width && countable && fit && none_beyond
    }
}

impl Rule for AdaptiveWindow {
    #[expect(private_interfaces, reason = "rules are only made here")]
    const KIND: Kind = Kind::Adwin;

    fn restart(&mut self) {
        self.levels.clear();
        (self.width, self.total, self.squares) = (0, 0.0, 0.0);
    }

    fn take(&mut self, value: f64) -> bool {
        self.insert(value);
        let looks = self.width.is_multiple_of(self.clock) && self.width > self.grace_period;
        let mut cut = false;
        while looks && self.has_cut() {
            cut = true;
            self.drop_oldest();
        }
        cut
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn write(&self, to: &mut Writer) {
        to.number(self.delta);
        for count in [
            self.clock,
            self.max_buckets,
            self.min_window_length,
            self.grace_period,
            self.width,
            self.levels.len() as u64,
        ] {
            to.count(count);
        }
        to.number(self.total);
        to.number(self.squares);
        for buckets in &self.levels {
            to.count(buckets.len() as u64);
            for bucket in buckets {
                to.number(bucket.total);
                to.number(bucket.squares);
            }
        }
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let empty = Self::new(from.number()?, from.count()?, from.count()?, from.count()?, from.count()?);
        let empty = as_written(empty)?;
        let (width, levels) = (from.count()?, from.count()?);
        let (total, squares) = (finite(from)?, finite(from)?);
        let levels = (0..levels).map(|_| read_buckets(from)).collect::<Result<_, _>>()?;
        let window = Self { width, total, squares, levels, ..empty };
        if window.is_consistent() {
            Ok(window)
        } else {
            Err(impossible("the buckets of a window do not fit its width"))
        }
    }
}

fn read_buckets(from: &mut Reader<'_>) -> Result<Vec<Bucket>, Error> {
    let buckets = from.count()?;
    (0..buckets).map(|_| Ok(Bucket { total: finite(from)?, squares: not_negative(from)? })).collect()
}

/// Number of values in each bucket of a level. A window has fewer than 2^64 values, and so fewer levels than 64.
fn size_of_bucket(level: usize) -> u64 {
    1 << level.min(63)
}

impl Bucket {
    /// Both buckets, of `size` values each.
    fn merge(self, other: Self, size: u64) -> Self {
        let size = float(size);
        let delta = self.total / size - other.total / size;
        Self {
            total: self.total + other.total,
            squares: self.squares + other.squares + size * 0.5 * delta * delta,
        }
    }
}
