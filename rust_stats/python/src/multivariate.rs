//! Comparisons of rows of many features for Python.

use edge_aiops_stats_core::multivariate as core;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::matrix::matrix;
use crate::result::TestResult;

/// A reference prepared for comparisons by the reconstruction error of its principal components.
///
/// Sees that features no longer vary together as they did, even where each alone looks the same. Rows are
/// standardised by the reference, missing values imputed by its means, and projected to the fewest components
/// that explain more than a share of its variance; the error is the length of what is lost, in deviations.
/// Half of the reference's rows, at most 10,000, are held out at random: the errors of the rows that the
/// components were fitted to are too small to compare with. Made by PcaReference.fit() or from_bytes().
/// Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.multivariate")]
#[derive(PartialEq)]
pub struct PcaReference(core::PcaReference);

#[pymethods]
impl PcaReference {
    /// Prepares a reference.
    ///
    /// Args:
    ///     reference: NumPy array of two dimensions, rows x features, holding float64, float32, int64 or bool,
    ///         contiguous or not. NaN, infinities and values beyond 1e100 are missing; rows without any value
    ///         are left out.
    ///     explained_variance: share of the variance, between 0 and 1, that the components are to explain.
    ///     seed: which rows are held out; the same seed gives the same reference.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not two dimensions, no columns, fewer than four usable rows, or a share outside of
    ///         (0, 1).
    ///
    /// Jolliffe, Principal component analysis (2002); the detector of NannyML, with scikit-learn's rule for
    /// the number of components. Time grows with rows x features² and features³. The interpreter lock is
    /// released meanwhile.
    #[staticmethod]
    #[pyo3(signature = (reference, *, explained_variance=0.65, seed=0))]
    fn fit(
        py: Python<'_>,
        reference: &Bound<'_, PyAny>,
        explained_variance: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let reference = matrix(reference, "reference")?;
        py.detach(|| core::PcaReference::fit(&reference, explained_variance, seed))
            .map(Self)
            .map_err(to_python)
    }

    /// Compares the current rows with the reference.
    ///
    /// Args:
    ///     current: as for fit(), with as many features.
    ///
    /// Returns:
    ///     statistic: Mann and Whitney's U of the current errors against those held out; p_value: two-sided,
    ///     by the normal approximation with corrections for ties and continuity; effect_size: Cliff's delta,
    ///     from -1, all current errors smaller, to 1, all larger. Without usable rows there is no number.
    ///
    /// Raises:
    ///     TypeError, ValueError: as for fit(), or another number of features.
    ///
    /// Mann and Whitney (1947). The test keeps its level whatever the distribution of the rows.
    fn test(&self, py: Python<'_>, current: &Bound<'_, PyAny>) -> PyResult<TestResult> {
        let current = matrix(current, "current")?;
        py.detach(|| self.0.test(&current)).map(TestResult).map_err(to_python)
    }

    /// The reconstruction error of each row, in deviations of the reference; NaN for a row without any value.
    ///
    /// Args:
    ///     current: as for fit(), with as many features.
    ///
    /// Returns:
    ///     Array of float64 with one error for each row. Their mean is what NannyML plots.
    ///
    /// Raises:
    ///     TypeError, ValueError: as for fit(), or another number of features.
    fn errors<'py>(
        &self,
        py: Python<'py>,
        current: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let current = matrix(current, "current")?;
        let errors = py.detach(|| self.0.errors(&current)).map_err(to_python)?;
        Ok(PyArray1::from_vec(py, errors))
    }

    /// The principal components, one a row, each of length 1.
    #[getter]
    fn components<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        rows(py, self.0.components(), self.0.columns())
    }

    /// Mean of each feature over the rows fitted, in its unit.
    #[getter]
    fn means<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.means())
    }

    /// Deviation (divisor n) of each feature over the rows fitted, in its unit; 1 for a constant, infinite for
    /// a feature without values.
    #[getter]
    fn scales<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.scales())
    }

    /// Errors of the rows held out, ascending, in deviations.
    #[getter]
    fn reference_errors<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.reference_errors())
    }

    /// Number of rows that the components were fitted to.
    #[getter]
    fn n_fitted(&self) -> u64 {
        self.0.fitted()
    }

    /// The share of variance that was asked for.
    #[getter]
    fn explained_variance(&self) -> f64 {
        self.0.explained_variance()
    }

    /// The prepared reference as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The reference that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another kind or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::PcaReference::from_bytes(data).map(Self).map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let (features, components) = (self.0.columns(), self.0.components().len() / self.0.columns());
        format!(
            "PcaReference(features={features}, components={components}, explained_variance={:?}, n_fitted={}, \
             n_held_out={})",
            self.0.explained_variance(),
            self.0.fitted(),
            self.0.reference_errors().len(),
        )
    }
}

/// A reference prepared for comparisons by maximum mean discrepancy.
///
/// Sees every kind of difference between two distributions of rows, if there are enough rows: the distance of
/// their means in the space of a Gaussian kernel, approximated by random Fourier features. The reference is
/// kept as the mean of the features and the eigenvalues of their covariance, some kilobytes whatever its
/// length. Made by MmdReference.fit() or from_bytes(). Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.multivariate")]
#[derive(PartialEq)]
pub struct MmdReference(core::MmdReference);

