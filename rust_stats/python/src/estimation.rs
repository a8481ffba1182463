//! Performance without labels for Python.

use edge_aiops_stats_core::Warning;
use edge_aiops_stats_core::estimation as core;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::collected;
use crate::errors::to_python;
use crate::matrix::{Matrix, shape};
use crate::result::ResultWarning;

/// A metric as it is expected to be, with bounds for what it may turn out to be by chance.
///
/// Where the metric is not defined for what was predicted, or there are no rows, value is None and a warning
/// says why. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.estimation")]
#[derive(Clone, PartialEq)]
pub struct Estimate(core::Estimate);

#[pymethods]
impl Estimate {
    /// Which metric, for example "accuracy".
    #[getter]
    fn metric(&self) -> &'static str {
        self.0.metric
    }

    /// The metric expected; None where it is not defined, and then a warning says why.
    #[getter]
    fn value(&self) -> Option<f64> {
        self.0.value
    }

    /// Standard deviation of the metric on so many rows, from the spread on the reference; None where that
    /// has none to tell.
    #[getter]
    fn sampling_error(&self) -> Option<f64> {
        self.0.sampling_error
    }

    /// The value less three sampling errors, within what the metric can be.
    #[getter]
    fn low(&self) -> Option<f64> {
        self.0.low
    }

    /// The value and three sampling errors, within what the metric can be.
    #[getter]
    fn high(&self) -> Option<f64> {
        self.0.high
    }

    /// Rows that entered.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n
    }

    /// What to know before relying on it; empty where all is well.
    #[getter]
    fn warnings(&self) -> Vec<ResultWarning> {
        self.0.warnings.iter().cloned().map(ResultWarning).collect()
    }

    fn __repr__(&self) -> String {
        let number = |number: Option<f64>| number.map_or_else(|| "None".into(), |it| format!("{it:?}"));
        let warnings: Vec<_> = self.0.warnings.iter().map(Warning::code).collect();
        format!(
            "Estimate(metric={:?}, value={}, sampling_error={}, low={}, high={}, n={}, warnings={warnings:?})",
            self.0.metric,
            number(self.0.value),
            number(self.0.sampling_error),
            number(self.0.low),
            number(self.0.high),
            self.0.n,
        )
    }
}

/// The metrics that a classifier is expected to have on some rows. Frozen.
///
/// With probabilities of one class, precision, recall, F1 and ROC AUC are those of class 1; with
/// probabilities of all classes they are the means over classes ("macro", one class against the others).
#[pyclass(frozen, eq, module = "edge_aiops.stats.estimation")]
#[derive(Clone, PartialEq)]
pub struct PerformanceEstimate(core::PerformanceEstimate);

#[pymethods]
impl PerformanceEstimate {
    /// Share of rows whose class was predicted.
    #[getter]
    fn accuracy(&self) -> Estimate {
        Estimate(self.0.accuracy.clone())
    }

    /// Share of the rows predicted as a class that are of it.
    #[getter]
    fn precision(&self) -> Estimate {
        Estimate(self.0.precision.clone())
    }

    /// Share of the rows of a class that were predicted as it.
    #[getter]
    fn recall(&self) -> Estimate {
        Estimate(self.0.recall.clone())
    }

    /// Harmonic mean of precision and recall.
    #[getter]
    fn f1(&self) -> Estimate {
        Estimate(self.0.f1.clone())
    }

    /// Area under the ROC curve.
    #[getter]
    fn roc_auc(&self) -> Estimate {
        Estimate(self.0.roc_auc.clone())
    }

    /// Expected rows for each class, a row, and predicted class, a column: float64 of two dimensions.
    #[getter]
    fn confusion<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        PyArray1::from_slice(py, &self.0.confusion).reshape([self.0.classes, self.0.classes])
    }

    fn __repr__(&self) -> String {
        let shown =
            [&self.0.accuracy, &self.0.precision, &self.0.recall, &self.0.f1, &self.0.roc_auc].map(|it| {
                let value = it.value.map_or_else(|| "None".into(), |value| format!("{value:?}"));
                format!("{}={value}", it.metric.replace(' ', "_"))
            });
        format!("PerformanceEstimate({}, n={})", shown.join(", "), self.0.accuracy.n)
    }
}

