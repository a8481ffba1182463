//! Reconstruction error of principal components: do rows still lie where the reference's do?
//!
//! ```text
//! z = (x - mean) / deviation,   error = |z - Wᵀ W z|
//! ```
//!
//! with the rows of W the first principal components of the standardised reference: the fewest that explain
//! more than a share `explained_variance` of its variance. NannyML's detector of multivariate drift, with
//! scikit-learn's rule for the number of components.
//!
//! Errors of the rows that the components were fitted to are too small. So half of the reference, at most
//! 10,000 rows, is held out at random, and the errors of the current rows are compared with those of the rows
//! held out by Mann and Whitney's test. Under no drift all these errors are exchangeable, so the test keeps
//! its level whatever the data. It is two-sided: a structure that became simpler is a change as well.

use nalgebra::DMatrix;

use super::eigen::eigen;
use super::matrix::Matrix;
use super::ranks::mann_whitney;
use super::scale::{Scale, numbers, warnings};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float_len;
use crate::random::Random;
use crate::result::{Side, TestResult, Warning};

const VERSION: u8 = 1;
const METHOD: &str = "pca reconstruction error, mann-whitney";
const EFFECT: &str = "cliff's delta";
const MOST_HELD_OUT: usize = 10_000;
/// Below this a sample is small for the normal approximation of Mann and Whitney's test.
const LARGE: u8 = 8;
/// A smaller share of a row's length is rounding.
const ROUNDING: f64 = 1e-12;

/// A reference prepared for comparisons by reconstruction error.
#[derive(Debug, Clone, PartialEq)]
pub struct PcaReference {
    scale: Scale,
    explained_variance: f64,
    /// One component a row.
    components: DMatrix<f64>,
    /// Errors of the rows held out, ascending.
    errors: Vec<f64>,
    fitted: u64,
    left_out: u64,
    imputed: u64,
    seed: u64,
}

impl PcaReference {
    /// Prepares a reference. The rows held out are drawn by `seed`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a share of variance outside of (0, 1), or fewer than four rows with a usable
    /// value.
    pub fn fit(reference: &Matrix, explained_variance: f64, seed: u64) -> Result<Self, Error> {
        if !(explained_variance > 0.0 && explained_variance < 1.0) {
            let problem = format!("must lie between 0 and 1, both excluded, but is {explained_variance:?}");
            return Err(Error::argument("explained_variance", problem));
        }
        let usable = reference.usable_rows();
        let left_out = (reference.rows().len() - usable.len()) as u64;
        if usable.len() < 4 {
            let problem = format!("must have at least 4 rows with a usable value, but has {}", usable.len());
            return Err(Error::argument("reference", problem));
        }
        let (held_out, fitted) = split(usable, seed);
        let scale = Scale::of(reference, &fitted, true);
        let (covariance, imputed) = covariance(&scale, reference, &fitted);
        let components = components(covariance, explained_variance)?;
        let mut prepared = Self {
            scale,
            explained_variance,
            components,
            errors: Vec::new(),
            fitted: fitted.len() as u64,
            left_out,
            imputed,
            seed,
        };
        let (mut errors, imputed) = prepared.errors_at(reference, &held_out);
        errors.sort_unstable_by(f64::total_cmp);
        prepared.errors = errors;
        prepared.imputed += imputed;
        Ok(prepared)
    }

    /// Compares the current rows with the reference.
    ///
    /// `statistic` is Mann and Whitney's U of the current errors against those held out, `effect_size` Cliff's
    /// delta: 1 if all current errors are larger, -1 if all are smaller.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of columns than the reference's.
    pub fn test(&self, current: &Matrix) -> Result<TestResult, Error> {
        current.must_have(self.scale.columns())?;
        let usable = current.usable_rows();
        let left_out = (current.rows().len() - usable.len()) as u64;
        let (mut errors, imputed) = self.errors_at(current, &usable);
        let n = [self.errors.len() as u64, errors.len() as u64];
        let told = self.told().chain(warnings(Side::Current, left_out, imputed));
        if errors.is_empty() {
            return Ok(TestResult::without_data(METHOD, EFFECT, n, 1).warned(told));
        }
        errors.sort_unstable_by(f64::total_cmp);
        let found = mann_whitney(&self.errors, &errors);
        let least = float_len(errors.len().min(self.errors.len()));
        let wanted = f64::from(LARGE);
        let small = (least < wanted).then_some(Warning::SmallSample { n: least, wanted });
        Ok(TestResult {
            method: METHOD,
            statistic: Some(found.u),
            p_value: Some(found.p_value),
            effect_size: Some(found.cliffs_delta),
            effect: EFFECT,
            n_reference: n[0],
            n_current: n[1],
            warnings: told.chain(small).chain(found.constant.then_some(Warning::Constant)).collect(),
        })
    }

    /// The reconstruction error of each row in deviations of the reference, NaN for a row without any usable
    /// value.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of columns than the reference's.
    pub fn errors(&self, rows: &Matrix) -> Result<Vec<f64>, Error> {
        rows.must_have(self.scale.columns())?;
        let usable = rows.usable_rows();
        let (found, _) = self.errors_at(rows, &usable);
        let mut errors = vec![f64::NAN; rows.rows().len()];
        for (position, error) in usable.into_iter().zip(found) {
            if let Some(slot) = errors.get_mut(position) {
                *slot = error;
            }
        }
        Ok(errors)
    }

    fn errors_at(&self, rows: &Matrix, positions: &[usize]) -> (Vec<f64>, u64) {
        let mut errors = Vec::with_capacity(positions.len());
        let back = self.components.transpose();
        let imputed = self.scale.for_blocks(rows, positions, |block| {
            let rest = block - &back * (&self.components * block);
            errors.extend(rest.column_iter().zip(block.column_iter()).map(|(rest, whole)| {
                let error = rest.norm();
                if error <= ROUNDING * whole.norm() { 0.0 } else { error }
            }));
        });
        (errors, imputed)
    }

