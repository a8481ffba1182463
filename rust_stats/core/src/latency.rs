//! Percentiles of durations from microseconds to days within one percent, in a form that merges exactly.
//!
//! Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees"
//! (VLDB 2019): durations are counted in bins whose edges grow geometrically, so a percentile is off by at
//! most one percent of itself, however heavy the tail. `bins.rs` says where the edges lie.
//!
//! Everything is an integer: counts, and a sum of picoseconds. So merging is exactly commutative and
//! associative, and the same durations give the same bytes on every machine and in every order.
//!
//! The unit is the millisecond. A duration is not negative and shorter than 2³⁰ ms (12.4 days); whatever else
//! comes, NaN and infinities included, is counted as invalid and enters nothing. Zero has a bin of its own.

mod bins;

use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;
use crate::quantiles::check_shares;
use bins::{Bins, LAST, picoseconds, place};

const VERSION: u8 = 1;

/// The percentiles of some durations in milliseconds.
///
/// Merging has [`Latency::EMPTY`] as its identity, is commutative and associative exactly, and never loses a
/// count.
///
/// ```
/// # use edge_aiops_stats_core::Latency;
/// let latency = Latency::of(&[12.0, 15.0, 11.0, 900.0, -1.0]);
/// assert_eq!((latency.count(), latency.invalid()), (4, 1));
/// assert_eq!(latency.mean(), Some(234.5));
/// let median = latency.quantile(0.5)?.unwrap_or_default();
/// assert!((median / 12.0 - 1.0).abs() <= 0.01);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    invalid: u64,
    zeros: u64,
    positive: u64,
    bins: Bins,
    /// Of the positive ones, in picoseconds. 2⁶⁴ times the longest duration fit.
    sum: u128,
    /// The bits of the shortest and the longest positive one, which order as the numbers do.
    shortest: u64,
    longest: u64,
}

impl Latency {
    /// The percentiles of no durations.
    pub const EMPTY: Self =
        Self { invalid: 0, zeros: 0, positive: 0, bins: Bins::EMPTY, sum: 0, shortest: u64::MAX, longest: 0 };

    /// The percentiles of `durations` in milliseconds.
    #[must_use]
    pub fn of(durations: &[f64]) -> Self {
        let mut latency = Self::EMPTY;
        latency.update(durations);
        latency
    }

    /// Adds durations in milliseconds.
    pub fn update(&mut self, durations: &[f64]) {
        for duration in durations {
            self.add(*duration);
        }
    }

    /// Adds one duration in milliseconds.
    pub fn add(&mut self, duration: f64) {
        if self.total() == u64::MAX {
            return;
        }
        if duration == 0.0 {
            self.zeros += 1;
        } else if let Some(place) = place(duration) {
            self.positive += 1;
            self.bins.add(place, 1);
            self.sum += picoseconds(duration);
            self.shortest = self.shortest.min(duration.to_bits());
            self.longest = self.longest.max(duration.to_bits());
        } else {
            self.invalid += 1;
        }
    }