/// What a reference says of a classifier, so that its metrics can be estimated before labels are there
/// (CBPE).
///
/// Made by PerformanceEstimator.fit(), read back by PerformanceEstimator.from_bytes(). Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.estimation")]
#[derive(PartialEq)]
pub struct PerformanceEstimator(core::PerformanceEstimator);

#[pymethods]
impl PerformanceEstimator {
    /// Learns from a reference: rows whose labels are known and on which the model was not trained.
    ///
    /// Args:
    ///     probabilities: NumPy array of one dimension, how probable class 1 was said to be; or of two
    ///         dimensions, with a column for each class, whose rows add up to 1 within 0.01.
    ///     predictions: NumPy array with the number of the class predicted in each row, from 0.
    ///     labels: NumPy array with the number of the class that was right in each row.
    ///
    /// Returns:
    ///     The estimator. Probabilities are calibrated by isotonic regression, of each class against the
    ///     others, where that lowers their calibration error on rows held out. Rows with a NaN are left out.
    ///
    /// Raises:
    ///     TypeError: not NumPy arrays, masked ones, or elements of another type.
    ///     ValueError: other lengths, labels or predictions that are no class, probabilities outside of 0 and
    ///         1 or that do not add up to 1, or no complete row.
    ///
    /// As NannyML estimates: arXiv 2401.08348.
    #[staticmethod]
    fn fit(
        py: Python<'_>,
        probabilities: &Bound<'_, PyAny>,
        predictions: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (probabilities, classes) = told(probabilities)?;
        let (predictions, labels) = (collected(predictions, "predictions")?, collected(labels, "labels")?);
        py.detach(|| core::PerformanceEstimator::fit(probabilities, classes, predictions, labels))
            .map(Self)
            .map_err(to_python)
    }

    /// The metrics expected on new rows.
    ///
    /// Args:
    ///     probabilities, predictions: as on the reference. The more rows, the smaller the sampling error.
    ///
    /// Returns:
    ///     Accuracy, precision, recall, F1 and ROC AUC, each with its sampling error and bounds, and the
    ///     expected confusion matrix. Rows with a NaN are left out, with a warning.
    ///
    /// Raises:
    ///     TypeError, ValueError: as for fit(), or another number of classes than on the reference.
    fn estimate(
        &self,
        py: Python<'_>,
        probabilities: &Bound<'_, PyAny>,
        predictions: &Bound<'_, PyAny>,
    ) -> PyResult<PerformanceEstimate> {
        let (probabilities, classes) = told(probabilities)?;
        let predictions = collected(predictions, "predictions")?;
        py.detach(|| self.0.estimate(probabilities, classes, predictions))
            .map(PerformanceEstimate)
            .map_err(to_python)
    }

    /// How many classes there are.
    #[getter]
    fn classes(&self) -> usize {
        self.0.classes()
    }

    /// Rows of the reference that were learnt from.
    #[getter]
    fn n_reference(&self) -> u64 {
        self.0.n_reference()
    }

    /// Whether probabilities are calibrated: of class 1 with one column, else of each class.
    #[getter]
    fn calibrated(&self) -> Vec<bool> {
        self.0.calibrated()
    }

    /// The estimator that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::PerformanceEstimator::from_bytes(data).map(Self).map_err(to_python)
    }

    /// The estimator as bytes with a version and a checksum; the same on every machine.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn __repr__(&self) -> String {
        format!("PerformanceEstimator(classes={}, n_reference={})", self.0.classes(), self.0.n_reference())
    }
}

/// What a reference says of a regressor, so that its loss can be estimated before labels are there (DLE).
///
/// Made by LossEstimator.fit(), read back by LossEstimator.from_bytes(). Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.estimation")]
#[derive(PartialEq)]
pub struct LossEstimator(core::LossEstimator);

