//! Counts of different texts for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::shared::Shared;
use crate::strings::{self, Counter};

/// An estimate with the bounds of the interval that holds the truth with probability 95 %. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct DistinctEstimate(core::DistinctEstimate);

impl From<core::DistinctEstimate> for DistinctEstimate {
    fn from(estimate: core::DistinctEstimate) -> Self {
        Self(estimate)
    }
}

#[pymethods]
impl DistinctEstimate {
    /// The estimate itself; equal to both bounds where it is exact.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value
    }

    /// Lower bound of the interval.
    #[getter]
    fn lower(&self) -> f64 {
        self.0.lower
    }

    /// Upper bound of the interval.
    #[getter]
    fn upper(&self) -> f64 {
        self.0.upper
    }

    fn __repr__(&self) -> String {
        format!(
            "DistinctEstimate(value={:?}, lower={:?}, upper={:?})",
            self.0.value, self.0.lower, self.0.upper
        )
    }
}

/// How many different texts there were, in constant memory, as a summary that grows and merges exactly.
///
/// The 8-bit HyperLogLog sketch of Apache DataSketches (Flajolet et al. 2007), with 2**lg_k registers: lg_k = 10 has a
/// standard error of 3.3 % in 1 KiB, 12 has 1.6 % in 4 KiB. Texts are hashed as their UTF-8 bytes with seed 9001, as
/// Java and C++ do; the empty text counts as one, which Apache's own updates pass over. Missing values are no texts.
///
/// Merging is commutative, associative and idempotent to the last bit. Threads may share a summary: each update enters
/// as a whole.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct DistinctCount(Shared<core::DistinctCount>);

#[pymethods]
impl DistinctCount {
    /// Raises:
    ///     ValueError: lg_k is not from 4 to 21.
    #[new]
    #[pyo3(signature = (*, lg_k=12))]
    fn new(lg_k: u8) -> PyResult<Self> {
        core::DistinctCount::new(lg_k).map(Self::of).map_err(to_python)
    }

    /// Adds texts. What values can be is said at Categories.update().
    ///
    /// Raises:
    ///     TypeError: values are no texts.
    ///     ValueError: a text cannot be UTF-8, not one dimension, or a mask of another length. Nothing was added then.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut batch = self.empty()?;
        strings::read(py, values, missing, &mut batch)?;
        self.absorb(&batch)
    }

    /// Adds the texts of a string column of Apache Arrow. The arguments are those of Categories.update_arrow().
    ///
    /// Raises:
    ///     TypeError: offsets or data of another type.
    ///     ValueError: offsets that decrease or pass the end, bytes that are not UTF-8, or a mask of another length.
    ///         Nothing was added then.
    #[pyo3(signature = (offsets, data, *, missing=None))]
    fn update_arrow(
        &self,
        py: Python<'_>,
        offsets: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut batch = self.empty()?;
        strings::read_arrow(py, offsets, data, missing, &mut batch)?;
        self.absorb(&batch)
    }

    /// Adds one text.
    fn add(&self, text: &str) {
        self.0.with(|distinct| distinct.add(text));
    }

    /// The texts of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: the other has another lg_k.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        let merged = Self::of(self.0.get());
        merged.absorb(&other.0.get())?;
        Ok(merged)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// The number of different texts, with 95 % bounds.
    #[getter]
    fn estimate(&self) -> DistinctEstimate {
        self.0.with(|distinct| distinct.estimate()).into()
    }

    /// Base-2 logarithm of the number of registers.
    #[getter]
    fn lg_k(&self) -> u8 {
        self.0.with(|distinct| distinct.lg_k())
    }

    /// The bytes of an hll_sketch of type HLL_8 of Apache DataSketches, which many systems read.
    fn to_datasketches(&self) -> Vec<u8> {
        self.0.with(|distinct| distinct.to_datasketches())
    }

    /// The sketch in the bytes of an hll_sketch of any type, as other systems write them.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are no such sketch, or contradict themselves.
    #[staticmethod]
    fn from_datasketches(data: &[u8]) -> PyResult<Self> {
        core::DistinctCount::from_datasketches(data).map(Self::of).map_err(to_python)
    }

    /// The summary as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.with(|distinct| distinct.to_bytes())
    }

    /// The summary that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::DistinctCount::from_bytes(data).map(Self::of).map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let distinct = self.0.get();
        format!("DistinctCount(lg_k={}, estimate={:?})", distinct.lg_k(), distinct.estimate().value)
    }
}

impl DistinctCount {
    fn of(distinct: core::DistinctCount) -> Self {
        Self(Shared::new(distinct))
    }

    fn empty(&self) -> PyResult<core::DistinctCount> {
        core::DistinctCount::new(self.lg_k()).map_err(to_python)
    }

    fn absorb(&self, batch: &core::DistinctCount) -> PyResult<()> {
        self.0.with(|distinct| distinct.merge(batch)).map_err(to_python)
    }
}

impl Counter for core::DistinctCount {
    fn add(&mut self, label: &str, _: u64) {
        self.add(label);
    }

    fn add_missing(&mut self, _: u64) {}
}
