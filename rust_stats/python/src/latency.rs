//! Latencies for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::bytes::all_bytes;
use crate::column::Column;
use crate::errors::to_python;
use crate::quantiles::{number, present};
use crate::shared::Shared;

/// Percentiles of durations from microseconds to days within 1 %, as a summary that grows and merges exactly.
///
/// Counts in bins that grow by 2 %, as DDSketch has them (Masson, Rim and Lee, VLDB 2019). The unit is the
/// millisecond. A duration is not negative and shorter than 2**30 ms (12.4 days); whatever else comes, NaN and
/// infinities included, is counted as invalid and enters nothing. Zero has a bin of its own.
///
/// Latency() is the summary of no durations. Merging is commutative and associative to the last bit and never loses a
/// count: the same durations give the same bytes on every machine, in every order. Threads may share a summary:
/// each update enters as a whole.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct Latency(Shared<core::Latency>);

#[pymethods]
impl Latency {
    #[new]
    fn new() -> Self {
        Self::of(core::Latency::EMPTY)
    }

    /// Adds the durations of an array. The interpreter lock is released meanwhile.
    ///
    /// Args:
    ///     durations: NumPy array of one dimension holding float64, float32, int64 or bool, in milliseconds.
    ///     missing: boolean NumPy array of the same length, True where there is no duration; those are not counted.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not one dimension, or a mask of another length.
    #[pyo3(signature = (durations, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        durations: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let column = Column::named("durations", durations, "missing", missing)?;
        let batch = column.fold(py, core::Latency::EMPTY, |mut batch, durations, missing| {
            match missing {
                None => batch.update(durations),
                Some(missing) => present(durations, missing).for_each(|duration| batch.add(duration)),
            }
            Ok(batch)
        })?;
        self.absorb(&batch)
    }

    /// Adds one duration in milliseconds.
    fn add(&self, duration: f64) {
        self.0.with(|latency| latency.add(duration));
    }

    /// The durations of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: more than 2**64 durations together.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        let merged = Self::of(self.0.get());
        merged.absorb(&other.0.get())?;
        Ok(merged)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// The duration at place floor(q (count - 1)) of the sorted ones in milliseconds, within 1 % of itself; None without
    /// any. 0 gives the minimum and 1 the maximum, both exact. Durations below a nanosecond share a bin.
    ///
    /// Args:
    ///     q: a share from 0 to 1, for example 0.99.
    ///
    /// Raises:
    ///     ValueError: q is not within 0 and 1.
    fn quantile(&self, q: f64) -> PyResult<Option<f64>> {
        self.0.with(|latency| latency.quantile(q)).map_err(to_python)
    }

    /// The quantile of each of qs, in their order; None without durations.
    ///
    /// Raises:
    ///     ValueError: one is not within 0 and 1.
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn quantiles(&self, qs: Vec<f64>) -> PyResult<Option<Vec<f64>>> {
        self.0.with(|latency| latency.quantiles(&qs)).map_err(to_python)
    }

    /// Number of durations, zeros included.
    #[getter]
    fn count(&self) -> u64 {
        self.0.with(|latency| latency.count())
    }

    /// Number of values that are no duration: negative, NaN, infinite, or of 2**30 ms or longer.
    #[getter]
    fn invalid(&self) -> u64 {
        self.0.with(|latency| latency.invalid())
    }

    /// Number of durations of zero.
    #[getter]
    fn zeros(&self) -> u64 {
        self.0.with(|latency| latency.zeros())
    }

    /// Number of all values seen: count + invalid.
    #[getter]
    fn total(&self) -> u64 {
        self.0.with(|latency| latency.total())
    }

    /// The sum in milliseconds; each duration enters it rounded to a picosecond.
    #[getter]
    fn sum(&self) -> f64 {
        self.0.with(|latency| latency.sum())
    }

    /// The mean in milliseconds; None without durations.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.with(|latency| latency.mean())
    }

    /// The shortest duration in milliseconds, exact; None without any.
    #[getter]
    fn minimum(&self) -> Option<f64> {
        self.0.with(|latency| latency.minimum())
    }

    /// The longest duration in milliseconds, exact; None without any.
    #[getter]
    fn maximum(&self) -> Option<f64> {
        self.0.with(|latency| latency.maximum())
    }

    /// The summary as bytes with a version and a checksum: about 30, and 2 to 3 more for each occupied bin.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.with(|latency| latency.to_bytes())
    }

    /// The summary that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Latency::from_bytes(data).map(Self::of).map_err(to_python)
    }

    /// What to_bytes() wrote of many summaries, together: as adding them one by one, in one call, with the interpreter
    /// lock released.
    ///
    /// Args:
    ///     parts: a sequence of bytes; of none there are no durations.
    ///
    /// Raises:
    ///     TypeError: not a sequence of bytes.
    ///     UnreadableSummary: some are foreign, damaged, of another statistic or version, or contradict themselves.
    ///     IncompatibleSummaries: more than 2**64 durations together.
    #[staticmethod]
    fn merge_bytes(py: Python<'_>, parts: &Bound<'_, PyAny>) -> PyResult<Self> {
        let parts = all_bytes(parts)?;
        py.detach(|| core::Latency::merge_bytes(parts.iter().map(AsRef::as_ref)))
            .map(Self::of)
            .map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let latency = self.0.get();
        format!(
            "Latency(count={}, invalid={}, mean={}, minimum={}, maximum={})",
            latency.count(),
            latency.invalid(),
            number(latency.mean()),
            number(latency.minimum()),
            number(latency.maximum()),
        )
    }
}

impl Latency {
    fn of(latency: core::Latency) -> Self {
        Self(Shared::new(latency))
    }

    fn absorb(&self, batch: &core::Latency) -> PyResult<()> {
        self.0.with(|latency| latency.merge(batch)).map_err(to_python)
    }
}
