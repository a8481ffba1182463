//! Metrics for Python.

mod confusion;

use edge_aiops_stats_core::metrics as core;
use edge_aiops_stats_core::{Error, Warning};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::collected;
use crate::errors::to_python;
use crate::matrix::{Matrix, shape};
use crate::result::ResultWarning;

pub use confusion::{ConfusionMatrix, confusion_matrix};

/// A metric of a model on some rows, with an interval for what it is on all rows of that kind.
///
/// Where the metric is not defined (no rows, one class only, a constant label), value is None and a warning
/// says why. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.metrics")]
#[derive(Clone, PartialEq)]
pub struct MetricResult(pub core::MetricResult);

#[pymethods]
impl MetricResult {
    /// Which metric, for example "roc auc".
    #[getter]
    fn metric(&self) -> &'static str {
        self.0.metric
    }

    /// The metric; None where it is not defined, and then a warning says why.
    #[getter]
    fn value(&self) -> Option<f64> {
        self.0.value
    }

    /// Rows that entered.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n
    }

    /// Lower end of the interval; None without one.
    #[getter]
    fn low(&self) -> Option<f64> {
        self.0.low
    }

    /// Upper end of the interval; None without one.
    #[getter]
    fn high(&self) -> Option<f64> {
        self.0.high
    }

    /// The probability with which such an interval holds the truth.
    #[getter]
    fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// How the interval was made: "wilson score", "bootstrap, bca", "bootstrap, test inversion" or
    /// "wilcoxon signed-rank, exact"; None without one.
    #[getter]
    fn interval(&self) -> Option<&'static str> {
        self.0.interval
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
            "MetricResult(metric={:?}, value={}, n={}, low={}, high={}, confidence={:?}, interval={}, \
             warnings={warnings:?})",
            self.0.metric,
            number(self.0.value),
            self.0.n,
            number(self.0.low),
            number(self.0.high),
            self.0.confidence,
            self.0.interval.map_or_else(|| "None".into(), |it| format!("{it:?}")),
        )
    }
}

/// The Brier score: the mean squared distance between a probability and what happened, from 0 (best) to 1.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     probabilities: NumPy array of the same length, how probable label 1 was said to be, from 0 to 1.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The score with a bootstrap interval (BCa). Rows with a NaN are left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, probabilities outside of 0 and 1, or such
///         options.
///
/// Brier, Monthly Weather Review 78 (1950), halved as usual for two classes.
#[pyfunction]
#[pyo3(signature = (labels, probabilities, *, resamples=1000, seed=0, confidence=0.95))]
pub fn brier_score(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    probabilities: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let probabilities = collected(probabilities, "probabilities")?;
    computed(py, || core::brier_score(labels, probabilities, &intervals))
}

/// Log loss (cross-entropy), in nats: the mean of -ln of the probability that was given to what happened.
///
/// Args:
///     labels: NumPy array of one dimension (float64, float32, int64 or bool): 0 and 1, or with several
///         classes the number of the class, which is the number of its column, from 0; NaN where it is not
///         known.
///     probabilities: NumPy array of the same length, how probable label 1 was said to be; or of two
///         dimensions, with a row for each label and a column for each class, whose rows add up to 1 within
///         0.01.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The loss with a bootstrap interval (BCa). Probabilities below 2**-52 of what happened count as 2**-52,
///     as in scikit-learn, and a warning ("clipped") says in how many rows. Rows with a NaN are left out.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels that are no class, probabilities outside of 0 and 1 or that do not
///         add up to 1, or such options.
///
/// Good, Journal of the Royal Statistical Society B 14 (1952).
#[pyfunction]
#[pyo3(signature = (labels, probabilities, *, resamples=1000, seed=0, confidence=0.95))]
pub fn log_loss(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    probabilities: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    if shape(probabilities).is_some() {
        let Matrix { values, columns } = Matrix::new(probabilities, "probabilities")?;
        return computed(py, || core::log_loss_of_classes(&labels, &values, columns, &intervals));
    }
    let probabilities = collected(probabilities, "probabilities")?;
    computed(py, || core::log_loss(labels, probabilities, &intervals))
}

