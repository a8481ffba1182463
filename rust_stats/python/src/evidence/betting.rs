//! Confidence sequences for bounded means for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use super::{shown, whole};
use crate::column::Column;
use crate::errors::to_python;

/// The mean of values within known bounds, with an interval that holds at all times at once, by betting.
///
/// Exact for any number of values and any distribution within the bounds, and narrow where the values vary
/// little. Frozen: update() returns the sequence with more values.
///
/// Args:
///     lower: the least value that there can be.
///     upper: the largest.
///     steps: into how many the bounds are divided; the interval is rounded outwards to them. Bytes and time
///         grow with it.
///
/// Raises:
///     ValueError: upper is not greater than lower, or steps is not from 2 to 65536.
///
/// Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86 (2024), hedged capital.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct BoundedMeanSequence(core::BoundedMeanSequence);

#[pymethods]
impl BoundedMeanSequence {
    #[new]
    #[pyo3(signature = (*, lower=0.0, upper=1.0, steps=256))]
    fn new(lower: f64, upper: f64, steps: i64) -> PyResult<Self> {
        core::BoundedMeanSequence::new(lower, upper, whole(steps, "steps")?).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::BoundedMeanSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum, about 18 for each step.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more values.
    ///
    /// Args:
    ///     values: NumPy array of one dimension holding float64, float32, int64 or bool, in the order in which
    ///         they came. NaN are left out and counted.
    ///     missing: boolean NumPy array of the same length, True where there is no value; counted as left out.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: a value outside of the bounds, not one dimension, or a mask of another length.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let values = Column::new(values, missing)?.collected();
        let mut next = self.0.clone();
        py.detach(|| next.update(&values)).map_err(to_python)?;
        Ok(Self(next))
    }

    /// The evidence of the values of both, which must not depend on each other; the same as self + other.
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
    /// Where no mean fits, because it has changed, the lower end is above the upper one.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.interval(alpha).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the mean is not `null`, least where null is not on the grid.
    ///
    /// Raises:
    ///     ValueError: null does not lie within the bounds.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the mean is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null does not lie within the bounds.
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

    /// Number of values so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Number of values that were missing or not a number.
    #[getter]
    fn left_out(&self) -> u64 {
        self.0.left_out()
    }

    /// Arithmetic mean so far, None without values.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean()
    }

    /// The least and the largest value that there can be.
    #[getter]
    fn bounds(&self) -> (f64, f64) {
        self.0.bounds()
    }

    /// Into how many steps the bounds are divided.
    #[getter]
    fn steps(&self) -> u64 {
        self.0.steps()
    }

    fn __repr__(&self) -> PyResult<String> {
        let (lower, upper) = self.interval(0.05)?;
        let (n, mean) = (self.n(), shown(self.mean()));
        Ok(format!("BoundedMeanSequence(n={n}, mean={mean}, interval=({lower:?}, {upper:?}))"))
    }
}
