//! Maximum mean discrepancy: the distance of two distributions in the space of a Gaussian kernel.
//!
//! ```text
//! k(x, y) = exp(-|x - y|² / (2 σ²)),   MMD² = |E φ(x) - E φ(y)|²   with φ(x)·φ(y) ≈ k(x, y)
//! ```
//!
//! It is 0 for equal distributions only (Gretton, Borgwardt, Rasch, Schölkopf and Smola, A kernel two-sample
//! test, JMLR 13, 2012). φ is the vector of cos(wᵢ·x) / √m and sin(wᵢ·x) / √m for m frequencies wᵢ drawn from
//! the normal distribution with deviation 1 / σ (Rahimi and Recht, Random features for large-scale kernel
//! machines, 2007), so a sample is summarised by a mean of 2 m numbers in one pass. σ is the median distance of
//! rows of the reference unless given.
//!
//! Under no difference n m / (n + m) MMD² tends to Σ λᵢ χ²₁ with λᵢ the eigenvalues of the covariance of φ,
//! which are estimated from the reference: the features are bounded, and their number fixed. The tail of that
//! distribution is the p-value; nothing is drawn at a comparison.

use nalgebra::DMatrix;

use super::matrix::Matrix;
use super::mixture;
use super::scale::{Scale, numbers, warnings};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::random::Random;
use crate::result::{Side, TestResult, Warning};

const VERSION: u8 = 1;
const METHOD: &str = "maximum mean discrepancy, random fourier features";
const EFFECT: &str = "mmd";
/// The median distance is that of all pairs of so many rows.
const ROWS_FOR_MEDIAN: usize = 500;
/// From so many rows on the limit distribution is a good approximation.
const LARGE: u64 = 30;
const MOST_FREQUENCIES: usize = 512;
/// Smaller eigenvalues, relative to the largest, are rounding.
const ROUNDING: f64 = 1e-12;

/// How a reference is prepared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MmdOptions {
    /// σ of the kernel, in deviations if standardised; `None` for the median distance of the reference's rows.
    pub bandwidth: Option<f64>,
    /// Number of frequencies m, at most 512: the kernel is approximated to about 1 / √m.
    pub frequencies: usize,
    /// Whether each feature is divided by its deviation first, so that its unit does not matter.
    pub standardise: bool,
    /// What the frequencies are drawn by.
    pub seed: u64,
}

impl Default for MmdOptions {
    fn default() -> Self {
        Self { bandwidth: None, frequencies: 256, standardise: true, seed: 0 }
    }
}

/// A reference prepared for comparisons by maximum mean discrepancy.
#[derive(Debug, Clone, PartialEq)]
pub struct MmdReference {
    scale: Scale,
    bandwidth: f64,
    seed: u64,
    /// One a row.
    frequencies: DMatrix<f64>,
    /// Mean of φ: the cosines, then the sines.
    mean: Vec<f64>,
    /// Positive eigenvalues of the covariance of φ, descending.
    eigenvalues: Vec<f64>,
    n: u64,
    left_out: u64,
    imputed: u64,
}

impl MmdReference {
    /// Prepares a reference.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for fewer than two rows with a usable value, a bandwidth that is not a positive
    /// number, or no or too many frequencies.
    pub fn fit(reference: &Matrix, options: MmdOptions) -> Result<Self, Error> {
        let MmdOptions { bandwidth, frequencies, standardise, seed } = options;
        if !(1..=MOST_FREQUENCIES).contains(&frequencies) {
            let problem = format!("must be from 1 to {MOST_FREQUENCIES}, but is {frequencies}");
            return Err(Error::argument("frequencies", problem));
        }
        if let Some(given) = bandwidth.filter(|given| !is_bandwidth(*given)) {
            let problem = format!("must be a positive number from 1e-100 to 1e100, but is {given:?}");
            return Err(Error::argument("bandwidth", problem));
        }
        let usable = reference.usable_rows();
        let left_out = (reference.rows().len() - usable.len()) as u64;
        if usable.len() < 2 {
            let problem = format!("must have at least 2 rows with a usable value, but has {}", usable.len());
            return Err(Error::argument("reference", problem));
        }
        let scale = Scale::of(reference, &usable, standardise);
        let bandwidth = bandwidth.unwrap_or_else(|| median_distance(&scale, reference, &usable, seed));
        let frequencies = draw_frequencies(frequencies, scale.columns(), bandwidth, seed);
        let (n, size) = (float_len(usable.len()), 2 * frequencies.nrows());
        let mut sum = DMatrix::zeros(size, 1);
        let mut products = DMatrix::zeros(size, size);
        let imputed = scale.for_blocks(reference, &usable, |block| {
            let features = features(&frequencies, block);
            sum += features.column_sum();
            products.gemm(1.0, &features, &features.transpose(), 1.0);
        });
        let mean = sum / n;
        products.gemm(-n, &mean, &mean.transpose(), 1.0);
        let eigenvalues = positive_eigenvalues(&(products / (n - 1.0)));
        let mean = mean.iter().copied().collect();
        let n = usable.len() as u64;
        Ok(Self { scale, bandwidth, seed, frequencies, mean, eigenvalues, n, left_out, imputed })
    }

