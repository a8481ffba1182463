//! A confidence sequence for the mean of values within known bounds, by betting.
//!
//! Whoever doubts that the mean is m bets on values above it, and on values below it, half of a capital of one
//! each, with the values scaled to lie between 0 and 1:
//!
//! ```text
//! K⁺(m) = Π (1 + λ⁺ (x - m)),  λ⁺ = min(λ, 1/(2m))
//! K⁻(m) = Π (1 - λ⁻ (x - m)),  λ⁻ = min(λ, 1/(2(1 - m)))
//! λ = √(2 ln(2/0.05) / (σ² t ln(1 + t))),  σ² the variance of the values before the t-th
//! ```
//!
//! Each is a martingale if m is the mean, whatever else the distribution is, and small where the values vary
//! little. K⁺ falls and K⁻ rises with m. So capitals kept on a grid of m bound those between: the interval is
//! rounded outwards to the grid, and the evidence against a value between its points is that which both
//! neighbours leave no doubt about.
//!
//! Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), theorem 3,
//! with the bets of their equation (26).

use super::{Interval, TIGHTEST_LEVEL, difference, level, log_sum};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;

const VERSION: u8 = 1;

/// The mean of values within known bounds, with an interval that holds at all times at once.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundedMeanSequence {
    lower: f64,
    upper: f64,
    n: u64,
    left_out: u64,
    sum: f64,
    squares: f64,
    /// K⁺ and K⁻ at each point of the grid, from the lower bound to the upper.
    capitals: Vec<[Capital; 2]>,
}

impl BoundedMeanSequence {
    /// No values yet, which will all lie from `lower` to `upper`. The grid divides that into `steps`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `lower < upper`, with a finite distance, and there are 2 to 65,536 steps.
    pub fn new(lower: f64, upper: f64, steps: u64) -> Result<Self, Error> {
        let range = upper - lower;
        if !(range > 0.0 && range < f64::INFINITY) {
            let problem =
                format!("must be finite and greater than lower, but they are {upper:?} and {lower:?}");
            return Err(Error::argument("upper", problem));
        }
        if !(2..=65_536).contains(&steps) {
            return Err(Error::argument("steps", format!("must be from 2 to 65536, but is {steps}")));
        }
        // Negative zero is zero, and so has the same bytes.
        let (lower, upper) = (lower + 0.0, upper + 0.0);
        let capitals = (0..=steps).map(|_| [Capital::ONE; 2]).collect();
        Ok(Self { lower, upper, n: 0, left_out: 0, sum: 0.0, squares: 0.0, capitals })
    }

    /// Takes in values; NaN are left out and counted. On an error nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a value lies outside of the bounds.
    pub fn update(&mut self, values: &[f64]) -> Result<(), Error> {
        let bounds = self.lower..=self.upper;
        if let Some(outside) = values.iter().find(|value| !value.is_nan() && !bounds.contains(value)) {
            let (lower, upper) = (self.lower, self.upper);
            let problem = format!(
                "must lie from {lower:?} to {upper:?}, but one is {outside:?}; clip it or widen the bounds"
            );
            return Err(Error::argument("values", problem));
        }
        for value in values {
            if value.is_nan() {
                self.left_out = self.left_out.saturating_add(1);
            } else {
                self.bet(((value - self.lower) / (self.upper - self.lower)).clamp(0.0, 1.0));
            }
        }
        Ok(())
    }