/// The area under the ROC curve: how probably a random row of label 1 is scored above a random one of label
/// 0.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     scores: NumPy array of the same length; any numbers of which larger ones speak for label 1.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The area with a bootstrap interval (BCa); equal scores count half. None with a warning
///     ("one_class") if all labels are the same. Rows with a NaN are left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, or such options.
///
/// The Mann-Whitney statistic: Hanley and McNeil, Radiology 143 (1982).
#[pyfunction]
#[pyo3(signature = (labels, scores, *, resamples=1000, seed=0, confidence=0.95))]
pub fn roc_auc(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    scores: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let scores = collected(scores, "scores")?;
    computed(py, || core::roc_auc(labels, scores, &intervals))
}

/// Average precision: the precision at each threshold, weighted by the recall gained there.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     scores: NumPy array of the same length; any numbers of which larger ones speak for label 1.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The average, without interpolation as in scikit-learn, with a bootstrap interval (BCa). None with a
///     warning ("one_class") if no label is 1. Rows with a NaN are left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, or such options.
///
/// Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), section 8.4.
#[pyfunction]
#[pyo3(signature = (labels, scores, *, resamples=1000, seed=0, confidence=0.95))]
pub fn average_precision(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    scores: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let scores = collected(scores, "scores")?;
    computed(py, || core::average_precision(labels, scores, &intervals))
}

/// Mean absolute error, in the unit of the label.
///
/// Args:
///     labels: NumPy array of one dimension (float64, float32, int64 or bool), the truth in any unit; NaN
///         where it is not known.
///     predictions: NumPy array of the same length, in the same unit.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The error with a bootstrap interval (BCa). Rows with a NaN or an infinity are left out, with a
///     warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, or such options.
///
/// mean |label - prediction|.
#[pyfunction]
#[pyo3(signature = (labels, predictions, *, resamples=1000, seed=0, confidence=0.95))]
pub fn mean_absolute_error(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    predictions: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let predictions = collected(predictions, "predictions")?;
    computed(py, || core::mean_absolute_error(labels, predictions, &intervals))
}

/// Root mean squared error, in the unit of the label.
///
/// Args:
///     labels: NumPy array of one dimension (float64, float32, int64 or bool), the truth in any unit; NaN
///         where it is not known.
///     predictions: NumPy array of the same length, in the same unit.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The error with a bootstrap interval (BCa). Rows with a NaN or an infinity are left out, with a
///     warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, or such options.
///
/// sqrt(mean (label - prediction)**2).
#[pyfunction]
#[pyo3(signature = (labels, predictions, *, resamples=1000, seed=0, confidence=0.95))]
pub fn root_mean_squared_error(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    predictions: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let predictions = collected(predictions, "predictions")?;
    computed(py, || core::root_mean_squared_error(labels, predictions, &intervals))
}

/// The coefficient of determination: which share of the label's variance the predictions explain, at most 1.
///
/// Args:
///     labels: NumPy array of one dimension (float64, float32, int64 or bool), the truth in any unit; NaN
///         where it is not known.
///     predictions: NumPy array of the same length, in the same unit.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The share with a bootstrap interval (BCa); None with a warning ("constant") if all labels are the
///     same. Rows with a NaN or an infinity are left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, or such options.
///
/// 1 - sum (label - prediction)**2 / sum (label - mean label)**2.
#[pyfunction]
#[pyo3(signature = (labels, predictions, *, resamples=1000, seed=0, confidence=0.95))]
pub fn r_squared(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    predictions: &Bound<'_, PyAny>,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let predictions = collected(predictions, "predictions")?;
    computed(py, || core::r_squared(labels, predictions, &intervals))
}

