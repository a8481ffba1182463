//! Page-Hinkley: a cumulative sum of deviations from the running mean that wanders off.
//!
//! ```text
//! up_t = α up_{t-1} + (x_t - mean_t) - δ,      a change where up_t - min up   > λ
//! down_t = α down_{t-1} + (x_t - mean_t) + δ,  a change where max down - down_t > λ
//! ```
//!
//! Page, Continuous inspection schemes, Biometrika 41 (1954), in the form with forgetting of Sebastião and
//! Fernandes (2017). Followed: river 0.26, detection for detection; there as here the largest `down` starts at
//! -1, the smallest `up` at infinity.

use super::detector::{Detector, Rule, as_written, finite, size};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

/// Page-Hinkley.
///
/// ```
/// # use edge_aiops_stats_core::streaming::{Direction, PageHinkley};
/// let mut detector = PageHinkley::new(30, 0.005, 50.0, 0.9999, Direction::Both)?;
/// let stream: Vec<_> = (0..1000).map(|i| if i < 500 { 0.0 } else { 5.0 }).collect();
/// assert_eq!(detector.update_many(&stream)?.first(), Some(&510));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub type PageHinkley = Detector<MeanSums>;

/// Which changes of the mean count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Only to larger values.
    Up,
    /// Only to smaller values.
    Down,
    /// Both.
    Both,
}

/// The sums of Page-Hinkley.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSums {
    min_instances: u64,
    delta: f64,
    threshold: f64,
    alpha: f64,
    direction: Direction,
    count: u64,
    mean: f64,
    up: f64,
    down: f64,
    smallest_up: f64,
    largest_down: f64,
}

impl Detector<MeanSums> {
    /// A detector that has seen nothing.
    ///
    /// No change is detected among the first `min_instances` values; `delta` is the deviation that is
    /// tolerated, `threshold` λ, `alpha` the factor of forgetting.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a delta or threshold that is negative or not finite, or an alpha outside of
    /// (0, 1].
    pub fn new(
        min_instances: u64,
        delta: f64,
        threshold: f64,
        alpha: f64,
        direction: Direction,
    ) -> Result<Self, Error> {
        MeanSums::new(min_instances, delta, threshold, alpha, direction).map(Self::starting)
    }

    /// Number of values since the latest start: that of the detector or that after a detection.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.rule.count
    }

    /// Mean of the values since the latest start, none without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.rule.count > 0).then_some(self.rule.mean)
    }

    /// λ.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.rule.threshold
    }
}

impl MeanSums {
    fn new(
        min_instances: u64,
        delta: f64,
        threshold: f64,
        alpha: f64,
        direction: Direction,
    ) -> Result<Self, Error> {
        if !(alpha > 0.0 && alpha <= 1.0) {
            let problem = format!("must lie between 0, excluded, and 1, but is {alpha:?}");
            return Err(Error::argument("alpha", problem));
        }
        Ok(Self {
            min_instances,
            delta: size("delta", delta)?,
            threshold: size("threshold", threshold)?,
            alpha,
            direction,
            count: 0,
            mean: 0.0,
            up: 0.0,
            down: 0.0,
            smallest_up: f64::INFINITY,
            largest_down: -1.0,
        })
    }
}

impl Rule for MeanSums {
    #[expect(private_interfaces, reason = "rules are only made here")]
    const KIND: Kind = Kind::PageHinkley;

    fn restart(&mut self) {
        (self.count, self.mean, self.up, self.down) = (0, 0.0, 0.0, 0.0);
        (self.smallest_up, self.largest_down) = (f64::INFINITY, -1.0);
    }

    fn take(&mut self, value: f64) -> bool {
        self.count = self.count.saturating_add(1);
        self.mean += 1.0 / float(self.count) * (value - self.mean);
        let deviation = value - self.mean;
        self.up = self.alpha * self.up + deviation - self.delta;
        self.down = self.alpha * self.down + deviation + self.delta;
        self.smallest_up = self.smallest_up.min(self.up);
        self.largest_down = self.largest_down.max(self.down);
        let rose = self.direction != Direction::Down && self.up - self.smallest_up > self.threshold;
        let fell = self.direction != Direction::Up && self.largest_down - self.down > self.threshold;
        self.count >= self.min_instances && (rose || fell)
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn write(&self, to: &mut Writer) {
        to.count(self.min_instances);
        for number in [self.delta, self.threshold, self.alpha] {
            to.number(number);
        }
        to.count(match self.direction {
            Direction::Up => 0,
            Direction::Down => 1,
            Direction::Both => 2,
        });
        to.count(self.count);
        if self.count > 0 {
            for number in [self.mean, self.up, self.down, self.smallest_up, self.largest_down] {
                to.number(number);
            }
        }
    }

    #[expect(private_interfaces, reason = "rules are only made here")]
    fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let (min_instances, delta, threshold, alpha) =
            (from.count()?, from.number()?, from.number()?, from.number()?);
        let direction = match from.count()? {
            0 => Direction::Up,
            1 => Direction::Down,
            2 => Direction::Both,
            _ => return Err(impossible("a direction is neither up nor down nor both")),
        };
        let empty = as_written(Self::new(min_instances, delta, threshold, alpha, direction))?;
        let count = from.count()?;
        if count == 0 {
            return Ok(empty);
        }
        let [mean, up, down, smallest_up, largest_down] =
            [finite(from)?, finite(from)?, finite(from)?, finite(from)?, finite(from)?];
        if smallest_up > up || largest_down < down.max(-1.0) {
            return Err(impossible("a sum lies beyond its extreme"));
        }
        Ok(Self { count, mean, up, down, smallest_up, largest_down, ..empty })
    }
}
