//! The confusion matrix for Python.

use edge_aiops_stats_core::metrics as core;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::{MetricResult, computed, intervals};
use crate::column::{collected, counts};
use crate::errors::to_python;
use crate::matrix::shape;

/// How often which class was predicted where which class was right.
///
/// Made by confusion_matrix() from rows, or by ConfusionMatrix.of_counts() from known counts. Matrices of
/// parts of the rows add up, by +, to that of all rows: exactly and in any order. ConfusionMatrix() has no
/// rows. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.metrics")]
#[derive(Clone, PartialEq)]
pub struct ConfusionMatrix(core::ConfusionMatrix);

/// The confusion matrix of predictions beside labels.
///
/// Args:
///     labels: NumPy array of one dimension (float64, float32, int64 or bool) of whole numbers that name
///         classes; NaN where the label is not known.
///     predictions: NumPy array of the same length, of the same classes.
///
/// Returns:
///     The matrix, whose methods give accuracy, precision, recall and F1. Rows with a NaN are left out, and
///     each result warns of them.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, numbers that are not whole or beyond 2**53, or more than 1,000 classes.
#[pyfunction]
pub fn confusion_matrix(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    predictions: &Bound<'_, PyAny>,
) -> PyResult<ConfusionMatrix> {
    let labels = collected(labels, "labels")?;
    let predictions = collected(predictions, "predictions")?;
    py.detach(|| core::ConfusionMatrix::of(&labels, &predictions)).map(ConfusionMatrix).map_err(to_python)
}

#[pymethods]
impl ConfusionMatrix {
    #[new]
    fn new() -> Self {
        Self(core::ConfusionMatrix::default())
    }

    /// The matrix of known counts.
    ///
    /// Args:
    ///     classes: the classes, whole numbers, in the order of the rows and columns.
    ///     counts: NumPy array of two dimensions (int64 or uint64), a row for each class that was right and a
    ///         column for each that was predicted.
    ///
    /// Raises:
    ///     TypeError: counts is no NumPy array, or of another type.
    ///     ValueError: negative counts, not a row and a column for each class, a class named twice, or more
    ///         than 1,000 classes.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 hands it over")]
    fn of_counts(classes: Vec<i64>, counts: &Bound<'_, PyAny>) -> PyResult<Self> {
        if shape(counts).is_some_and(|shape| shape != [classes.len(); 2]) {
            return Err(PyValueError::new_err(format!(
                "counts must have a row and a column for each of the {} classes, not the shape {}",
                classes.len(),
                counts.getattr("shape")?
            )));
        }
        let flat = if shape(counts).is_some() { &counts.call_method1("reshape", (-1,))? } else { counts };
        let flat = self::counts(flat, "counts")?;
        core::ConfusionMatrix::of_counts(&classes, &flat).map(Self).map_err(to_python)
    }

    /// The matrix of the rows of both; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: they have more than 1,000 classes together.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// The classes that occur, as label or as prediction, ascending.
    #[getter]
    fn classes(&self) -> Vec<i64> {
        self.0.classes()
    }