    /// The evidence of both, of independent values with the same mean: each has bet only on its own, so the
    /// product of their capitals is a martingale too.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] unless both have the same bounds and steps.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        let made = |it: &Self| (it.lower, it.upper, it.steps());
        if made(self) != made(other) {
            let because = "the two have different bounds or steps; make both with the same arguments";
            return Err(Error::Incompatible { because: because.into() });
        }
        let pairs = self.capitals.iter().zip(&other.capitals);
        Ok(Self {
            n: self.n.saturating_add(other.n),
            left_out: self.left_out.saturating_add(other.left_out),
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            capitals: pairs.map(|([a, b], [c, d])| [a.times(*c), b.times(*d)]).collect(),
            ..*self
        })
    }

    /// Number of values so far.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Number of NaN, which were left out.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The least and the largest value that there can be.
    #[must_use]
    pub const fn bounds(&self) -> Interval {
        (self.lower, self.upper)
    }

    /// In how many steps the grid divides the bounds.
    #[must_use]
    pub fn steps(&self) -> u64 {
        (self.capitals.len() as u64).saturating_sub(1)
    }

    /// Arithmetic mean of the values so far, none without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.unscaled(self.sum / float(self.n)))
    }

    /// The interval that contains the mean at all times with probability `1 - alpha`, rounded outwards to the
    /// grid. Its lower end is above its upper one where no mean fits, because the mean has changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `alpha` lies between 0 and 1.
    pub fn interval(&self, alpha: f64) -> Result<Interval, Error> {
        let log_threshold = (2.0 / level("alpha", alpha)?).ln();
        let at = |point: usize| self.unscaled(self.scaled_point(point));
        let lower = self.capitals.iter().rposition(|[above, _]| above.log() >= log_threshold);
        let upper = self.capitals.iter().position(|[_, below]| below.log() >= log_threshold);
        Ok((lower.map_or(self.lower, at), upper.map_or(self.upper, at)))
    }

    /// Logarithm of the evidence that the mean is not `null`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `null` lies within the bounds.
    pub fn log_e(&self, null: f64) -> Result<f64, Error> {
        let (lower, upper) = (self.lower, self.upper);
        if !(lower..=upper).contains(&null) {
            return Err(Error::argument(
                "null",
                format!("must lie from {lower:?} to {upper:?}, but is {null:?}"),
            ));
        }
        let after = self
            .capitals
            .iter()
            .enumerate()
            .find(|(point, _)| self.unscaled(self.scaled_point(*point)) >= null);
        let before = self
            .capitals
            .iter()
            .enumerate()
            .rfind(|(point, _)| self.unscaled(self.scaled_point(*point)) <= null);
        let log = |found: Option<(usize, &[Capital; 2])>, which: fn(&[Capital; 2]) -> Capital| {
            found.map_or(f64::NEG_INFINITY, |(_, capitals)| which(capitals).log())
        };
        Ok(log_sum(log(after, |[above, _]| *above), log(before, |[_, below]| *below))
            - std::f64::consts::LN_2)
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

    /// Everything as bytes, from which it goes on bit for bit.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::BoundedMeanSequence, VERSION);
        writer.number(self.lower);
        writer.number(self.upper);
        for count in [self.steps(), self.n, self.left_out] {
            writer.count(count);
        }
        writer.number(self.sum);
        writer.number(self.squares);
        for capital in self.capitals.iter().flatten() {
            writer.number(capital.digits);
            writer.count(capital.zigzag());
        }
        writer.seal()
    }

    /// The sequence that [`BoundedMeanSequence::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::BoundedMeanSequence, VERSION)?;
        let (lower, upper) = (reader.number()?, reader.number()?);
        let mut read = Self::new(lower, upper, reader.count()?)
            .map_err(|_| impossible("its bounds or steps are none"))?;
        if [lower, upper].map(f64::to_bits) != [read.lower, read.upper].map(f64::to_bits) {
            return Err(impossible("a zero is negative"));
        }
        read.n = reader.count()?;
        read.left_out = reader.count()?;
        read.sum = reader.number()?;
        read.squares = reader.number()?;
        for capital in read.capitals.iter_mut().flatten() {
            *capital = Capital::of_zigzag(reader.number()?, reader.count()?)?;
        }
        reader.close()?;
        read.consistent()
    }

    fn consistent(self) -> Result<Self, Error> {
        let n = float(self.n);
        // With room for rounding: a sum of n values of at most one is off by n² 2⁻⁵³ at worst.
        let most = n * (1.0 + n * f64::EPSILON);
        if !(0.0..=most).contains(&self.sum) || !(0.0..=most).contains(&self.squares) {
            return Err(impossible("its sums are not those of so many values within the bounds"));
        }
        if self.sum.is_sign_negative() || self.squares.is_sign_negative() {
            return Err(impossible("a zero is negative"));
        }
        if self.n == 0 && self.capitals.iter().flatten().any(|capital| *capital != Capital::ONE) {
            return Err(impossible("it has won or lost without a value"));
        }
        Ok(self)
    }

    #[expect(clippy::cast_precision_loss, reason = "a grid has at most 65,537 points")]
    fn scaled_point(&self, point: usize) -> f64 {
        point as f64 / float(self.steps())
    }

    /// Between the bounds, and exactly on them at 0 and 1.
    fn unscaled(&self, scaled: f64) -> f64 {
        if scaled < 1.0 {
            (self.lower + scaled * (self.upper - self.lower)).min(self.upper)
        } else {
            self.upper
        }
    }

    /// Bets on a value that was scaled to lie between 0 and 1, then learns from it.
    fn bet(&mut self, value: f64) {
        // What the mean and the variance are worth before there is any value, as if there had been one.
        const MEAN: f64 = 0.5;
        const VARIANCE: f64 = 0.25;
        let before = float(self.n) + 1.0;
        let variance = (VARIANCE + self.squares) / before;
        let bet = (2.0 * (2.0 / TIGHTEST_LEVEL).ln() / (before * before.ln_1p() * variance)).sqrt();
        let steps = float(self.steps());
        let mut point = 0.0;
        for [above, below] in &mut self.capitals {
            let null = point / steps;
            let surprise = value - null;
            *above = above.multiplied(1.0 + bet.min(0.5 / null) * surprise);
            *below = below.multiplied(1.0 - bet.min(0.5 / (1.0 - null)) * surprise);
            point += 1.0;
        }
        self.n = self.n.saturating_add(1);
        self.sum += value;
        let mean = ((MEAN + self.sum) / (float(self.n) + 1.0)).min(1.0);
        self.squares += (value - mean) * (value - mean);
    }
}

