//! Profiles for Python.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::thread;

use edge_aiops_stats_core as core;
use numpy::{PyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::baseline::Baseline;
use crate::bytes::all_bytes;
use crate::categories::Categories;
use crate::column::Column;
use crate::columns::{Given, as_mapping, in_column, item};
use crate::errors::to_python;
use crate::moments::Moments;
use crate::quantiles::Quantiles;
use crate::reference::Histogram;
use crate::shared::Shared;

/// Fewer numbers than this are not worth a second thread.
const WORTH_A_THREAD: usize = 100_000;

/// The summary of a numeric feature: moments, counts on the baseline's bins, and on demand a quantile sketch.
/// Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(Clone, PartialEq)]
pub struct NumericSummary(core::NumericSummary);

#[pymethods]
impl NumericSummary {
    /// Counts, mean, variance, shape and extremes.
    #[getter]
    fn moments(&self) -> Moments {
        Moments(*self.0.moments())
    }

    /// Number of finite values outside the range that the baseline gives; 0 without one.
    #[getter]
    fn out_of_range(&self) -> u64 {
        self.0.out_of_range()
    }

    /// Counts on the baseline's bins.
    #[getter]
    fn histogram(&self) -> Histogram {
        Histogram(self.0.histogram().clone())
    }

    /// The quantile sketch; None unless the profile was made with quantiles=True.
    #[getter]
    fn quantiles(&self) -> Option<Quantiles> {
        self.0.quantiles().cloned().map(Quantiles::of)
    }

    fn __repr__(&self) -> String {
        let moments = self.0.moments();
        format!(
            "NumericSummary(count={}, missing={}, out_of_range={})",
            moments.count(),
            moments.missing() + moments.nan(),
            self.0.out_of_range()
        )
    }
}

/// The summaries of all features of a model over some span of time, updated in one call.
///
/// Memory is constant: it depends on the baseline, not on how much is summarised. Profiles of the same baseline
/// merge, by minute, by day, over a fleet. Threads may share a profile: each update enters as a whole.
///
/// Args:
///     baseline: the references of all features.
///     quantiles: whether numeric features get a quantile sketch as well, some 30 ns a value.
#[pyclass(frozen, module = "edge_aiops.stats.summaries")]
pub struct Profile {
    shared: Shared<core::Profile>,
    baseline: Baseline,
    with_quantiles: bool,
    /// Of all features, and whether they have labels.
    names: Vec<(Py<PyString>, bool)>,
}

#[pymethods]
impl Profile {
    #[new]
    #[pyo3(signature = (baseline, *, quantiles=false))]
    fn new(py: Python<'_>, baseline: &Baseline, quantiles: bool) -> Self {
        Self::of(py, core::Profile::new(baseline.0.clone(), quantiles))
    }

    /// The profile that to_bytes() wrote.
    ///
    /// Args:
    ///     data: the bytes.
    ///     baseline: the baseline that it was made with; the bytes name it by its digest.
    ///
    /// Raises:
    ///     IncompatibleSummaries: it was made with another baseline.
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8], baseline: &Baseline) -> PyResult<Self> {
        let read = core::Profile::from_bytes(data, baseline.0.clone()).map_err(to_python)?;
        Ok(Self::of(py, read))
    }

    /// The profile as bytes with a version and a checksum, some 90 for each numeric feature at 300 events.
    fn to_bytes(&self) -> Vec<u8> {
        self.shared.with(core::Profile::to_bytes)
    }

    /// Summarise columns.
    ///
    /// Args:
    ///     columns: record batch or table of Apache Arrow, or mapping from the names of all features of the baseline,
    ///         and perhaps others, which are ignored, to columns of the same length: an array of Arrow; numbers as a NumPy array of float64, float32, int64 or bool; labels
    ///         as a list of str and None, or an array of str; either in a tuple (values, missing) with a boolean
    ///         mask, True where there is no value.
    ///     threads: how many threads share the work where it is worth it, 1 to 64.
    ///
    /// Raises:
    ///     TypeError: a column of another type than the baseline's; the message names it.
    ///     ValueError: a feature without a column, or columns of different lengths. Nothing was added then.
    ///
    /// The interpreter lock is released while numbers are read.
    #[pyo3(signature = (columns, *, threads=1))]
    fn update(&self, py: Python<'_>, columns: &Bound<'_, PyAny>, threads: usize) -> PyResult<()> {
        let mapping = as_mapping(columns, "columns")?;
        let names = self.baseline.0.names();
        let given = names.iter().map(|name| item(&mapping, name)).collect::<PyResult<Vec<_>>>()?;
        self.add(py, &given, threads)
    }

    /// Summarise rows of numbers.
    ///
    /// Args:
    ///     rows: NumPy array of two dimensions, an event a row and a feature a column, in the order of the
    ///         baseline's names; float64, float32, int64 or bool. NaN where there is no value. Best in C order;
    ///         another order is copied.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, or other elements.
    ///     ValueError: not two dimensions, another number of columns, or a baseline with labels. Nothing was added
    ///         then.
    fn update_rows(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        let (shape, features) = (shape_of(rows)?, self.names.len());
        if shape.len() != 2 || shape.last() != Some(&features) {
            return Err(PyValueError::new_err(format!(
                "rows must have the shape (events, {features}), not {shape:?}; give every feature a column"
            )));
        }
        let flat = Column::named("rows", &rows.call_method1("reshape", (-1,))?, "missing", None)?;
        let batch = core::Profile::new(self.baseline.0.clone(), self.with_quantiles);
        let mut cells = Cells { row: Vec::with_capacity(features), batch };
        cells = flat.fold(py, cells, |mut cells, values, _| {
            cells.add(features, values)?;
            Ok(cells)
        })?;
        self.shared.with(|profile| profile.merge(&mut cells.batch)).map_err(to_python)
    }

    /// Summarise one event.
    ///
    /// Args:
    ///     event: dict from names of features to a number, a label, or None; other names are ignored. A feature
    ///         that is not in it is missing. Integers and flags are labels too where the feature has labels.
    ///
    /// Raises:
    ///     TypeError: not a dict, or a value that is neither a number nor a text; the message names the feature.
    ///     ValueError: a label for a numeric feature or a number for one with labels. Nothing was added then.
    fn update_event(&self, event: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = event.py();
        let (mut numbers, mut labels) = (Vec::with_capacity(self.names.len()), Vec::new());
        for (place, (name, labelled)) in self.names.iter().enumerate() {
            let Some(value) = event.get_item(name.bind(py))? else {
                numbers.push(core::MISSING);
                continue;
            };
            match value_of(&value, *labelled, name)? {
                Found::Number(number) => numbers.push(number),
                Found::Missing => numbers.push(core::MISSING),
                Found::Label => {
                    numbers.push(core::MISSING);
                    labels.push((place, name, as_label(value, name)?));
                }
            }
        }
        let texts = labels.iter().map(|(place, name, label)| Ok((*place, text_of(label, name)?)));
        let texts = texts.collect::<PyResult<Vec<_>>>()?;
        self.shared.with(|profile| profile.add_event(&numbers, &texts)).map_err(to_python)
    }

    /// Summarise one event given as a row of numbers.
    ///
    /// Args:
    ///     row: NumPy array of one dimension, a number for each feature in the order of the baseline's names;
    ///         float64, float32, int64 or bool. NaN where there is no value.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array or other elements.
    ///     ValueError: another length, or a baseline with labels. Nothing was added then.
    fn update_row(&self, row: &Bound<'_, PyAny>) -> PyResult<()> {
        let row = Column::named("row", row, "missing", None)?;
        if row.length() != self.names.len() {
            return Err(PyValueError::new_err(format!(
                "row must have {} numbers, one for each feature, not {}",
                self.names.len(),
                row.length()
            )));
        }
        let numbers = row.collected();
        self.shared.with(|profile| profile.add_rows(&numbers)).map_err(to_python)
    }

    /// The summaries of both together; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: they are on different baselines, or only one has quantile sketches.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        let (mut merged, mut added) = (self.shared.get(), other.shared.get());
        py.detach(|| merged.merge(&mut added)).map_err(to_python)?;
        Ok(Self::of(py, merged))
    }

    fn __add__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        self.merge(py, other)
    }

    /// The summaries of many profiles together: the same as adding them one by one, but only the first is copied.
    ///
    /// Args:
    ///     profiles: an iterable of at least one profile. A generator may read them from bytes, so that no more than
    ///         two are in memory at a time.
    ///
    /// Raises:
    ///     TypeError: not an iterable of profiles.
    ///     ValueError: there is none.
    ///     IncompatibleSummaries: they are on different baselines, or only some have quantile sketches.
    #[staticmethod]
    fn merge_all(py: Python<'_>, profiles: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut merged = None;
        let profiles = profiles.try_iter().map_err(|_| {
            PyTypeError::new_err(format!(
                "profiles must be an iterable of Profile, not {}",
                profiles.get_type()
            ))
        })?;
        for profile in profiles {
            let profile = profile?;
            let Ok(profile) = profile.cast::<Self>() else {
                let found = profile.get_type();
                return Err(PyTypeError::new_err(format!("profiles must hold Profile, not {found}")));
            };
            let added = &profile.get().shared;
            match &mut merged {
                None => merged = Some(added.get()),
                Some(merged) => {
                    py.detach(|| added.with(|added| merged.merge(added))).map_err(to_python)?;
                }
            }
        }
        let merged = merged.ok_or_else(|| {
            PyValueError::new_err("profiles must hold at least one; begin with Profile(baseline)")
        })?;
        Ok(Self::of(py, merged))
    }

    /// The same profile without the names of labels that the baseline does not have; they are counted together, as
    /// oversized. It merges with what it merged with before.
    ///
    /// Args:
    ///     keep: by feature, labels that keep their names all the same.
    #[pyo3(signature = (keep=HashMap::new()))]
    #[pyo3(text_signature = "($self, keep={})")]
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn pooled(&self, py: Python<'_>, keep: HashMap<String, HashSet<String>>) -> Self {
        let keeps = |feature: &str, label: &str| keep.get(feature).is_some_and(|kept| kept.contains(label));
        Self::of(py, self.shared.with(|profile| profile.pooled(keeps)))
    }

    /// What to_bytes() wrote of many profiles, together: as merge_all of what from_bytes() reads of each, in one call,
    /// with the interpreter lock released.
    ///
    /// Args:
    ///     parts: a sequence of bytes; of none it is Profile(baseline).
    ///     baseline: the baseline that all of them were made with.
    ///
    /// Raises:
    ///     TypeError: not a sequence of bytes.
    ///     IncompatibleSummaries: some were made with another baseline, or only some have quantile sketches.
    ///     UnreadableSummary: some are foreign, damaged, of another statistic or version, or contradict themselves.
    #[staticmethod]
    fn merge_bytes(py: Python<'_>, parts: &Bound<'_, PyAny>, baseline: &Baseline) -> PyResult<Self> {
        let parts = all_bytes(parts)?;
        let merged = py.detach(|| core::Profile::merge_bytes(parts.iter().map(AsRef::as_ref), &baseline.0));
        merged.map(|merged| Self::of(py, merged)).map_err(to_python)
    }

    /// A baseline with the same bins and these counts: how a span of production becomes the reference.
    ///
    /// Raises:
    ///     IncompatibleSummaries: a tenth of a feature's values or more lies beyond the edges of its bins.
    ///     ValueError: a feature has too many labels.
    fn as_baseline(&self) -> PyResult<Baseline> {
        let baseline = self.shared.with(core::Profile::as_baseline).map_err(to_python)?;
        Ok(Baseline(baseline.into()))
    }

    /// The baseline that it was made with.
    #[getter]
    fn baseline(&self) -> Baseline {
        self.baseline.clone()
    }

    /// Number of rows and events summarised.
    #[getter]
    fn rows(&self) -> u64 {
        self.shared.with(|profile| profile.rows())
    }

    /// For each feature an array of uint64: of numbers the counts of its histogram, of labels those of each label
    /// that the baseline knows, of all other ones together, and of missing ones.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyArray1<u64>>> {
        let counts = |profile: &mut core::Profile| -> Vec<_> {
            profile.summaries().iter().map(core::Summary::counts).collect()
        };
        self.shared.with(counts).into_iter().map(|counts| PyArray1::from_vec(py, counts)).collect()
    }

    fn __len__(&self) -> usize {
        self.names.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let place = self.baseline.0.place(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))?;
        match self.shared.with(|profile| profile.summaries().get(place).cloned()) {
            Some(core::Summary::Numeric(summary)) => Ok(Bound::new(py, NumericSummary(summary))?.into_any()),
            Some(core::Summary::Category(labels)) => Ok(Bound::new(py, Categories::of(labels))?.into_any()),
            None => Err(PyKeyError::new_err(name.to_owned())),
        }
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.baseline == other.baseline && self.to_bytes() == other.to_bytes()
    }

    fn __repr__(&self) -> String {
        format!("Profile(features={}, rows={})", self.names.len(), self.rows())
    }
}

