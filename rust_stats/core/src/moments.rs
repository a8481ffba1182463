//! Count, mean, variance, skewness, kurtosis and extremes of numbers, in a form that merges: the head of every
//! numeric summary.
//!
//! Only finite values enter the moments. Missing values, NaN and infinities are counted, each apart, so that
//! one broken reading neither poisons a mean nor goes unseen.
//!
//! Two summaries a and b merge by the pairwise update of Chan, Golub and LeVeque (1979, STAN-CS-79-773), here
//! in the notation of Pébay (2008, SAND2008-6212):
//!
//! ```text
//! δ = mean_b - mean_a,    r = n_a / n,    s = n_b / n,    mean = mean_a + δ s
//! M2 = M2_a + M2_b + δ² n r s
//! M3 = M3_a + M3_b + δ³ n r s (r - s) + 3 δ (r M2_b - s M2_a)
//! M4 = M4_a + M4_b + δ⁴ n r s (r² - r s + s²) + 6 δ² (r² M2_b + s² M2_a) + 4 δ (r M3_b - s M3_a)
//! ```
//!
//! where Mk is the sum of the k-th powers of the deviations from the mean.
//!
//! Nowhere are two large sums of squares subtracted, and means are kept with more digits than an `f64` has.
//! So an offset of 10⁹ deviations costs no digits of the variance, in however many parts the values come.

mod block;
mod mean;

use crate::BLOCK;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;
use mean::Mean;

const VERSION: u8 = 2;

/// The moments of some values: how many there were of each sort, and where the finite ones lie.
///
/// Merging has [`Moments::EMPTY`] as its identity, is commutative exactly and associative up to rounding.
/// Counts add exactly; they stop at 2⁶⁴ − 1, which only forged bytes reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    count: u64,
    missing: u64,
    nan: u64,
    infinite: u64,
    zeros: u64,
    mean: Mean,
    m2: f64,
    /// Zero once `m4` is infinite.
    m3: f64,
    /// Infinite once the third or the fourth power of a deviation was.
    m4: f64,
    minimum: f64,
    maximum: f64,
}

impl Moments {
    /// The moments of no values at all.
    pub const EMPTY: Self = Self {
        count: 0,
        missing: 0,
        nan: 0,
        infinite: 0,
        zeros: 0,
        mean: Mean::ZERO,
        m2: 0.0,
        m3: 0.0,
        m4: 0.0,
        minimum: f64::INFINITY,
        maximum: f64::NEG_INFINITY,
    };

