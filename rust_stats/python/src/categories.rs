//! Categories for Python.

use std::collections::HashSet;

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::distinct::DistinctEstimate;
use crate::errors::to_python;
use crate::shared::Shared;
use crate::strings::{self, Counter};

/// How often each label came, as a summary that grows and merges: exact as long as there are not too many labels.
///
/// The known labels, those of a baseline, always have exact counts. Of the others up to capacity are counted exactly.
/// Once there are more, the frequent ones are kept with an error bound (Misra and Gries 1982; Agarwal et al., PODS 2012)
/// of at most a share of 1 / (capacity // 2 + 1) of the values with unknown labels, and the number of labels is
/// estimated by a HyperLogLog sketch.
///
/// Labels are compared as they are, in no normal form of Unicode; the empty label is one as well. Labels of more than
/// 256 bytes of UTF-8 are texts rather than categories and are counted together, as oversized.
///
/// Args:
///     known: labels that are exact whatever comes, in the order of known_counts.
///     capacity: how many others are exact, from 2 to 65536.
///
/// Raises:
///     ValueError: a known label comes twice or is too long, or capacity is out of range.
///
/// Merging is commutative to the last bit, associative as long as counts are exact and otherwise within the bounds, and
/// never loses a value. Threads may share a summary: each update enters as a whole.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct Categories(Shared<core::Categories>);

#[pymethods]
impl Categories {
    #[new]
    #[pyo3(signature = (known=Vec::new(), *, capacity=core::Categories::CAPACITY))]
    #[pyo3(text_signature = "(known=[], *, capacity=256)")]
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn new(known: Vec<String>, capacity: usize) -> PyResult<Self> {
        core::Categories::new(&known, capacity).map(Self::of).map_err(to_python)
    }

