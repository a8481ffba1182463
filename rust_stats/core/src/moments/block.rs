//! The moments of one block of values.
//!
//! The n values are read twice: once for their sum and extremes, once more for the deviations d from their
//! rough mean c = Σx / n, which correct that mean and give the sums of powers of the deviations from it: the
//! corrected two-pass algorithm of Chan, Golub and LeVeque, "Algorithms for computing the sample variance:
//! analysis and recommendations", The American Statistician 37 (1983), carried on to the fourth power:
//!
//! ```text
//! d = x - c,    e = Σd / n,    mean = c + e,    M2 = Σd² - n e²
//! M3 = Σd³ - 3 e Σd² + 2 n e³,    M4 = Σd⁴ - 4 e Σd³ + 6 e² Σd² - 3 n e⁴
//! ```

use super::{Mean, Moments, representable};
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

    /// The moments of at most [`BLOCK`] values, with a mask of the same length.
    pub(crate) fn of_present_in_block(values: &[f64], missing: &[bool]) -> Self {
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
        let centred = if minimum < maximum { Centred::of(values, extent) } else { Centred::at(minimum) };
        let Centred { mean, m2, m3, m4 } = centred;
        Self { count, zeros: extent.zeros, mean, m2, m3, m4, minimum, maximum, ..Self::EMPTY }
    }
}

/// The first reading of a block: its sum, its zeros and its extremes.
struct Extent {
    sum: f64,
    zeros: u64,
    minimum: f64,
    maximum: f64,
}

impl Extent {
    fn of(values: &[f64]) -> Self {
        let (mut sums, mut zeros) = ([0.0; LANES], [0; LANES]);
        let (mut minima, mut maxima) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (rows, rest) = values.as_chunks::<LANES>();
        for row in rows {
            let lanes = sums.iter_mut().zip(&mut zeros).zip(&mut minima).zip(&mut maxima);
            for ((((sum, zeros), minimum), maximum), value) in lanes.zip(row) {
                *sum += value;
                *zeros += u64::from(*value == 0.0);
                *minimum = lesser(*minimum, *value);
                *maximum = greater(*maximum, *value);
            }
        }
        let last = rest.iter().copied();
        let minimum = minima.into_iter().chain(last.clone()).fold(f64::INFINITY, lesser);
        let maximum = maxima.into_iter().chain(last.clone()).fold(f64::NEG_INFINITY, greater);
        Self {
            zeros: zeros.into_iter().chain(last.clone().map(|value| u64::from(value == 0.0))).sum(),
            sum: sums.into_iter().chain(last).sum(),
            // Adding zero turns negative zero into zero, so that equal summaries have equal bytes.
            minimum: minimum + 0.0,
            maximum: maximum + 0.0,
        }
    }
}

/// Mean and sums of powers of the deviations from it.
struct Centred {
    mean: Mean,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Centred {
    /// That of values which are all the same.
    fn at(value: f64) -> Self {
        Self { mean: value.into(), m2: 0.0, m3: 0.0, m4: 0.0 }
    }

    /// That of finite values which are not all the same.
    fn of(values: &[f64], extent: &Extent) -> Self {
        let count = float_len(values.len());
        let rough = if extent.sum.is_finite() {
            extent.sum / count
        } else {
            values.iter().map(|value| value * SHRINK).sum::<f64>() / count / SHRINK
        };
        // Rounding may have put it outside, even beyond the largest number.
        let rough = rough.max(extent.minimum).min(extent.maximum);
        let [sum, squares, cubes, fourths] = powers(values, rough);
        if !squares.is_finite() {
            // The sum of such deviations may have overflowed too, and would spoil the mean.
            return Self { mean: rough.into(), m2: f64::INFINITY, m3: 0.0, m4: f64::INFINITY };
        }
        let e = sum / count;
        let (m3, m4) = representable(
            cubes - 3.0 * e * squares + 2.0 * sum * (e * e),
            fourths - 4.0 * e * cubes + 6.0 * (e * e) * squares - 3.0 * sum * (e * e * e),
        );
        let mean = Mean::of_sum(rough, e).within(extent.minimum, extent.maximum);
        Self { mean, m2: (squares - sum * e).max(0.0), m3, m4 }
    }
}

/// Sums of the first four powers of the deviations from `centre`.
fn powers(values: &[f64], centre: f64) -> [f64; 4] {
    let mut sums = [[0.0; LANES]; 4];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        let mut deviations = *row;
        for deviation in &mut deviations {
            *deviation -= centre;
        }
        add_powers(&mut sums, &deviations);
    }
    // Zeros change no sum.
    let mut last = [0.0; LANES];
    for (slot, value) in last.iter_mut().zip(rest) {
        *slot = value - centre;
    }
    add_powers(&mut sums, &last);
    sums.map(|lanes| lanes.into_iter().sum())
}

#[inline]
fn add_powers(sums: &mut [[f64; LANES]; 4], deviations: &[f64; LANES]) {
    let [first, second, third, fourth] = sums;
    let sums = first.iter_mut().zip(second).zip(third).zip(fourth);
    for ((((first, second), third), fourth), deviation) in sums.zip(deviations) {
        let square = deviation * deviation;
        *first += deviation;
        *second += square;
        *third += square * deviation;
        *fourth += square * square;
    }
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