    fn told(&self) -> impl Iterator<Item = Warning> {
        let complete = self.components.nrows() == self.scale.columns();
        let complete = complete.then(|| Warning::Other {
            code: "complete_components",
            message: "the components span all features, so every reconstruction error is 0; \
                      lower explained_variance"
                .into(),
        });
        let empty = self.scale.scales.iter().filter(|scale| scale.is_infinite()).count();
        let empty = (empty > 0).then(|| Warning::Other {
            code: "empty_features",
            message: format!("{empty} features have no usable value in the reference and count for nothing"),
        });
        warnings(Side::Reference, self.left_out, self.imputed).chain(complete).chain(empty)
    }

    /// Number of features.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.scale.columns()
    }

    /// Mean of each feature over the rows fitted.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.scale.means
    }

    /// Deviation of each feature over the rows fitted, 1 for a constant, infinite without usable values.
    #[must_use]
    pub fn scales(&self) -> &[f64] {
        &self.scale.scales
    }

    /// The components, one after the other, each of as many numbers as there are features and of length 1.
    #[must_use]
    pub fn components(&self) -> Vec<f64> {
        self.components.transpose().iter().copied().collect()
    }

    /// Errors of the rows held out, ascending.
    #[must_use]
    pub fn reference_errors(&self) -> &[f64] {
        &self.errors
    }

    /// Number of rows that the components were fitted to.
    #[must_use]
    pub const fn fitted(&self) -> u64 {
        self.fitted
    }

    /// The share of variance that was asked for.
    #[must_use]
    pub const fn explained_variance(&self) -> f64 {
        self.explained_variance
    }

    /// The prepared reference as bytes with a version and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::PcaReference, VERSION);
        self.scale.write(&mut writer);
        writer.number(self.explained_variance);
        let (components, held_out) = (self.components.nrows() as u64, self.errors.len() as u64);
        for count in [components, held_out, self.fitted, self.left_out, self.imputed, self.seed] {
            writer.count(count);
        }
        self.components().iter().chain(&self.errors).for_each(|number| writer.number(*number));
        writer.seal()
    }

    /// The reference that [`PcaReference::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another kind or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::PcaReference, VERSION)?;
        let scale = Scale::read(&mut reader)?;
        let explained_variance = reader.number()?;
        let (components, held_out) = (reader.count()?, reader.count()?);
        let (fitted, left_out, imputed, seed) =
            (reader.count()?, reader.count()?, reader.count()?, reader.count()?);
        let rows = (0..components)
            .map(|_| component(&mut reader, scale.columns()))
            .collect::<Result<Vec<_>, _>>()?;
        let errors = numbers(&mut reader, held_out)?;
        reader.close()?;
        if !(explained_variance > 0.0 && explained_variance < 1.0) || rows.len() > scale.columns() {
            return Err(impossible("it has more components than features, or explains no share of variance"));
        }
        if held_out < 2 || fitted < 2 {
            return Err(impossible("its reference has fewer rows than it needs"));
        }
        if !errors.iter().all(|error| *error >= 0.0 && error.is_finite()) || !errors.is_sorted() {
            return Err(impossible("its errors are not ascending lengths"));
        }
        let components = DMatrix::from_fn(rows.len(), scale.columns(), |row, column| {
            rows.get(row).and_then(|component| component.get(column)).copied().unwrap_or_default()
        });
        Ok(Self { scale, explained_variance, components, errors, fitted, left_out, imputed, seed })
    }
}

/// The rows held out and those to fit to.
fn split(mut usable: Vec<usize>, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let held_out = (usable.len() / 2).min(MOST_HELD_OUT);
    Random::seeded(seed).draw(&mut usable, held_out);
    let mut fitted = usable.split_off(held_out);
    usable.sort_unstable();
    fitted.sort_unstable();
    (usable, fitted)
}

fn covariance(scale: &Scale, table: &Matrix, positions: &[usize]) -> (DMatrix<f64>, u64) {
    let mut products = DMatrix::zeros(scale.columns(), scale.columns());
    let imputed = scale.for_blocks(table, positions, |block| {
        products.gemm(1.0, block, &block.transpose(), 1.0);
    });
    (products / float_len(positions.len()), imputed)
}

/// The fewest leading eigenvectors whose eigenvalues are more than the share wanted, one a row.
fn components(covariance: DMatrix<f64>, explained_variance: f64) -> Result<DMatrix<f64>, Error> {
    let columns = covariance.ncols();
    let pairs = eigen(covariance).ok_or_else(|| {
        Error::argument("reference", "has a covariance without eigenvectors; check its values")
    })?;
    let total: f64 = pairs.iter().map(|(value, _)| value).sum();
    let mut explained = 0.0;
    let mut wanted = 0;
    for (value, _) in pairs.iter().filter(|(value, _)| *value > 0.0) {
        if explained / total > explained_variance {
            break;
        }
        explained += value;
        wanted += 1;
    }
    let rows: Vec<f64> = pairs.into_iter().take(wanted).flat_map(|(_, vector)| vector).collect();
    Ok(DMatrix::from_row_slice(wanted, columns, &rows))
}

fn component(from: &mut Reader<'_>, columns: usize) -> Result<Vec<f64>, Error> {
    let component = numbers(from, columns as u64)?;
    let square: f64 = component.iter().map(|part| part * part).sum();
    if (square - 1.0).abs() < 1e-6 {
        Ok(component)
    } else {
        Err(impossible("a component is not of length 1"))
    }
}
