//! Numeric references and the histograms on their bins, for Python.

use edge_aiops_stats_core as core;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::column::Column;
use crate::errors::to_python;
use crate::moments::Moments;

/// What later values of a numeric feature are compared with: bins at the quantiles of a reference, its counts on
/// them, and its moments.
///
/// Bins lie between edges[i] and edges[i + 1], the lower one included. Edges stand halfway between neighbouring
/// values of the reference, so values that were rounded to float32 on their way stay in their bin. A reference
/// with fewer distinct values than bins has a bin for each. NaN counts as missing, infinities lie beyond the
/// edges. Frozen.
///
/// Args:
///     values: NumPy array of one dimension holding float64, float32, int64 or bool.
///     bins: how many bins, 2 to 4096. With 64, tests on summaries lose little against those on arrays.
///     missing: boolean NumPy array of the same length, True where there is no value.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, a mask of another length, or a number of bins that cannot be.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(Clone, PartialEq)]
pub struct Reference(pub core::Reference);

#[pymethods]
impl Reference {
    #[new]
    #[pyo3(signature = (values, *, bins=core::DEFAULT_BINS, missing=None))]
    #[pyo3(text_signature = "(values, *, bins=64, missing=None)")]
    fn new(
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        bins: usize,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let values = Column::new(values, missing)?.collected();
        py.detach(|| core::Reference::of(values, bins)).map(Self).map_err(to_python)
    }

    /// The reference that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Reference::from_bytes(data).map(Self).map_err(to_python)
    }

    /// The reference as bytes with a version and a checksum, some 1,200 of them for 64 bins.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// What identifies it, 16 hexadecimal digits: XXH3 (64 bits) of its bins, counts, moments and positions.
    #[getter]
    fn digest(&self) -> String {
        hexadecimal(self.0.digest())
    }

    /// The edges of the bins, ascending: float64, one more than there are bins. Without values there are no bins,
    /// and the one edge is infinity.
    #[getter]
    fn edges<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.bins().edges())
    }

    /// A typical value of each bin, ascending: float64, the mean of the reference's values in it.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.positions())
    }

    /// The reference's own values on its bins.
    #[getter]
    fn histogram(&self) -> Histogram {
        Histogram(self.0.histogram().clone())
    }

    /// The moments of its values.
    #[getter]
    fn moments(&self) -> Moments {
        Moments(*self.0.moments())
    }

    /// Count values on its bins.
    ///
    /// Args:
    ///     values: NumPy array of one dimension holding float64, float32, int64 or bool.
    ///     missing: boolean NumPy array of the same length, True where there is no value.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not one dimension, or a mask of another length.
    ///
    /// The interpreter lock is released meanwhile; memory is constant.
    #[pyo3(signature = (values, *, missing=None))]
    fn count(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Histogram> {
        let empty = self.0.count(&[]);
        let counted = Column::new(values, missing)?.fold(py, empty, |mut so_far, values, missing| {
            self.0.count_block(&mut so_far, values, missing);
            Ok(so_far)
        });
        counted.map(Histogram)
    }

    fn __repr__(&self) -> String {
        let moments = self.0.moments();
        format!(
            "Reference(bins={}, count={}, missing={}, digest={:?})",
            self.0.positions().len(),
            moments.count(),
            moments.missing() + moments.nan(),
            self.digest()
        )
    }
}

/// Counts on the bins of one reference: the summary that tests, distances and evidence come from.
///
/// Made by Reference.count(), read back by Histogram.from_bytes(), added by +, which is exact in any order and
/// refuses another reference's. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(Clone, PartialEq)]
pub struct Histogram(pub core::Histogram);

#[pymethods]
impl Histogram {
    /// The histogram that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Histogram::from_bytes(data).map(Self).map_err(to_python)
    }

    /// The histogram as bytes with a version and a checksum: for 64 bins some 50 at 300 values.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The counts of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: they are on the bins of different references.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// The digest of the reference whose bins these are.
    #[getter]
    fn digest(&self) -> String {
        hexadecimal(self.0.digest())
    }

    /// All counts, uint64: below the lowest edge, in each bin, above the highest edge, and missing or NaN.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        self.0.counts().to_vec().into_pyarray(py)
    }

    /// Number of values that are missing or NaN.
    #[getter]
    fn missing(&self) -> u64 {
        self.0.missing()
    }

    /// Number of all values.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total()
    }

    fn __repr__(&self) -> String {
        format!(
            "Histogram(total={}, missing={}, bins={}, digest={:?})",
            self.0.total(),
            self.0.missing(),
            self.0.counts().len().saturating_sub(3),
            self.digest()
        )
    }
}

pub fn hexadecimal(digest: u64) -> String {
    format!("{digest:016x}")
}