#[pymethods]
impl MmdReference {
    /// Prepares a reference.
    ///
    /// Args:
    ///     reference: NumPy array of two dimensions, rows x features, holding float64, float32, int64 or bool,
    ///         contiguous or not. NaN, infinities and values beyond 1e100 are missing and count as the mean;
    ///         rows without any value are left out.
    ///     bandwidth: deviation of the Gaussian kernel, in deviations if standardised; None for the median
    ///         distance between 500 rows of the reference.
    ///     frequencies: number of random frequencies, from 1 to 512. The kernel is approximated to about
    ///         1 / sqrt(frequencies); fit() takes time by its cube, some 0.2 s for 256.
    ///     standardise: whether each feature is divided by its deviation in the reference first. Without it,
    ///         features with a large unit decide.
    ///     seed: which frequencies are drawn; the same seed gives the same reference.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not two dimensions, no columns, fewer than two usable rows, or an option out of range.
    ///
    /// Gretton and others, JMLR 13 (2012); Rahimi and Recht, NIPS (2007). The interpreter lock is released
    /// meanwhile.
    #[staticmethod]
    #[pyo3(signature = (reference, *, bandwidth=None, frequencies=256, standardise=true, seed=0))]
    fn fit(
        py: Python<'_>,
        reference: &Bound<'_, PyAny>,
        bandwidth: Option<f64>,
        frequencies: usize,
        standardise: bool,
        seed: u64,
    ) -> PyResult<Self> {
        let reference = matrix(reference, "reference")?;
        let options = core::MmdOptions { bandwidth, frequencies, standardise, seed };
        py.detach(|| core::MmdReference::fit(&reference, options)).map(Self).map_err(to_python)
    }

    /// Compares the current rows with the reference.
    ///
    /// Args:
    ///     current: as for fit(), with as many features.
    ///
    /// Returns:
    ///     statistic: squared distance of the two means, which chance alone makes positive; p_value: its tail
    ///     in the limit distribution, a weighted sum of chi-square variables; effect_size: the distance beyond
    ///     that of chance, the root of the unbiased estimate, from 0 to the root of 2. With fewer than two
    ///     usable rows there is no number.
    ///
    /// Raises:
    ///     TypeError, ValueError: as for fit(), or another number of features.
    ///
    /// Gretton and others (2012); the tail by the saddlepoint of Kuonen, Biometrika 86 (1999).
    fn test(&self, py: Python<'_>, current: &Bound<'_, PyAny>) -> PyResult<TestResult> {
        let current = matrix(current, "current")?;
        py.detach(|| self.0.test(&current)).map(TestResult).map_err(to_python)
    }

    /// Deviation of the kernel, in deviations of the features if standardised.
    #[getter]
    fn bandwidth(&self) -> f64 {
        self.0.bandwidth()
    }

    /// The random frequencies, one a row, in radians per deviation of each feature.
    #[getter]
    fn frequencies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        rows(py, self.0.frequencies(), self.0.columns())
    }

    /// Number of usable rows of the reference.
    #[getter]
    fn n_reference(&self) -> u64 {
        self.0.n()
    }

    /// The prepared reference as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The reference that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another kind or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::MmdReference::from_bytes(data).map(Self).map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let (features, frequencies) = (self.0.columns(), self.0.frequencies().len() / self.0.columns());
        format!(
            "MmdReference(features={features}, bandwidth={:?}, frequencies={frequencies}, n_reference={})",
            self.0.bandwidth(),
            self.0.n(),
        )
    }
}

/// Do embeddings point the same way on average?
///
/// Args:
///     reference: NumPy array of two dimensions, rows x dimensions, holding float64, float32, int64 or bool,
///         contiguous or not.
///     current: the same, with as many dimensions. Rows of zeros, and rows with NaN, infinities or values
///         beyond 1e100, have no direction, are left out, and a warning says how many.
///     permutations: how many random divisions of the rows are compared, from 1 to 100,000; the p-value is not
///         below 1 / (permutations + 1).
///     seed: which divisions; the same seed gives the same p-value.
///
/// Returns:
///     statistic and effect_size: the cosine distance of the mean directions, 0 for the same, 1 for a right
///     angle or where a mean has no direction, 2 for opposite ones; p_value: by permutation, exact at every
///     sample size. Without usable rows there is no number.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not two dimensions, no columns, different numbers of them, or an option out of range.
///
/// Phipson and Smyth, Statistical applications in genetics and molecular biology 9 (2010), for the p-value.
/// The interpreter lock is released meanwhile.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations=999, seed=0))]
pub fn cosine_shift_test(
    py: Python<'_>,
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    permutations: usize,
    seed: u64,
) -> PyResult<TestResult> {
    let (reference, current) = (matrix(reference, "reference")?, matrix(current, "current")?);
    py.detach(|| core::cosine_shift_test(reference, current, permutations, seed))
        .map(TestResult)
        .map_err(to_python)
}

fn rows(py: Python<'_>, values: Vec<f64>, columns: usize) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let count = values.len() / columns;
    PyArray1::from_vec(py, values).reshape([count, columns])
}