    /// Compares the current rows with the reference.
    ///
    /// `statistic` is MMD² of the two means, which chance alone makes positive. `effect_size` is the MMD beyond
    /// that: the root of the unbiased MMD², 0 where that is negative; at most √2.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of columns than the reference's.
    pub fn test(&self, current: &Matrix) -> Result<TestResult, Error> {
        current.must_have(self.scale.columns())?;
        let usable = current.usable_rows();
        let left_out = (current.rows().len() - usable.len()) as u64;
        let mut sum = DMatrix::zeros(self.mean.len(), 1);
        let imputed = self.scale.for_blocks(current, &usable, |block| {
            sum += features(&self.frequencies, block).column_sum();
        });
        let n = [self.n, usable.len() as u64];
        let told = self.told().chain(warnings(Side::Current, left_out, imputed));
        if usable.len() < 2 {
            return Ok(TestResult::without_data(METHOD, EFFECT, n, 2).warned(told));
        }
        let [reference_n, current_n] = n.map(float);
        let mean: Vec<f64> = sum.iter().map(|sum| sum / current_n).collect();
        let squared: f64 =
            mean.iter().zip(&self.mean).map(|(one, other)| (one - other) * (one - other)).sum();
        let weight = reference_n * current_n / (reference_n + current_n);
        // |φ| is 1, so 1 - |mean|² is the trace of the covariance with the divisor n.
        let chance = |mean: &[f64], n: f64| (1.0 - square(mean)).max(0.0) / (n - 1.0);
        let unbiased = squared - chance(&self.mean, reference_n) - chance(&mean, current_n);
        let constant = self.eigenvalues.is_empty() && squared == 0.0;
        let least = n[0].min(n[1]);
        let small = Warning::SmallSample { n: float(least), wanted: float(LARGE) };
        Ok(TestResult {
            method: METHOD,
            statistic: Some(squared),
            p_value: Some(self.p_value(weight * squared)),
            effect_size: Some(unbiased.max(0.0).sqrt()),
            effect: EFFECT,
            n_reference: n[0],
            n_current: n[1],
            warnings: told
                .chain((least < LARGE).then_some(small))
                .chain(constant.then_some(Warning::Constant))
                .collect(),
        })
    }

    /// A constant reference makes every difference impossible.
    fn p_value(&self, weighted: f64) -> f64 {
        if self.eigenvalues.is_empty() && weighted > 0.0 {
            0.0
        } else {
            mixture::upper(weighted, &self.eigenvalues)
        }
    }

    fn told(&self) -> impl Iterator<Item = Warning> {
        let empty = self.scale.scales.iter().filter(|scale| scale.is_infinite()).count();
        let empty = (empty > 0).then(|| Warning::Other {
            code: "empty_features",
            message: format!("{empty} features have no usable value in the reference and count for nothing"),
        });
        warnings(Side::Reference, self.left_out, self.imputed).chain(empty)
    }

