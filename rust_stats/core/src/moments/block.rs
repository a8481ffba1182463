//! The moments of one block of values.
//!
//! The n values are read twice: once for their sum and extremes, once more for the deviations d from their
//! rough mean c = Σx / n, which correct that mean and give M2, the sum of squared deviations from it: the
//! corrected two-pass algorithm of Chan, Golub and LeVeque, "Algorithms for computing the sample variance:
//! analysis and recommendations", The American Statistician 37 (1983):
//!
//! ```text
//! d = x - c,    mean = c + Σd / n,    M2 = Σd² - (Σd)² / n
//! ```

use std::array;

use super::{Mean, Moments};
use crate::BLOCK;
use crate::float::{float, float_len};

/// Independent partial sums. They hide the latency of an addition and fill vector registers, and since their
/// number is fixed, a result is the same bit for bit on every processor.
const LANES: usize = 8;

/// Scaled by this, the values of a block have a finite sum. A power of two takes no digits from them.
const SHRINK: f64 = 1.0 / float(2 * BLOCK as u64);

impl Moments {
    pub(super) fn of_block(values: &[f64]) -> Self {
        let extent = Extent::of(values);
        // One NaN or infinity leaves no sum finite, so a finite sum is the proof that there is none.
        if extent.sum.is_finite() {
            Self::of_finite(values, &extent)
        } else {
            Sifted::from(values.iter().map(|value| (*value, false))).moments()
        }
    }

    pub(super) fn of_present_in_block(values: &[f64], missing: &[bool]) -> Self {
        if missing.contains(&true) {
            let marked = values.iter().copied().zip(missing.iter().copied());
            Sifted::from(marked).moments()
        } else {
            Self::of_block(values)
        }
    }

    /// The moments of a block of finite values.
    fn of_finite(values: &[f64], extent: &Extent) -> Self {
        let count = values.len() as u64;
        if count == 0 {
            return Self::EMPTY;
        }
        let (minimum, maximum) = (extent.minimum, extent.maximum);
        // Said exactly rather than up to rounding: a constant has itself as its mean and no variance.
        let (mean, m2) = if minimum < maximum { centred(values, extent) } else { (minimum.into(), 0.0) };
        Self { count, mean, m2, minimum, maximum, ..Self::EMPTY }
    }
}

/// The first reading of a block: its sum and its extremes.
struct Extent {
    sum: f64,
    minimum: f64,
    maximum: f64,
}

impl Extent {
    fn of(values: &[f64]) -> Self {
        let mut sums = [0.0; LANES];
        let mut minima = [f64::INFINITY; LANES];
        let mut maxima = [f64::NEG_INFINITY; LANES];
        let (rows, rest) = values.as_chunks::<LANES>();
        for row in rows {
            sums = both(sums, *row, |sum, value| sum + value);
            minima = both(minima, *row, lesser);
            maxima = both(maxima, *row, greater);
        }
        let last = rest.iter().copied();
        let minimum = minima.into_iter().chain(last.clone()).fold(f64::INFINITY, lesser);
        let maximum = maxima.into_iter().chain(last.clone()).fold(f64::NEG_INFINITY, greater);
        Self {
            sum: sums.into_iter().chain(last).sum(),
            // Adding zero turns negative zero into zero, so that equal summaries have equal bytes.
            minimum: minimum + 0.0,
            maximum: maximum + 0.0,
        }
    }
}

/// Mean and M2 of a block of finite values that are not all equal, by the second reading.
fn centred(values: &[f64], extent: &Extent) -> (Mean, f64) {
    let count = float_len(values.len());
    let rough = if extent.sum.is_finite() {
        extent.sum / count
    } else {
        values.iter().map(|value| value * SHRINK).sum::<f64>() / count / SHRINK
    };
    // Rounding may have put it outside, even beyond the largest number.
    let rough = rough.max(extent.minimum).min(extent.maximum);
    let (sum, squares) = deviations(values, rough);
    if squares.is_finite() {
        let correction = sum / count;
        let mean = Mean::of_sum(rough, correction).within(extent.minimum, extent.maximum);
        (mean, (squares - sum * correction).max(0.0))
    } else {
        // The sum of such deviations may have overflowed too, and would spoil the mean.
        (Mean::from(rough), f64::INFINITY)
    }
}

/// Sum and sum of squares of the deviations from `centre`.
fn deviations(values: &[f64], centre: f64) -> (f64, f64) {
    let mut sums = [0.0; LANES];
    let mut squares = [0.0; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        let row = row.map(|value| value - centre);
        sums = both(sums, row, |sum, deviation| sum + deviation);
        squares = both(squares, row, |sum, deviation| sum + deviation * deviation);
    }
    let last = rest.iter().map(|value| value - centre);
    (
        sums.into_iter().chain(last.clone()).sum(),
        squares.into_iter().chain(last.map(|deviation| deviation * deviation)).sum(),
    )
}

/// The values of a block, sorted into those to describe and those only to count.
struct Sifted {
    finite: [f64; BLOCK],
    counted: Moments,
}

impl Sifted {
    fn from(marked: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut finite = [0.0; BLOCK];
        let mut counted = Moments::EMPTY;
        let mut length = 0;
        // Every value is written and the length moves on only past those to keep: a branch on the data would
        // be guessed wrong too often.
        for (value, missing) in marked {
            if let Some(slot) = finite.get_mut(length) {
                *slot = value;
            }
            length += usize::from(value.is_finite() && !missing);
            counted.missing += u64::from(missing);
            counted.nan += u64::from(value.is_nan() && !missing);
            counted.infinite += u64::from(value.is_infinite() && !missing);
        }
        counted.count = length as u64;
        Self { finite, counted }
    }

    fn moments(&self) -> Moments {
        let length = usize::try_from(self.counted.count).unwrap_or(BLOCK);
        let finite = self.finite.get(..length).unwrap_or(&self.finite);
        Moments {
            missing: self.counted.missing,
            nan: self.counted.nan,
            infinite: self.counted.infinite,
            ..Moments::of_finite(finite, &Extent::of(finite))
        }
    }
}

/// Compiles to the processor's own minimum, which `f64::min` with its rule for NaN does not.
fn lesser(known: f64, value: f64) -> f64 {
    if value < known { value } else { known }
}

fn greater(known: f64, value: f64) -> f64 {
    if value > known { value } else { known }
}

fn both(left: [f64; LANES], right: [f64; LANES], combine: impl Fn(f64, f64) -> f64) -> [f64; LANES] {
    let mut pairs = left.into_iter().zip(right);
    array::from_fn(|_| pairs.next().map_or(0.0, |(l, r)| combine(l, r)))
}