#[pymethods]
impl LossEstimator {
    /// Learns from a reference: rows whose labels are known and on which the model was not trained.
    ///
    /// Args:
    ///     features: NumPy array of two dimensions, a row for each prediction and a column for each feature
    ///         (float64, float32, int64 or bool); categories as whole numbers. NaN is learnt from like any
    ///         value.
    ///     predictions: NumPy array with the prediction of each row.
    ///     labels: NumPy array with what was true, in the same unit.
    ///     metric: "mean_absolute_error", "mean_squared_error" or "root_mean_squared_error".
    ///
    /// Returns:
    ///     The estimator. Rows whose label or prediction is not finite are left out.
    ///
    /// Raises:
    ///     TypeError: not NumPy arrays, masked ones, or elements of another type.
    ///     ValueError: other lengths, no column, no complete row, no such metric, or errors whose squares
    ///         exceed the range of float64.
    ///
    /// The errors are learnt by gradient-boosted trees: Friedman, Annals of Statistics 29 (2001); Ke et al.,
    /// NeurIPS (2017).
    #[staticmethod]
    #[pyo3(signature = (features, predictions, labels, *, metric="mean_absolute_error"))]
    fn fit(
        py: Python<'_>,
        features: &Bound<'_, PyAny>,
        predictions: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        metric: &str,
    ) -> PyResult<Self> {
        let loss = match metric {
            "mean_absolute_error" => core::Loss::MeanAbsoluteError,
            "mean_squared_error" => core::Loss::MeanSquaredError,
            "root_mean_squared_error" => core::Loss::RootMeanSquaredError,
            other => {
                return Err(PyValueError::new_err(format!(
                    "metric must be 'mean_absolute_error', 'mean_squared_error' or 'root_mean_squared_error', \
                     not {other:?}"
                )));
            }
        };
        let Matrix { values, columns } = Matrix::new(features, "features")?;
        let (predictions, labels) = (collected(predictions, "predictions")?, collected(labels, "labels")?);
        py.detach(|| core::LossEstimator::fit(loss, values, columns, predictions, labels))
            .map(Self)
            .map_err(to_python)
    }

    /// The loss expected on new rows.
    ///
    /// Args:
    ///     features, predictions: as on the reference. The more rows, the smaller the sampling error.
    ///
    /// Returns:
    ///     The loss with its sampling error and bounds. Rows whose prediction is not finite are left out,
    ///     with a warning.
    ///
    /// Raises:
    ///     TypeError, ValueError: as for fit(), or another number of columns than on the reference.
    fn estimate(
        &self,
        py: Python<'_>,
        features: &Bound<'_, PyAny>,
        predictions: &Bound<'_, PyAny>,
    ) -> PyResult<Estimate> {
        let Matrix { values, columns } = Matrix::new(features, "features")?;
        let predictions = collected(predictions, "predictions")?;
        py.detach(|| self.0.estimate(&values, columns, &predictions)).map(Estimate).map_err(to_python)
    }

    /// Which loss it estimates, for example "mean absolute error".
    #[getter]
    fn metric(&self) -> &'static str {
        self.0.loss().name()
    }

    /// Rows of the reference that were learnt from.
    #[getter]
    fn n_reference(&self) -> u64 {
        self.0.n_reference()
    }

    /// The estimator that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::LossEstimator::from_bytes(data).map(Self).map_err(to_python)
    }

    /// The estimator as bytes with a version and a checksum: at most some 70,000; the same on every machine.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn __repr__(&self) -> String {
        format!("LossEstimator(metric={:?}, n_reference={})", self.0.loss().name(), self.0.n_reference())
    }
}

/// Probabilities of class 1 alone, or of all classes and how many those are.
fn told(probabilities: &Bound<'_, PyAny>) -> PyResult<(Vec<f64>, Option<usize>)> {
    if shape(probabilities).is_some() {
        let Matrix { values, columns } = Matrix::new(probabilities, "probabilities")?;
        return Ok((values, Some(columns)));
    }
    Ok((collected(probabilities, "probabilities")?, None))
}