    /// Number of features of a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.scale.columns()
    }

    /// σ of the kernel, in deviations if standardised.
    #[must_use]
    pub const fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// Number of usable rows of the reference.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// The frequencies, one after the other, each of as many numbers as there are features.
    #[must_use]
    pub fn frequencies(&self) -> Vec<f64> {
        self.frequencies.transpose().iter().copied().collect()
    }

    /// The prepared reference as bytes with a version and a checksum. The frequencies are drawn again from the
    /// seed, so they need no space.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::MmdReference, VERSION);
        self.scale.write(&mut writer);
        writer.number(self.bandwidth);
        let (frequencies, eigenvalues) = (self.frequencies.nrows() as u64, self.eigenvalues.len() as u64);
        for count in [self.seed, frequencies, eigenvalues, self.n, self.left_out, self.imputed] {
            writer.count(count);
        }
        self.mean.iter().chain(&self.eigenvalues).for_each(|number| writer.number(*number));
        writer.seal()
    }

    /// The reference that [`MmdReference::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another kind or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::MmdReference, VERSION)?;
        let scale = Scale::read(&mut reader)?;
        let bandwidth = reader.number()?;
        let (seed, frequencies, positive) = (reader.count()?, reader.count()?, reader.count()?);
        let (n, left_out, imputed) = (reader.count()?, reader.count()?, reader.count()?);
        let count = usize::try_from(frequencies).ok().filter(|count| (1..=MOST_FREQUENCIES).contains(count));
        let count = count.ok_or(impossible("it has no frequencies, or too many"))?;
        let mean = numbers(&mut reader, 2 * frequencies)?;
        let eigenvalues = numbers(&mut reader, positive)?;
        reader.close()?;
        if !is_bandwidth(bandwidth) || n < 2 {
            return Err(impossible("it has no bandwidth, or no rows to have one of"));
        }
        if square(&mean) > 1.0 + 1e-9 {
            return Err(impossible("its mean is longer than what it is a mean of"));
        }
        if !eigenvalues.iter().all(|value| *value > 0.0 && *value <= 2.0)
            || !eigenvalues.is_sorted_by(|one, other| one >= other)
        {
            return Err(impossible("its eigenvalues are not descending ones of a covariance"));
        }
        let frequencies = draw_frequencies(count, scale.columns(), bandwidth, seed);
        Ok(Self { scale, bandwidth, seed, frequencies, mean, eigenvalues, n, left_out, imputed })
    }
}

fn is_bandwidth(given: f64) -> bool {
    (1e-100..=1e100).contains(&given)
}

fn square(vector: &[f64]) -> f64 {
    vector.iter().map(|part| part * part).sum()
}

fn draw_frequencies(count: usize, columns: usize, bandwidth: f64, seed: u64) -> DMatrix<f64> {
    let mut numbers = vec![0.0; count.saturating_mul(columns)];
    Random::seeded(seed).normals(&mut numbers);
    DMatrix::from_row_slice(count, columns, &numbers) / bandwidth
}

/// φ of each column of the block: the cosines, then the sines.
fn features(frequencies: &DMatrix<f64>, block: &DMatrix<f64>) -> DMatrix<f64> {
    let angles = frequencies * block;
    let count = angles.nrows();
    let scale = 1.0 / float_len(count).sqrt();
    let mut features = DMatrix::zeros(2 * count, angles.ncols());
    for (mut features, angles) in features.column_iter_mut().zip(angles.column_iter()) {
        for (i, angle) in angles.iter().enumerate() {
            // Beyond the range of f64 an angle is as good as any other.
            let (sine, cosine) = if angle.is_finite() { angle.sin_cos() } else { (0.0, 1.0) };
            for (slot, number) in [(i, cosine), (count + i, sine)] {
                if let Some(slot) = features.get_mut(slot) {
                    *slot = scale * number;
                }
            }
        }
    }
    features
}

fn positive_eigenvalues(covariance: &DMatrix<f64>) -> Vec<f64> {
    let mut eigenvalues: Vec<f64> = covariance.symmetric_eigenvalues().iter().copied().collect();
    eigenvalues.sort_unstable_by(|one, other| other.total_cmp(one));
    // The features have length 1, so less than this in all is rounding of a constant.
    let least = eigenvalues.first().map_or(0.0, |largest| (largest * ROUNDING).max(ROUNDING));
    eigenvalues.retain(|value| *value > least);
    eigenvalues
}

/// The median distance of two rows, of distinct ones if more than half of the pairs are of equal ones; 1 if all
/// are equal.
fn median_distance(scale: &Scale, table: &Matrix, usable: &[usize], seed: u64) -> f64 {
    let mut chosen = usable.to_vec();
    // Another seed than that of the frequencies, which should not depend on the rows.
    Random::seeded(!seed).draw(&mut chosen, ROWS_FOR_MEDIAN);
    chosen.truncate(ROWS_FOR_MEDIAN);
    let mut rows = Vec::new();
    scale.for_blocks(table, &chosen, |block| {
        rows.extend(block.column_iter().map(nalgebra::Matrix::into_owned));
    });
    let pairs =
        rows.iter().enumerate().flat_map(|(i, one)| rows.iter().skip(i + 1).map(move |other| (one, other)));
    let mut distances: Vec<f64> = pairs.map(|(one, other)| one.metric_distance(other)).collect();
    let median = |distances: &mut [f64]| -> Option<f64> {
        let middle = distances.len() / 2;
        (middle < distances.len()).then(|| *distances.select_nth_unstable_by(middle, f64::total_cmp).1)
    };
    let found = median(&mut distances).filter(|found| *found > 0.0).or_else(|| {
        distances.retain(|distance| *distance > 0.0);
        median(&mut distances)
    });
    found.unwrap_or(1.0).clamp(1e-100, 1e100)
}
