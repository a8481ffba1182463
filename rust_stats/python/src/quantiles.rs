//! Quantiles for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::column::Column;
use crate::errors::to_python;
use crate::shared::Shared;

/// Quantiles and ranks of numbers in about a kilobyte, as a summary that grows and merges.
///
/// The KLL sketch of Apache DataSketches (floats, k = 200; Karnin, Lang and Liberty, FOCS 2016). A rank is off by
/// at most rank_error = 1.33 % of the count with probability 99 %; up to 200 values nothing is approximated. Values
/// are rounded to single precision. Infinities, and what single precision cannot hold, are the least and the
/// greatest values; NaN is left out.
///
/// Which values are kept is drawn at random, differently each time and not seedable: beyond 200 values the same
/// data give other bytes, within the same error.
///
/// Quantiles() is the summary of no values. Merging is commutative and associative within the error and never loses
/// a count. Threads may share a summary: each update enters as a whole.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct Quantiles(Shared<core::Quantiles>);

#[pymethods]
impl Quantiles {
    #[new]
    fn new() -> Self {
        Self::of(core::Quantiles::new())
    }

    /// Adds the values of an array. The interpreter lock is released meanwhile.
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
    ) -> PyResult<()> {
        let batch = Column::new(values, missing)?.fold(
            py,
            core::Quantiles::new(),
            |mut batch, values, missing| {
                match missing {
                    None => batch.update(values),
                    Some(missing) => batch.update(&present(values, missing).collect::<Vec<_>>()),
                }
                Ok(batch)
            },
        )?;
        self.absorb(&batch)
    }

    /// Adds one value; NaN is left out.
    fn add(&self, value: f64) {
        self.0.with(|quantiles| quantiles.add(value));
    }

    /// The quantiles of the values of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: more than 2**53 values together.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        let merged = Self::of(self.0.get());
        merged.absorb(&other.0.get())?;
        Ok(merged)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// The smallest value kept whose rank is at least q; None without values. 0 gives the minimum and 1 the maximum,
    /// both exact.
    ///
    /// Args:
    ///     q: a share from 0 to 1.
    ///
    /// Raises:
    ///     ValueError: q is not within 0 and 1.
    fn quantile(&self, q: f64) -> PyResult<Option<f64>> {
        self.0.with(|quantiles| quantiles.quantile(q)).map_err(to_python)
    }

    /// The quantile of each of qs, in their order; None without values. Quicker than one by one.
    ///
    /// Raises:
    ///     ValueError: one is not within 0 and 1.
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn quantiles(&self, qs: Vec<f64>) -> PyResult<Option<Vec<f64>>> {
        self.0.with(|quantiles| quantiles.quantiles(&qs)).map_err(to_python)
    }

    /// The share of the values that are at most this one; None without values.
    ///
    /// Raises:
    ///     ValueError: value is NaN.
    fn rank(&self, value: f64) -> PyResult<Option<f64>> {
        self.0.with(|quantiles| quantiles.rank(value)).map_err(to_python)
    }

    /// The bound that the error of a rank keeps with probability 99 %, as a share of the count: 0.0133.
    #[getter]
    fn rank_error(&self) -> f64 {
        self.0.with(|quantiles| quantiles.rank_error())
    }

    /// Number of values but NaN.
    #[getter]
    fn count(&self) -> u64 {
        self.0.with(|quantiles| quantiles.count())
    }

    /// Smallest value, rounded to single precision; None without any.
    #[getter]
    fn minimum(&self) -> Option<f64> {
        self.0.with(|quantiles| quantiles.minimum())
    }

    /// Largest value, rounded to single precision; None without any.
    #[getter]
    fn maximum(&self) -> Option<f64> {
        self.0.with(|quantiles| quantiles.maximum())
    }

    /// The bytes of a kll_floats_sketch of Apache DataSketches, which many systems read; 0.7 to 3 KiB.
    fn to_datasketches(&self) -> Vec<u8> {
        self.0.with(|quantiles| quantiles.to_datasketches())
    }

    /// The sketch in the bytes of a kll_floats_sketch, of any k, as other systems write them.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are no such sketch, or contradict themselves.
    #[staticmethod]
    fn from_datasketches(data: &[u8]) -> PyResult<Self> {
        core::Quantiles::from_datasketches(data).map(Self::of).map_err(to_python)
    }

    /// The summary as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.with(|quantiles| quantiles.to_bytes())
    }

    /// The summary that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Quantiles::from_bytes(data).map(Self::of).map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let quantiles = self.0.get();
        format!(
            "Quantiles(count={}, minimum={}, maximum={})",
            quantiles.count(),
            number(quantiles.minimum()),
            number(quantiles.maximum()),
        )
    }
}

impl Quantiles {
    pub fn of(quantiles: core::Quantiles) -> Self {
        Self(Shared::new(quantiles))
    }

    fn absorb(&self, batch: &core::Quantiles) -> PyResult<()> {
        self.0.with(|quantiles| quantiles.merge(batch)).map_err(to_python)
    }
}

/// The values that are not missing.
pub fn present(values: &[f64], missing: &[bool]) -> impl Iterator<Item = f64> {
    values.iter().zip(missing).filter(|(_, missing)| !**missing).map(|(value, _)| *value)
}

/// A number as Python shows it.
pub fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "None".into(), |number| format!("{number:?}"))
}
