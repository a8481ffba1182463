//! Confidence sequences for means for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use super::{shown, whole};
use crate::errors::to_python;
use crate::moments::{Moments, moments};

/// The mean of values, with an interval that holds at all times at once, by the normal mixture.
///
/// Frozen: update() returns the sequence with more values.
///
/// Args:
///     deviation: known standard deviation for which the values are sub-Gaussian, in their unit: normal values of
///         that deviation, or values within bounds that are twice as far apart. The interval is then exact for
///         any number of values. None for that of the sample: the interval is then asymptotic, for independent
///         values of finite variance, and there is none before the first 100 values.
///     tightest_at: after how many values the interval should be about tightest.
///
/// Raises:
///     ValueError: a deviation that is not finite and positive, or tightest_at below 1.
///
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021); with the deviation of the sample
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52 (2024).
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct MeanSequence(core::MeanSequence);

#[pymethods]
impl MeanSequence {
    #[new]
    #[pyo3(signature = (*, deviation=None, tightest_at=1000))]
    fn new(deviation: Option<f64>, tightest_at: i64) -> PyResult<Self> {
        let tightest_at = whole(tightest_at, "tightest_at")?;
        core::MeanSequence::new(deviation, tightest_at).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::MeanSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more values; takes what moments() takes.
    ///
    /// Only finite values enter; those left out are counted in `moments`.
    ///
    /// Args:
    ///     values: NumPy array of one dimension holding float64, float32, int64 or bool.
    ///     missing: boolean NumPy array of the same length, True where there is no value.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not one dimension, or a mask of another length.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(self.update_moments(&moments(py, values, missing)?))
    }

    /// The sequence with the values that a summary describes, for example one that came from another node.
    fn update_moments(&self, moments: &Moments) -> Self {
        Self(self.0.with(&moments.0))
    }

    /// The sequence of the values of both; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: made with different arguments.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// Lower and upper end of the interval that contains the mean at all times with probability 1 - alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.interval(alpha).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the mean is not `null`; infinite beyond the range of float64.
    ///
    /// Raises:
    ///     ValueError: null is not finite.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the mean is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null is not finite.
    fn e_value(&self, null: f64) -> PyResult<f64> {
        self.log_e(null).map(f64::exp)
    }

    /// Interval for this mean minus the other at all times with probability 1 - alpha; each has half of alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (other, *, alpha=0.05))]
    fn difference(&self, other: &Self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.difference(&other.0, alpha).map_err(to_python)
    }

    /// What is known of the values so far.
    #[getter]
    fn moments(&self) -> Moments {
        Moments(*self.0.moments())
    }

    /// Number of values so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.moments().count()
    }

    /// Arithmetic mean so far, None without values.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.moments().mean()
    }

    /// The known deviation, None where that of the sample is used.
    #[getter]
    fn deviation(&self) -> Option<f64> {
        self.0.deviation()
    }

    /// After how many values the interval is about tightest.
    #[getter]
    fn tightest_at(&self) -> u64 {
        self.0.tightest_at()
    }

    fn __repr__(&self) -> PyResult<String> {
        let (lower, upper) = self.interval(0.05)?;
        Ok(format!(
            "MeanSequence(n={}, mean={}, interval=({lower:?}, {upper:?}))",
            self.n(),
            shown(self.mean())
        ))
    }
}