impl Profile {
    pub fn of(py: Python<'_>, profile: core::Profile) -> Self {
        let baseline = Baseline(profile.baseline().clone());
        let features = baseline.0.names().iter().zip(baseline.0.features());
        let names = features.map(|(name, feature)| {
            (PyString::intern(py, name).unbind(), matches!(feature, core::Feature::Category(_)))
        });
        let names = names.collect();
        Self { with_quantiles: profile.with_quantiles(), shared: Shared::new(profile), baseline, names }
    }

    pub fn get(&self) -> core::Profile {
        self.shared.get()
    }

    /// Adds a column for each feature, all or nothing.
    fn add(&self, py: Python<'_>, given: &[Given<'_>], threads: usize) -> PyResult<()> {
        if !(1..=64).contains(&threads) {
            return Err(PyValueError::new_err(format!("threads must be 1 to 64, not {threads}")));
        }
        let names = self.baseline.0.names();
        let mut batch = core::Profile::new(self.baseline.0.clone(), self.with_quantiles);
        let (mut numbers, mut lengths) = (Vec::new(), Vec::with_capacity(given.len()));
        for ((mut column, given), name) in batch.columns().zip(given).zip(names) {
            let refusal = in_column(py, name);
            if let Some(labels) = column.labels() {
                given.read_labels(labels).map_err(&refusal)?;
                lengths.push(given.length());
            } else {
                let values = given.numbers().map_err(&refusal)?;
                lengths.push(values.length());
                numbers.push((column, values));
            }
        }
        let rows = same_length(names, &lengths)?;
        let work: Vec<_> = numbers.iter_mut().map(|(column, values)| (column, values.ready())).collect();
        let threads = if rows.saturating_mul(work.len()) < WORTH_A_THREAD { 1 } else { threads };
        py.detach(|| {
            let work = Mutex::new(work.into_iter());
            let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
            let share = || {
                while let Some((column, ready)) = next() {
                    ready.fold(column, |column, values, missing| {
                        column.add_numbers(values, missing)?;
                        Ok(column)
                    })?;
                }
                Ok(())
            };
            thread::scope(|scope| {
                let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
                let mine = share();
                others.into_iter().fold(mine, |so_far, other| {
                    so_far
                        .and_then(|()| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                })
            })?;
            Ok(())
        })
        .map_err(to_python)?;
        batch.count_rows(rows as u64);
        self.shared.with(|profile| profile.merge(&mut batch)).map_err(to_python)
    }
}