    /// Counts labels.
    ///
    /// Args:
    ///     values: a list of str, in which None and a float NaN are missing; or a NumPy array of one dimension holding str
    ///         (dtype U), objects as in such a list, bool (labels "false" and "true") or int64 (decimal labels).
    ///     missing: boolean NumPy array of the same length, True where there is no value.
    ///
    /// Raises:
    ///     TypeError: something else, or something else in the list; the message names the place.
    ///     ValueError: a lone surrogate, which UTF-8 cannot express, not one dimension, or a mask of another length.
    ///         Nothing was counted then.
    ///
    /// The interpreter lock is held where Python objects are read, and released for other arrays.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut batch = self.0.with(|categories| categories.empty_like());
        strings::read(py, values, missing, &mut batch)?;
        self.absorb(&batch)
    }

    /// Counts the labels of a string column of Apache Arrow, with the interpreter lock released.
    ///
    /// Args:
    ///     offsets: NumPy array of int32 or int64, one more than there are labels: where each begins and the last ends.
    ///     data: the labels in UTF-8 one after the other; NumPy array of uint8, or bytes.
    ///     missing: boolean NumPy array with an entry for each label, True where there is none.
    ///
    /// Raises:
    ///     TypeError: offsets or data of another type.
    ///     ValueError: offsets that decrease or pass the end of data, bytes that are not UTF-8, or a mask of another length.
    ///         Nothing was counted then.
    #[pyo3(signature = (offsets, data, *, missing=None))]
    fn update_arrow(
        &self,
        py: Python<'_>,
        offsets: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut batch = self.0.with(|categories| categories.empty_like());
        strings::read_arrow(py, offsets, data, missing, &mut batch)?;
        self.absorb(&batch)
    }

    /// Counts one label, or None as missing.
    fn add(&self, label: Option<&str>) {
        self.0.with(|categories| match label {
            Some(label) => categories.add(label, 1),
            None => categories.add_missing(1),
        });
    }

    /// The counts of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: other known labels or another capacity.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        let merged = Self::of(self.0.get());
        merged.absorb(&other.0.get())?;
        Ok(merged)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// A summary of no values with the same known labels and capacity: adding it changes nothing.
    fn empty_like(&self) -> Self {
        Self::of(self.0.with(|categories| categories.empty_like()))
    }

    /// The same values without the names of labels that were not known beforehand: they are counted together, as
    /// oversized. It merges with what it merged with before.
    ///
    /// Args:
    ///     keep: labels that keep their names all the same, as long as is_exact.
    #[pyo3(signature = (keep=HashSet::new()))]
    #[pyo3(text_signature = "($self, keep=...)")]
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn pooled(&self, keep: HashSet<String>) -> Self {
        Self::of(self.0.with(|categories| categories.pooled(|label| keep.contains(label))))
    }

    /// All counts that are exact: those of the known labels in their order, with zeros, and as long as is_exact those of
    /// the others, the most frequent first. Together with other they add up to count.
    fn counts(&self) -> Vec<(String, u64)> {
        let owned = |(label, count): (&str, u64)| (label.to_owned(), count);
        self.0.with(|categories| categories.counts().into_iter().map(owned).collect())
    }

    /// The n labels with the highest lower bounds as (label, lower, upper), the highest first and equal ones in
    /// alphabetical order. A label that is not among all of them came at most error times.
    fn top(&self, n: usize) -> Vec<(String, u64, u64)> {
        let owned = |share: core::Share<'_>| (share.label.to_owned(), share.lower, share.upper);
        self.0.with(|categories| categories.top(n).into_iter().map(owned).collect())
    }

    /// The known labels, in their order.
    #[getter]
    fn known(&self) -> Vec<String> {
        self.0.with(|categories| categories.known().map(str::to_owned).collect())
    }

    /// The counts of the known labels, in their order; always exact.
    #[getter]
    fn known_counts(&self) -> Vec<u64> {
        self.0.with(|categories| categories.known_counts())
    }

    /// How many labels beside the known ones have exact counts.
    #[getter]
    fn capacity(&self) -> usize {
        self.0.with(|categories| categories.capacity())
    }

    /// Number of values with a label: total without missing and oversized.
    #[getter]
    fn count(&self) -> u64 {
        self.0.with(|categories| categories.count())
    }

    /// Number of values that are not there.
    #[getter]
    fn missing(&self) -> u64 {
        self.0.with(|categories| categories.missing())
    }

    /// Number of values with a label of more than 256 bytes.
    #[getter]
    fn oversized(&self) -> u64 {
        self.0.with(|categories| categories.oversized())
    }

    /// Number of all values seen: count + missing + oversized.
    #[getter]
    fn total(&self) -> u64 {
        self.0.with(|categories| categories.total())
    }

    /// Number of values with a label that is not in counts(); zero as long as is_exact.
    #[getter]
    fn other(&self) -> u64 {
        self.0.with(|categories| categories.other())
    }

    /// Whether all counts are exact: no more than capacity labels beside the known ones have come.
    #[getter]
    fn is_exact(&self) -> bool {
        self.0.with(|categories| categories.is_exact())
    }

    /// By how much at most the lower bound of a count is too low; zero as long as is_exact.
    #[getter]
    fn error(&self) -> u64 {
        self.0.with(|categories| categories.error())
    }

    /// The number of different labels that came, with 95 % bounds; exact as long as is_exact. Oversized ones are not in it.
    #[getter]
    fn distinct(&self) -> DistinctEstimate {
        self.0.with(|categories| categories.distinct()).into()
    }

    /// The summary as bytes with a version and a checksum: the labels with 2 to 3 bytes for each count, and 1 KiB more
    /// once is_exact is over.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.with(|categories| categories.to_bytes())
    }

    /// The summary that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Categories::from_bytes(data).map(Self::of).map_err(to_python)
    }

    fn __repr__(&self) -> String {
        let categories = self.0.get();
        format!(
            "Categories(count={}, missing={}, oversized={}, distinct={:?}, error={})",
            categories.count(),
            categories.missing(),
            categories.oversized(),
            categories.distinct().value,
            categories.error(),
        )
    }
}

impl Categories {
    /// The counts as they are now.
    pub fn get(&self) -> core::Categories {
        self.0.get()
    }

    pub fn of(categories: core::Categories) -> Self {
        Self(Shared::new(categories))
    }

    fn absorb(&self, batch: &core::Categories) -> PyResult<()> {
        self.0.with(|categories| categories.merge(batch)).map_err(to_python)
    }
}

impl Counter for core::Categories {
    #[inline]
    fn add(&mut self, label: &str, times: u64) {
        self.add(label, times);
    }

    fn add_missing(&mut self, times: u64) {
        self.add_missing(times);
    }
}