    /// The moments of `values`, none of them missing.
    ///
    /// ```
    /// # use edge_aiops_stats_core::Moments;
    /// let moments = Moments::of(&[1.0, 2.0, 3.0, f64::INFINITY]);
    /// assert_eq!((moments.count(), moments.infinite()), (3, 1));
    /// assert_eq!(moments.variance(), Some(1.0));
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        values.chunks(BLOCK).fold(Self::EMPTY, |so_far, block| so_far.merge(&Self::of_block(block)))
    }

    /// The moments of `values`, of which those marked in `missing` were not there, whatever number holds
    /// their place.
    ///
    /// # Errors
    ///
    /// [`Error::LengthsDiffer`] unless `missing` has one entry for each value.
    ///
    /// ```
    /// # use edge_aiops_stats_core::Moments;
    /// let moments = Moments::of_present(&[1.0, -999.0, 3.0], &[false, true, false])?;
    /// assert_eq!((moments.count(), moments.missing()), (2, 1));
    /// assert_eq!(moments.mean(), Some(2.0));
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn of_present(values: &[f64], missing: &[bool]) -> Result<Self, Error> {
        if values.len() != missing.len() {
            return Err(Error::LengthsDiffer { values: values.len(), missing: missing.len() });
        }
        let blocks = values.chunks(BLOCK).zip(missing.chunks(BLOCK));
        Ok(blocks.fold(Self::EMPTY, |so_far, (block, missing)| {
            so_far.merge(&Self::of_present_in_block(block, missing))
        }))
    }

    /// The moments of the values of both summaries together.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        // A fixed order of the two makes the rounding, and so the result, independent of who merges whom. The
        // larger is the base because the correction of its mean is then the smaller.
        let (base, added) =
            if (self.count, self.mean) < (other.count, other.mean) { (other, self) } else { (self, other) };
        let counted = Self {
            count: base.count.saturating_add(added.count),
            missing: base.missing.saturating_add(added.missing),
            nan: base.nan.saturating_add(added.nan),
            infinite: base.infinite.saturating_add(added.infinite),
            zeros: base.zeros.saturating_add(added.zeros),
            ..*base
        };
        if added.count == 0 {
            return counted;
        }
        let share = float(added.count) / float(counted.count);
        let delta = added.mean.minus(base.mean);
        let mean = if delta.is_finite() {
            base.mean.plus(delta * share)
        } else {
            Mean::from(base.mean.rounded * (1.0 - share) + added.mean.rounded * share)
        };
        let minimum = base.minimum.min(added.minimum);
        let maximum = base.maximum.max(added.maximum);
        let m2 = base.m2 + added.m2 + delta * delta * (float(base.count) * share);
        let (m3, m4) = higher(base, added, delta, share);
        Self { mean: mean.within(minimum, maximum), m2, m3, m4, minimum, maximum, ..counted }
    }

    /// Number of finite values: those that the mean, the variance and the extremes describe.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Number of values marked as missing.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.missing
    }

    /// Number of values that were there but not a number.
    #[must_use]
    pub const fn nan(&self) -> u64 {
        self.nan
    }

    /// Number of infinities of either sign.
    #[must_use]
    pub const fn infinite(&self) -> u64 {
        self.infinite
    }

    /// Number of finite values that are zero, of either sign.
    #[must_use]
    pub const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Number of all values seen, of every sort.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.count.saturating_add(self.missing).saturating_add(self.nan).saturating_add(self.infinite)
    }

    /// Arithmetic mean of the finite values, none without any. Always finite, and within the extremes.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.described(1).then_some(self.mean.rounded)
    }

    /// Unbiased variance M2 / (n − 1) of the finite values, none for fewer than two. Infinite where M2, the
    /// sum of squared deviations, exceeds `f64::MAX`: with deviations beyond about 10¹⁵⁴.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        self.described(2).then(|| self.m2 / float(self.count.saturating_sub(1)))
    }

    /// Square root of the variance, none for fewer than two finite values.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Skewness g₁ = √n M3 / M2^(3/2) of the finite values (Joanes and Gill 1998), none for fewer than two or
    /// without a spread, and none where a deviation exceeds some 10⁷⁷, whose fourth power has no `f64`.
    #[must_use]
    pub fn skewness(&self) -> Option<f64> {
        let per_value = self.m2 / float(self.count);
        self.shaped(self.m3 / float(self.count) / (per_value * per_value.sqrt()))
    }

    /// Excess kurtosis g₂ = n M4 / M2² − 3 of the finite values (Joanes and Gill 1998), none as for the
    /// skewness. That of a normal distribution is 0.
    #[must_use]
    pub fn kurtosis(&self) -> Option<f64> {
        let per_value = self.m2 / float(self.count);
        self.shaped(self.m4 / float(self.count) / (per_value * per_value) - 3.0)
    }

    /// Smallest finite value, none without any. Negative zero counts as zero.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        self.described(1).then_some(self.minimum)
    }

    /// Largest finite value, none without any. Negative zero counts as zero.
    #[must_use]
    pub fn maximum(&self) -> Option<f64> {
        self.described(1).then_some(self.maximum)
    }

    /// The summary as bytes with a version and a checksum: 10 for no values, mostly 63, at most 103.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Moments, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    /// The layout: the finite values' count; a byte that says which of the other counts are not zero; those;
    /// and where there are finite values the mean, its rest, M2, M3, M4 and the extremes.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.count);
        writer.sparse([self.missing, self.nan, self.infinite, self.zeros]);
        if self.described(1) {
            writer.number(self.mean.rounded);
            writer.ratio(self.mean.rest);
            for number in [self.m2, self.m3, self.m4, self.minimum, self.maximum] {
                writer.number(number);
            }
        }
    }

    /// The summary that [`Moments::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    ///
    /// ```
    /// # use edge_aiops_stats_core::{Error, Moments};
    /// let mut bytes = Moments::of(&[1.0, 2.0]).to_bytes();
    /// assert_eq!(Moments::from_bytes(&bytes)?.mean(), Some(1.5));
    /// bytes[7] ^= 1;
    /// assert_eq!(Moments::from_bytes(&bytes), Err(Error::Damaged));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Moments, VERSION)?;
        let read = Self::read(&mut reader)?;
        reader.close()?;
        Ok(read)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = reader.count()?;
        let [missing, nan, infinite, zeros] = reader.sparse()?;
        let counted = Self { count, missing, nan, infinite, zeros, ..Self::EMPTY };
        if zeros > count {
            return Err(impossible("it has more zeros than values"));
        }
        if count == 0 {
            return Ok(counted);
        }
        let read = Self {
            mean: Mean { rounded: reader.number()?, rest: reader.ratio()? },
            m2: reader.number()?,
            m3: reader.number()?,
            m4: reader.number()?,
            minimum: reader.number()?,
            maximum: reader.number()?,
            ..counted
        };
        read.consistent()
    }

    fn described(&self, at_least: u64) -> bool {
        self.count >= at_least
    }

    /// `shape` if these values have one.
    fn shaped(&self, shape: f64) -> Option<f64> {
        (self.described(2) && shape.is_finite() && self.m4.is_finite()).then_some(shape)
    }

    fn consistent(self) -> Result<Self, Error> {
        // Written so that a NaN anywhere fails the comparison.
        if !(self.minimum <= self.mean.rounded && self.mean.rounded <= self.maximum) {
            return Err(impossible("its mean is not between its extremes"));
        }
        if self.mean.rest.is_nan() || self.mean.rest.abs() > Mean::LARGEST_REST {
            return Err(impossible("its mean is not rounded to the nearest number"));
        }
        if self.minimum.is_infinite() || self.maximum.is_infinite() {
            return Err(impossible("an extreme is not finite"));
        }
        let varies = self.minimum < self.maximum;
        if self.count == 1 && varies {
            return Err(impossible("one value has two extremes"));
        }
        let deviates = self.m2 > 0.0;
        if !deviates && self.m2 != 0.0 || deviates && !varies {
            return Err(impossible("its squared deviations do not fit its extremes"));
        }
        let overflowed = self.m3 == 0.0 && self.m4 == f64::INFINITY;
        let finite = self.m3.is_finite() && self.m4.is_finite() && self.m4 >= 0.0;
        if !(overflowed || finite) || !varies && (self.m3 != 0.0 || self.m4 != 0.0) {
            return Err(impossible("its higher moments do not fit its extremes"));
        }
        let numbers = [
            self.mean.rounded,
            f64::from(self.mean.rest),
            self.m2,
            self.m3,
            self.m4,
            self.minimum,
            self.maximum,
        ];
        if numbers.iter().any(|number| number.to_bits() == (-0.0_f64).to_bits()) {
            return Err(impossible("a zero is negative"));
        }
        Ok(self)
    }
}

/// M3 and M4 of both summaries together.
fn higher(base: &Moments, added: &Moments, delta: f64, share: f64) -> (f64, f64) {
    let rest = 1.0 - share;
    let between = float(base.count) * share * (delta * delta);
    let m3 = base.m3
        + added.m3
        + between * delta * (rest - share)
        + 3.0 * delta * (rest * added.m2 - share * base.m2);
    let m4 = base.m4
        + added.m4
        + between * (delta * delta) * (rest * rest - rest * share + share * share)
        + 6.0 * (delta * delta) * (rest * rest * added.m2 + share * share * base.m2)
        + 4.0 * delta * (rest * added.m3 - share * base.m3);
    representable(m3, m4)
}

/// The two as they are kept: without a third moment once one of them has no `f64`.
fn representable(m3: f64, m4: f64) -> (f64, f64) {
    if m3.is_finite() && m4.is_finite() { (m3 + 0.0, m4.max(0.0)) } else { (0.0, f64::INFINITY) }
}

impl Default for Moments {
    fn default() -> Self {
        Self::EMPTY
    }
}