/// How many values all columns have.
fn same_length(names: &[String], lengths: &[usize]) -> PyResult<usize> {
    let mut columns = names.iter().zip(lengths);
    let Some((first, rows)) = columns.next() else { return Ok(0) };
    match columns.find(|(_, length)| *length != rows) {
        Some((other, length)) => Err(PyValueError::new_err(format!(
            "columns must be of the same length, but {first:?} has {rows} values and {other:?} {length}"
        ))),
        None => Ok(*rows),
    }
}

/// What an event holds for a feature.
enum Found {
    Number(f64),
    Label,
    Missing,
}

#[inline]
fn value_of(value: &Bound<'_, PyAny>, labelled: bool, name: &Py<PyString>) -> PyResult<Found> {
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        let is_gap = labelled && number.value().is_nan();
        return Ok(if is_gap { Found::Missing } else { Found::Number(number.value()) });
    }
    if value.is_none() {
        return Ok(Found::Missing);
    }
    if value.is_instance_of::<PyString>() || labelled && is_whole(value)? {
        return Ok(Found::Label);
    }
    match value.extract() {
        Ok(number) => Ok(Found::Number(number)),
        // An integer beyond the range of float64 is infinite, as it is for JSON.
        Err(_) if value.is_instance_of::<PyInt>() => {
            Ok(Found::Number(if value.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY }))
        }
        Err(_) => Err(no_value(value, name)),
    }
}