/// A capital `digits * 2^(512 shift)`, which neither overflows nor vanishes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Capital {
    digits: f64,
    shift: i64,
}

impl Capital {
    const ONE: Self = Self { digits: 1.0, shift: 0 };
    /// 2^256, beyond which, and below whose inverse, the digits are shifted, which is exact.
    const LARGE: f64 = 1.157_920_892_373_162e77;
    const SHIFT: f64 = Self::LARGE * Self::LARGE;

    fn multiplied(self, factor: f64) -> Self {
        let digits = self.digits * factor;
        if digits > Self::LARGE {
            Self { digits: digits / Self::SHIFT, shift: self.shift.saturating_add(1) }
        } else if digits < 1.0 / Self::LARGE {
            Self { digits: digits * Self::SHIFT, shift: self.shift.saturating_sub(1) }
        } else {
            Self { digits, ..self }
        }
    }

    fn times(self, other: Self) -> Self {
        let product = self.multiplied(other.digits);
        Self { shift: product.shift.saturating_add(other.shift), ..product }
    }

    #[expect(clippy::cast_precision_loss, reason = "a logarithm has 16 digits")]
    fn log(self) -> f64 {
        self.digits.ln() + self.shift as f64 * (512.0 * std::f64::consts::LN_2)
    }

    /// Small shifts of either sign as small counts.
    const fn zigzag(self) -> u64 {
        ((self.shift << 1) ^ (self.shift >> 63)).cast_unsigned()
    }

    fn of_zigzag(digits: f64, zigzag: u64) -> Result<Self, Error> {
        if !(1.0 / Self::LARGE..=Self::LARGE).contains(&digits) {
            return Err(impossible("a capital is not written in its own form"));
        }
        let shift = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        Ok(Self { digits, shift })
    }
}

#[cfg(test)]
mod tests {
    use super::{BoundedMeanSequence, Capital};

    #[test]
    fn a_capital_never_leaves_the_range_of_numbers() {
        let mut capital = Capital::ONE;
        for _ in 0..10_000 {
            capital = capital.multiplied(0.5);
        }
        assert!((capital.log() / (-10_000.0 * std::f64::consts::LN_2) - 1.0).abs() < 1e-14);
        assert_eq!(Capital::of_zigzag(capital.digits, capital.zigzag()), Ok(capital));
        for _ in 0..10_000 {
            capital = capital.multiplied(2.0);
        }
        assert_eq!(capital, Capital::ONE);
        assert_eq!(Capital::LARGE.to_bits(), 256_f64.exp2().to_bits());
    }

    #[test]
    fn a_bound_is_refuted_by_what_keeps_away_from_it() {
        let mut sequence = BoundedMeanSequence::new(-1.0, 3.0, 64).unwrap();
        sequence.update(&[0.9; 200]).unwrap();
        let (lower, upper) = sequence.interval(0.05).unwrap();
        assert!((0.7..0.9).contains(&lower) && (0.9..1.1).contains(&upper), "{lower} {upper}");
        assert!(sequence.log_e(-1.0).unwrap() > 100.0 && sequence.log_e(3.0).unwrap() > 100.0);
        assert!(sequence.log_e(0.9).unwrap() < 0.0);
    }
}
