//! Baselines for Python.

use std::sync::Arc;

use edge_aiops_stats_core as core;
use numpy::PyArray1;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::categories::Categories;
use crate::columns::{Given, in_column, items};
use crate::errors::to_python;
use crate::reference::{Reference, hexadecimal};

/// How often each label of a feature came in a reference: what later labels are compared with. Frozen.
///
/// Labels that came at least 60 times each are all known, the most frequent first, up to 1024. Where there are rarer
/// ones, a tenth of the reference, drawn at random, chooses the known ones, and the rest is what is compared with:
/// labels chosen for their counts would come less often later, and what they displace more often, with no drift at
/// all. Labels that the counts knew beforehand stay known. All others, and those
/// that are not counted exactly, are one cell together.
///
/// Args:
///     counted: the counts of the reference.
///
/// Raises:
///     ValueError: more than 1024 labels were known beforehand.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(Clone, PartialEq)]
pub struct CategoryReference(core::CategoryReference);

#[pymethods]
impl CategoryReference {
    #[new]
    fn new(counted: &Categories) -> PyResult<Self> {
        core::CategoryReference::of(&counted.get()).map(Self).map_err(to_python)
    }

    /// How often the known labels came in all of the reference, and how often none did.
    #[getter]
    fn categories(&self) -> Categories {
        Categories::of(self.0.counts().clone())
    }

    /// What later labels are compared with, uint64: for each known label and then for all other ones together,
    /// how often they came in the part of the reference that did not choose the known ones.
    #[getter]
    fn cells<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        PyArray1::from_slice(py, self.0.cells())
    }

    fn __repr__(&self) -> String {
        let counts = self.0.counts();
        format!("CategoryReference(labels={}, missing={})", counts.known().count(), counts.missing())
    }
}

/// What the features of a model are compared with: a reference for each, in the order of the model. Frozen.
///
/// Args:
///     columns: mapping from the features' names to their reference values: numbers as a NumPy array of float64,
///         float32, int64 or bool; labels as a list of str and None, or an array of str; either in a tuple
///         (values, missing) with a boolean mask; or a Reference, CategoryReference or Categories made before.
///     bins: how many bins numeric references get, 2 to 4096.
///     ranges: mapping from names of numeric features to (low, high), the values that they may have, both ends
///         included; infinities leave an end open. Others are counted as out of range.
///
/// Raises:
///     TypeError: a column of another type; the message names it.
///     ValueError: columns that cannot be, a range of an unknown or labelled feature or with its ends reversed.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(Clone, PartialEq)]
pub struct Baseline(pub Arc<core::Baseline>);

#[pymethods]
impl Baseline {
    #[new]
    #[pyo3(signature = (columns, *, bins=core::DEFAULT_BINS, ranges=None))]
    #[pyo3(text_signature = "(columns, *, bins=64, ranges=None)")]
    fn new(
        py: Python<'_>,
        columns: &Bound<'_, PyAny>,
        bins: usize,
        ranges: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut features = Vec::new();
        for (name, given) in items(columns, "columns")? {
            let feature = feature(py, &given, bins).map_err(in_column(py, &name))?;
            features.push((name, feature));
        }
        for (name, ends) in ranges.map(|ranges| items(ranges, "ranges")).transpose()?.unwrap_or_default() {
            let (low, high) = ends_of(&ends, &name)?;
            let feature = features.iter_mut().find(|(known, _)| *known == name);
            let Some((_, core::Feature::Numeric { range, .. })) = feature else {
                return Err(PyValueError::new_err(format!(
                    "ranges[{name:?}] is about no numeric feature; name one of columns"
                )));
            };
            *range = Some(core::Range::new(low, high).map_err(to_python)?);
        }
        core::Baseline::new(features).map(Arc::new).map(Self).map_err(to_python)
    }

    /// The baseline that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Baseline::from_bytes(data).map(Arc::new).map(Self).map_err(to_python)
    }

    /// The baseline as bytes with a version and a checksum, some 1,200 of them for each numeric feature.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The names of the features, in their order.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// What identifies it, 16 hexadecimal digits: XXH3 (64 bits) of everything in it.
    #[getter]
    fn digest(&self) -> String {
        hexadecimal(self.0.digest())
    }

    /// The range that a numeric feature may have, (low, high); None without one.
    ///
    /// Raises:
    ///     KeyError: there is no such feature.
    fn range(&self, name: &str) -> PyResult<Option<(f64, f64)>> {
        match self.feature(name)? {
            core::Feature::Numeric { range, .. } => Ok(range.map(|range| (range.low, range.high))),
            core::Feature::Category(_) => Ok(None),
        }
    }

    fn __len__(&self) -> usize {
        self.0.names().len()
    }

    fn __contains__(&self, name: &str) -> bool {
        self.0.place(name).is_some()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.feature(name)? {
            core::Feature::Numeric { reference, .. } => {
                Ok(Bound::new(py, Reference(reference.clone()))?.into_any())
            }
            core::Feature::Category(reference) => {
                Ok(Bound::new(py, CategoryReference(reference.clone()))?.into_any())
            }
        }
    }

    fn __repr__(&self) -> String {
        format!("Baseline(features={}, digest={:?})", self.0.names().len(), self.digest())
    }
}

impl Baseline {
    fn feature(&self, name: &str) -> PyResult<&core::Feature> {
        let place = self.0.place(name).and_then(|place| self.0.features().get(place));
        place.ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }
}

fn feature(py: Python<'_>, given: &Bound<'_, PyAny>, bins: usize) -> PyResult<core::Feature> {
    if let Ok(reference) = given.cast::<Reference>() {
        return Ok(core::Feature::Numeric { reference: reference.get().0.clone(), range: None });
    }
    if let Ok(reference) = given.cast::<CategoryReference>() {
        return Ok(core::Feature::Category(reference.get().0.clone()));
    }
    if let Ok(counted) = given.cast::<Categories>() {
        return labelled(&counted.get().get());
    }
    let given = Given::of(given)?;
    if given.is_text()? {
        let mut counted =
            core::Categories::new::<&str>(&[], core::Categories::LARGEST_CAPACITY).map_err(to_python)?;
        given.read_labels(&mut counted)?;
        if !counted.is_exact() {
            return Err(PyValueError::new_err(format!(
                "labels must be {} different ones at the most; leave out a feature whose labels are nearly all \
                 different",
                core::Categories::LARGEST_CAPACITY
            )));
        }
        return labelled(&counted);
    }
    let values = given.numbers()?.collected();
    let reference = py.detach(|| core::Reference::of(values, bins)).map_err(to_python)?;
    Ok(core::Feature::Numeric { reference, range: None })
}

/// Both ends of a range, as a pair of numbers.
fn ends_of(given: &Bound<'_, PyAny>, name: &str) -> PyResult<(f64, f64)> {
    match given.extract::<Vec<f64>>().as_deref() {
        Ok([low, high]) => Ok((*low, *high)),
        _ => Err(PyTypeError::new_err(format!(
            "ranges[{name:?}] must be (low, high), two numbers, not {}",
            given.repr()?
        ))),
    }
}

fn labelled(counted: &core::Categories) -> PyResult<core::Feature> {
    core::CategoryReference::of(counted).map(core::Feature::Category).map_err(to_python)
}