fn no_value(value: &Bound<'_, PyAny>, name: &Py<PyString>) -> PyErr {
    let found = value.get_type().name().map_or_else(|_| "another".into(), |found| found.to_string());
    let name = name.bind(value.py());
    PyTypeError::new_err(format!("event[{name:?}] must be a number, a text or None, not {found}"))
}

/// Whether it is an integer or a flag, of Python or of NumPy.
fn is_whole(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.is_instance_of::<PyInt>() || value.hasattr("__index__")? || is_flag(value)?)
}

fn is_flag(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.is_instance_of::<PyBool>() || value.get_type().name()?.to_str()?.starts_with("bool"))
}

/// A label as UTF-8.
fn text_of<'label>(label: &'label Bound<'_, PyString>, name: &Py<PyString>) -> PyResult<&'label str> {
    label.to_str().map_err(|_| {
        PyValueError::new_err(format!(
            "event[{:?}] must be a text that UTF-8 can express; decode it with errors='replace'",
            name.bind(label.py())
        ))
    })
}

/// A text as it is, integers and flags as the labels that arrays of them have.
fn as_label<'py>(value: Bound<'py, PyAny>, name: &Py<PyString>) -> PyResult<Bound<'py, PyString>> {
    match value.cast_into::<PyString>() {
        Ok(text) => Ok(text),
        Err(other) => {
            let whole = other.into_inner();
            if is_flag(&whole)? {
                return Ok(PyString::new(whole.py(), if whole.is_truthy()? { "true" } else { "false" }));
            }
            whole.call_method0("__index__").map_err(|_| no_value(&whole, name))?.str()
        }
    }
}

/// Rows that come in blocks which end anywhere.
struct Cells {
    /// The beginning of a row whose end is in the next block.
    row: Vec<f64>,
    batch: core::Profile,
}

impl Cells {
    fn add(&mut self, features: usize, values: &[f64]) -> Result<(), core::Error> {
        let open = if self.row.is_empty() { 0 } else { (features - self.row.len()).min(values.len()) };
        let (first, rest) = values.split_at(open);
        self.row.extend(first);
        if self.row.len() == features {
            self.batch.add_rows(&self.row)?;
            self.row.clear();
        }
        let (whole, begun) = rest.split_at(rest.len() - rest.len() % features);
        self.row.extend(begun);
        self.batch.add_rows(whole)
    }
}

fn shape_of(rows: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let array = rows.cast::<PyUntypedArray>().map_err(|_| {
        let found = rows.get_type();
        PyTypeError::new_err(format!(
            "rows must be a NumPy array of two dimensions, not {found}; pass numpy.asarray(rows)"
        ))
    })?;
    Ok(array.shape().to_vec())
}