    /// Adds the durations of another summary.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if there are 2⁶⁴ durations or more together, which only forged bytes reach.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.total().checked_add(other.total()).is_none() {
            return Err(Error::Incompatible {
                because: "the summaries hold more than 2^64 durations together; one must be forged".into(),
            });
        }
        self.invalid += other.invalid;
        self.zeros += other.zeros;
        self.positive += other.positive;
        self.sum += other.sum;
        self.shortest = self.shortest.min(other.shortest);
        self.longest = self.longest.max(other.longest);
        for (place, count) in other.bins.occupied() {
            self.bins.add(place, count);
        }
        Ok(())
    }

    /// Number of durations, zeros included.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.zeros + self.positive
    }

    /// Number of values that are no duration: negative, NaN, infinite, or of 2³⁰ ms or longer.
    #[must_use]
    pub const fn invalid(&self) -> u64 {
        self.invalid
    }

    /// Number of durations of zero.
    #[must_use]
    pub const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Number of all values seen.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.invalid + self.zeros + self.positive
    }

    /// The sum in milliseconds; every duration enters it rounded to a picosecond.
    #[must_use]
    pub fn sum(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "the nearest double of an exact sum")]
        let picoseconds = self.sum as f64;
        picoseconds / 1e9
    }

    /// The mean in milliseconds, none without durations.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum() / float(self.count()))
    }

    /// The shortest duration, exact; none without any.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        (self.count() > 0).then(|| if self.zeros > 0 { 0.0 } else { f64::from_bits(self.shortest) })
    }

    /// The longest duration, exact; none without any.
    #[must_use]
    pub fn maximum(&self) -> Option<f64> {
        (self.count() > 0).then(|| if self.positive > 0 { f64::from_bits(self.longest) } else { 0.0 })
    }

    /// The duration at place ⌊q (n − 1)⌋ of the sorted ones, within 1 % of itself; none without any. The first
    /// and the last are exact. Durations below 2⁻²⁰ ms (a nanosecond) share a bin.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `q` is within 0 and 1.
    pub fn quantile(&self, q: f64) -> Result<Option<f64>, Error> {
        check_shares(&[q])?;
        Ok((self.count() > 0).then(|| self.duration_at(q)))
    }

    /// The quantile of each of `qs`, none without durations.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless all are within 0 and 1.
    pub fn quantiles(&self, qs: &[f64]) -> Result<Option<Vec<f64>>, Error> {
        check_shares(qs)?;
        Ok((self.count() > 0).then(|| qs.iter().map(|q| self.duration_at(*q)).collect()))
    }

    fn duration_at(&self, q: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count, rounded down as documented"
        )]
        let rank = (q * float(self.count().saturating_sub(1))) as u64;
        let last = self.count().saturating_sub(1);
        let Some(rank) = rank.min(last).checked_sub(self.zeros) else {
            return 0.0;
        };
        let (shortest, longest) = (f64::from_bits(self.shortest), f64::from_bits(self.longest));
        if rank == 0 {
            shortest
        } else if rank >= self.positive.saturating_sub(1) {
            longest
        } else {
            // Both are of numbers, and the shortest is not above the longest.
            self.bins.duration_at(rank).max(shortest).min(longest)
        }
    }

    /// The summary as bytes with a version and a checksum: about 30, and 2 to 3 more for each occupied bin.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Latency, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    /// The summary that [`Latency::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Latency, VERSION)?;
        let latency = Self::read(&mut reader)?;
        reader.close()?;
        Ok(latency)
    }

    /// What [`Latency::to_bytes`] wrote of many summaries, together.
    ///
    /// # Errors
    ///
    /// As [`Latency::from_bytes`] and [`Latency::merge`].
    pub fn merge_bytes<'bytes>(all: impl IntoIterator<Item = &'bytes [u8]>) -> Result<Self, Error> {
        all.into_iter().try_fold(Self::EMPTY, |mut merged, bytes| {
            merged.merge(&Self::from_bytes(bytes)?)?;
            Ok(merged)
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.invalid);
        writer.count(self.zeros);
        writer.count(self.bins.occupied().count() as u64);
        let mut next = 0;
        for (place, count) in self.bins.occupied() {
            writer.count(u64::from(place - next));
            writer.count(count);
            next = place + 1;
        }
        if self.positive > 0 {
            let [low, high] = halves(self.sum);
            writer.count(low);
            writer.count(high);
            writer.number(f64::from_bits(self.shortest));
            writer.number(f64::from_bits(self.longest));
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut read = Self { invalid: reader.count()?, zeros: reader.count()?, ..Self::EMPTY };
        let mut total = read.invalid.checked_add(read.zeros);
        let mut next = 0;
        for _ in 0..reader.count()? {
            let place =
                reader.count()?.checked_add(u64::from(next)).filter(|place| *place <= u64::from(LAST));
            let Some(place) = place.and_then(|place| u16::try_from(place).ok()) else {
                return Err(impossible("a duration is beyond the last bin"));
            };
            let count = reader.count()?;
            if count == 0 {
                return Err(impossible("an empty bin is written down"));
            }
            total = total.and_then(|total| total.checked_add(count));
            read.bins.add(place, count);
            read.positive = read.positive.saturating_add(count);
            next = place + 1;
        }
        if total.is_none() {
            return Err(impossible("there are more than 2^64 durations"));
        }
        if read.positive > 0 {
            let [low, high] = [reader.count()?, reader.count()?];
            read.sum = u128::from(low) | u128::from(high) << u64::BITS;
            read.shortest = reader.number()?.to_bits();
            read.longest = reader.number()?.to_bits();
            read.consistent()?;
        }
        Ok(read)
    }

    fn consistent(&self) -> Result<(), Error> {
        let extremes = [self.shortest, self.longest].map(f64::from_bits);
        let places = extremes.map(|extreme| if extreme > 0.0 { place(extreme) } else { None });
        if places != self.bins.ends().map(Some) || self.shortest > self.longest {
            return Err(impossible("its extremes are not in its outermost bins"));
        }
        if self.positive == 1 && self.shortest != self.longest {
            return Err(impossible("one duration has two extremes"));
        }
        let [least, most] = extremes.map(|extreme| picoseconds(extreme) * u128::from(self.positive));
        if !(least..=most).contains(&self.sum) {
            return Err(impossible("its sum does not fit its extremes"));
        }
        Ok(())
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::EMPTY
    }
}

fn halves(number: u128) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number, each by itself")]
    [number as u64, (number >> u64::BITS) as u64]
}

#[cfg(test)]
mod tests {
    use super::{Error, Latency};

    #[test]
    fn what_is_no_duration_is_counted_apart() {
        let longest = f64::from(1 << 30);
        let latency =
            Latency::of(&[-1.0, f64::NAN, f64::INFINITY, longest, longest.next_down(), -0.0, 5e-324]);
        assert_eq!((latency.count(), latency.invalid(), latency.zeros()), (3, 4, 1));
        assert_eq!((latency.minimum(), latency.maximum()), (Some(0.0), Some(longest.next_down())));
        assert_eq!(Latency::from_bytes(&latency.to_bytes()), Ok(latency));
    }

    #[test]
    fn without_durations_there_are_no_numbers() {
        let latency = Latency::EMPTY;
        assert_eq!((latency.mean(), latency.minimum(), latency.maximum()), (None, None, None));
        assert_eq!(latency.quantile(0.5), Ok(None));
        assert!(matches!(latency.quantile(f64::NAN), Err(Error::Argument { name: "q", .. })));
    }

    #[test]
    fn counts_never_pass_the_end() {
        let mut full = Latency { invalid: u64::MAX, ..Latency::EMPTY };
        full.add(1.0);
        assert_eq!(full.total(), u64::MAX);
        assert!(matches!(full.merge(&Latency::of(&[1.0])), Err(Error::Incompatible { .. })));
    }
}
