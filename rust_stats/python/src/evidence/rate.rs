//! Confidence sequences for rates for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use super::{shown, whole};
use crate::column::Column;
use crate::errors::to_python;

/// A rate of successes, such as an accuracy, with an interval that holds at all times at once.
///
/// By the beta-binomial mixture, exact for any number of events. Frozen: update() returns the sequence with more
/// of them.
///
/// Args:
///     tightest_at: after how many events the interval should be about tightest.
///
/// Raises:
///     ValueError: tightest_at below 1.
///
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021), proposition 7.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct RateSequence(core::RateSequence);

#[pymethods]
impl RateSequence {
    #[new]
    #[pyo3(signature = (*, tightest_at=1000))]
    fn new(tightest_at: i64) -> PyResult<Self> {
        core::RateSequence::new(whole(tightest_at, "tightest_at")?).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::RateSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more events.
    ///
    /// Args:
    ///     outcomes: NumPy array of one dimension holding bool, or 0 and 1 as float64, float32 or int64.
    ///     missing: boolean NumPy array of the same length, True where there is no outcome.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: an outcome that is neither 0 nor 1, not one dimension, or a mask of another length.
    #[pyo3(signature = (outcomes, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        outcomes: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let column = Column::named("outcomes", outcomes, "missing", missing)?;
        column.fold(py, self.0, |so_far, block, mask| so_far.with_outcomes(block, mask)).map(Self)
    }

    /// The sequence with so many events more.
    ///
    /// Raises:
    ///     ValueError: a negative number, or more than 2**64 events in all.
    #[pyo3(signature = (*, successes, failures))]
    fn update_counts(&self, successes: i64, failures: i64) -> PyResult<Self> {
        let (successes, failures) = (whole(successes, "successes")?, whole(failures, "failures")?);
        self.0.with(successes, failures).map(Self).map_err(to_python)
    }

    /// The sequence of the events of both; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: made with different tightest_at.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// Lower and upper end of the interval that contains the rate at all times with probability 1 - alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, py: Python<'_>, alpha: f64) -> PyResult<(f64, f64)> {
        py.detach(|| self.0.interval(alpha)).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the rate is not `null`; infinite where that has been refuted, as 0
    /// by a success.
    ///
    /// Raises:
    ///     ValueError: null does not lie between 0 and 1.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the rate is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null does not lie between 0 and 1.
    fn e_value(&self, null: f64) -> PyResult<f64> {
        self.log_e(null).map(f64::exp)
    }

    /// Interval for this rate minus the other at all times with probability 1 - alpha; each has half of alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (other, *, alpha=0.05))]
    fn difference(&self, other: &Self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.difference(&other.0, alpha).map_err(to_python)
    }

    /// Number of successes so far.
    #[getter]
    fn successes(&self) -> u64 {
        self.0.successes()
    }

    /// Number of failures so far.
    #[getter]
    fn failures(&self) -> u64 {
        self.0.failures()
    }

    /// Number of events so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Share of successes so far, None without events.
    #[getter]
    fn rate(&self) -> Option<f64> {
        self.0.rate()
    }

    /// After how many events the interval is about tightest.
    #[getter]
    fn tightest_at(&self) -> u64 {
        self.0.tightest_at()
    }

    fn __repr__(&self) -> String {
        format!(
            "RateSequence(successes={}, failures={}, rate={})",
            self.successes(),
            self.failures(),
            shown(self.rate())
        )
    }
}