/// The mean over rows of the distance between probability and frequency in their bin.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     probabilities: NumPy array of the same length, how probable label 1 was said to be, from 0 to 1.
///     bins: number of bins, from 1 to 1,000.
///     binning: "equal-width", at i / bins; or "equal-mass", at the quantiles of the probabilities, so that
///         each bin has about as many rows. A bin holds its upper edge, the first one also 0.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The error with the interval of an inverted bootstrap test. The value is biased upwards, by up to
///     0.4 sqrt(bins / n) for a perfectly calibrated model; the interval is not, so it may lie below the
///     value, and it reaches to 0 where a calibrated model may well have such a value. Rows with a NaN are
///     left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, probabilities outside of 0 and 1, or such
///         options.
///
/// Naeini, Cooper and Hauskrecht, AAAI (2015); Guo et al., ICML (2017).
#[pyfunction]
#[pyo3(signature = (
    labels, probabilities, *, bins=10, binning="equal-width", resamples=1000, seed=0, confidence=0.95
))]
#[expect(clippy::too_many_arguments, reason = "they are named by the caller")]
pub fn expected_calibration_error(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    probabilities: &Bound<'_, PyAny>,
    bins: usize,
    binning: &str,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let binning = binned(bins, binning)?;
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let probabilities = collected(probabilities, "probabilities")?;
    computed(py, || core::expected_calibration_error(labels, probabilities, binning, &intervals))
}

/// The largest distance between probability and frequency in a bin.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     probabilities: NumPy array of the same length, how probable label 1 was said to be, from 0 to 1.
///     bins: number of bins, from 1 to 1,000.
///     binning: "equal-width", at i / bins; or "equal-mass", at the quantiles of the probabilities, so that
///         each bin has about as many rows. A bin holds its upper edge, the first one also 0.
///     resamples: of the bootstrap, from 100 to 10,000; 0 for no interval.
///     seed: of the resamples; the same seed gives the same interval on every machine.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     The error with the interval of an inverted bootstrap test, which is wide: the smallest bins decide.
///         Rows with
///     a NaN are left out, with a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, probabilities outside of 0 and 1, or such
///         options.
///
/// Naeini, Cooper and Hauskrecht, AAAI (2015); Guo et al., ICML (2017).
#[pyfunction]
#[pyo3(signature = (
    labels, probabilities, *, bins=10, binning="equal-width", resamples=1000, seed=0, confidence=0.95
))]
#[expect(clippy::too_many_arguments, reason = "they are named by the caller")]
pub fn maximum_calibration_error(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    probabilities: &Bound<'_, PyAny>,
    bins: usize,
    binning: &str,
    resamples: usize,
    seed: u64,
    confidence: f64,
) -> PyResult<MetricResult> {
    let binning = binned(bins, binning)?;
    let intervals = intervals(resamples, seed, confidence)?;
    let labels = collected(labels, "labels")?;
    let probabilities = collected(probabilities, "probabilities")?;
    computed(py, || core::maximum_calibration_error(labels, probabilities, binning, &intervals))
}

/// The reliability curve: how often label 1 happens where it was said to be so probable.
///
/// Args:
///     labels: NumPy array of one dimension that holds 0 and 1 (float64, float32, int64 or bool); NaN where
///         the label is not known.
///     probabilities: NumPy array of the same length, how probable label 1 was said to be, from 0 to 1.
///     bins: number of bins, from 1 to 1,000.
///     binning: "equal-width", at i / bins; or "equal-mass", at the quantiles of the probabilities, so that
///         each bin has about as many rows. A bin holds its upper edge, the first one also 0.
///     confidence: the probability with which the interval of a bin holds the truth.
///
/// Returns:
///     The bins that have rows, with Wilson's interval of each frequency. Rows with a NaN are left out, with
///     a warning.
///
/// Raises:
///     TypeError: not NumPy arrays, masked ones, or elements of another type.
///     ValueError: other lengths, labels other than 0 and 1, probabilities outside of 0 and 1, or such
///         options.
///
/// Murphy and Winkler, Applied Statistics 26 (1977).
#[pyfunction]
#[pyo3(signature = (labels, probabilities, *, bins=10, binning="equal-width", confidence=0.95))]
pub fn reliability_curve(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    probabilities: &Bound<'_, PyAny>,
    bins: usize,
    binning: &str,
    confidence: f64,
) -> PyResult<ReliabilityCurve> {
    let binning = binned(bins, binning)?;
    let intervals = intervals(0, 0, confidence)?;
    let labels = collected(labels, "labels")?;
    let probabilities = collected(probabilities, "probabilities")?;
    py.detach(|| core::reliability_curve(labels, probabilities, binning, &intervals))
        .map(ReliabilityCurve)
        .map_err(to_python)
}