    /// For each class, a row, how often each class, a column, was predicted: uint64 of two dimensions.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let classes = self.0.classes().len();
        PyArray1::from_vec(py, self.0.counts()).reshape([classes, classes])
    }

    /// Rows that entered.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Share of the rows whose class was predicted, with Wilson's interval.
    ///
    /// Args:
    ///     confidence: the probability with which such an interval holds the truth.
    ///
    /// Raises:
    ///     ValueError: no such confidence.
    ///
    /// The interval: Wilson, JASA 22 (1927).
    #[pyo3(signature = (*, confidence=0.95))]
    fn accuracy(&self, py: Python<'_>, confidence: f64) -> PyResult<MetricResult> {
        let intervals = intervals(0, 0, confidence)?;
        computed(py, || Ok(self.0.accuracy(&intervals)))
    }

    /// Share of the rows predicted as a class that are of that class.
    ///
    /// Args:
    ///     of: the class whose precision is wanted, against all others; or "macro", the mean over classes;
    ///         "weighted", the mean weighted by how many rows each class really has; "micro", all classes
    ///         together, which is the accuracy.
    ///     resamples, seed: of the bootstrap for "macro" and "weighted"; 0 resamples for no interval there.
    ///         One class and "micro" have Wilson's interval, which needs none.
    ///     confidence: the probability with which such an interval holds the truth.
    ///
    /// Returns:
    ///     The precision; None with a warning ("undefined") if the class was never predicted. In an average a
    ///     class without one counts as 0, as in scikit-learn, and a warning ("undefined_classes") says how
    ///     many did.
    ///
    /// Raises:
    ///     ValueError: no such average, or such options.
    #[pyo3(
        signature = (of=Of::Class(1), *, resamples=1000, seed=0, confidence=0.95),
        text_signature = "($self, of=1, *, resamples=1000, seed=0, confidence=0.95)"
    )]
    fn precision(
        &self,
        py: Python<'_>,
        of: Of,
        resamples: usize,
        seed: u64,
        confidence: f64,
    ) -> PyResult<MetricResult> {
        let (average, intervals) = (of.average()?, intervals(resamples, seed, confidence)?);
        computed(py, || Ok(self.0.precision(average, &intervals)))
    }

    /// Share of the rows of a class that were predicted as that class.
    ///
    /// Args:
    ///     of: the class whose recall is wanted, against all others; or "macro", the mean over classes;
    ///         "weighted", the mean weighted by how many rows each class really has; "micro", all classes
    ///         together, which is the accuracy.
    ///     resamples, seed: of the bootstrap for "macro" and "weighted"; 0 resamples for no interval there.
    ///         One class and "micro" have Wilson's interval, which needs none.
    ///     confidence: the probability with which such an interval holds the truth.
    ///
    /// Returns:
    ///     The recall; None with a warning ("undefined") if no row is of the class. In an average a
    ///     class without one counts as 0, as in scikit-learn, and a warning ("undefined_classes") says how
    ///     many did.
    ///
    /// Raises:
    ///     ValueError: no such average, or such options.
    #[pyo3(
        signature = (of=Of::Class(1), *, resamples=1000, seed=0, confidence=0.95),
        text_signature = "($self, of=1, *, resamples=1000, seed=0, confidence=0.95)"
    )]
    fn recall(
        &self,
        py: Python<'_>,
        of: Of,
        resamples: usize,
        seed: u64,
        confidence: f64,
    ) -> PyResult<MetricResult> {
        let (average, intervals) = (of.average()?, intervals(resamples, seed, confidence)?);
        computed(py, || Ok(self.0.recall(average, &intervals)))
    }

    /// The harmonic mean of precision and recall.
    ///
    /// Args:
    ///     of: the class whose f1 is wanted, against all others; or "macro", the mean over classes;
    ///         "weighted", the mean weighted by how many rows each class really has; "micro", all classes
    ///         together, which is the accuracy.
    ///     resamples, seed: of the bootstrap for "macro" and "weighted"; 0 resamples for no interval there.
    ///         One class and "micro" have Wilson's interval, which needs none.
    ///     confidence: the probability with which such an interval holds the truth.
    ///
    /// Returns:
    ///     The f1; None with a warning ("undefined") if the class neither occurs nor was predicted. In an
    ///     average a class without one counts as 0, as in scikit-learn, and a warning ("undefined_classes")
    ///     says how many did.
    ///
    /// Raises:
    ///     ValueError: no such average, or such options.
    #[pyo3(
        signature = (of=Of::Class(1), *, resamples=1000, seed=0, confidence=0.95),
        text_signature = "($self, of=1, *, resamples=1000, seed=0, confidence=0.95)"
    )]
    fn f1(
        &self,
        py: Python<'_>,
        of: Of,
        resamples: usize,
        seed: u64,
        confidence: f64,
    ) -> PyResult<MetricResult> {
        let (average, intervals) = (of.average()?, intervals(resamples, seed, confidence)?);
        computed(py, || Ok(self.0.f1(average, &intervals)))
    }

    fn __repr__(&self) -> String {
        format!("ConfusionMatrix(classes={:?}, n={})", self.0.classes(), self.0.n())
    }
}

/// A class, or the name of an average.
enum Of {
    Class(i64),
    Average(String),
}

impl FromPyObject<'_, '_> for Of {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(class) = given.extract() {
            return Ok(Self::Class(class));
        }
        given.extract().map(Self::Average).map_err(|_| {
            PyTypeError::new_err(format!(
                "of must be a class, an integer of 64 bits, or \"macro\", \"micro\" or \"weighted\", not {}",
                given.get_type()
            ))
        })
    }
}

impl Of {
    fn average(self) -> PyResult<core::Average> {
        match self {
            Self::Class(class) => Ok(core::Average::Class(class)),
            Self::Average(name) => match name.as_str() {
                "macro" => Ok(core::Average::Macro),
                "micro" => Ok(core::Average::Micro),
                "weighted" => Ok(core::Average::Weighted),
                other => Err(PyValueError::new_err(format!(
                    "of must be a class, 'macro', 'micro' or 'weighted', not {other:?}"
                ))),
            },
        }
    }
}