/// The bins of a reliability curve that have rows, from the lowest probabilities to the highest. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.metrics")]
#[derive(Clone, PartialEq)]
pub struct ReliabilityCurve(core::ReliabilityCurve);

#[pymethods]
impl ReliabilityCurve {
    /// The bins; none without rows.
    #[getter]
    fn bins(&self) -> Vec<ReliabilityBin> {
        self.0.bins.iter().copied().map(ReliabilityBin).collect()
    }

    /// Rows that entered.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n
    }

    /// The probability with which the interval of a bin holds the truth.
    #[getter]
    fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// What to know before relying on it; empty where all is well.
    #[getter]
    fn warnings(&self) -> Vec<ResultWarning> {
        self.0.warnings.iter().cloned().map(ResultWarning).collect()
    }

    fn __repr__(&self) -> String {
        format!("ReliabilityCurve(bins={}, n={})", self.0.bins.len(), self.0.n)
    }
}

/// The rows whose probability lies between two edges. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.metrics")]
#[derive(Clone, Copy, PartialEq)]
pub struct ReliabilityBin(core::ReliabilityBin);

#[pymethods]
impl ReliabilityBin {
    /// Edge below, which does not belong to the bin unless it is 0.
    #[getter]
    fn lower(&self) -> f64 {
        self.0.lower
    }

    /// Edge above, which belongs to the bin.
    #[getter]
    fn upper(&self) -> f64 {
        self.0.upper
    }

    /// Rows.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n
    }

    /// Mean of the probabilities.
    #[getter]
    fn mean_probability(&self) -> f64 {
        self.0.mean_probability
    }

    /// Share of the rows whose label is 1.
    #[getter]
    fn frequency(&self) -> f64 {
        self.0.frequency
    }

    /// Lower end of the frequency's interval.
    #[getter]
    fn low(&self) -> f64 {
        self.0.low
    }

    /// Upper end of the frequency's interval.
    #[getter]
    fn high(&self) -> f64 {
        self.0.high
    }

    fn __repr__(&self) -> String {
        let bin = &self.0;
        format!(
            "ReliabilityBin(lower={:?}, upper={:?}, n={}, mean_probability={:?}, frequency={:?}, low={:?}, \
             high={:?})",
            bin.lower, bin.upper, bin.n, bin.mean_probability, bin.frequency, bin.low, bin.high
        )
    }
}

fn binned(bins: usize, binning: &str) -> PyResult<core::Binning> {
    let rule = match binning {
        "equal-width" => core::BinRule::EqualWidth,
        "equal-mass" => core::BinRule::EqualMass,
        other => {
            return Err(PyValueError::new_err(format!(
                "binning must be 'equal-width' or 'equal-mass', not {other:?}"
            )));
        }
    };
    core::Binning::new(bins, rule).map_err(to_python)
}

fn intervals(resamples: usize, seed: u64, confidence: f64) -> PyResult<core::Intervals> {
    core::Intervals::new(resamples, seed, confidence).map_err(to_python)
}

fn computed(
    py: Python<'_>,
    compute: impl Send + FnOnce() -> Result<core::MetricResult, Error>,
) -> PyResult<MetricResult> {
    py.detach(compute).map(MetricResult).map_err(to_python)
}
