//! Detectors of a change in a stream for Python.

use std::sync::{Mutex, PoisonError};

use edge_aiops_stats_core::streaming as core;
use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::Column;
use crate::errors::to_python;

/// A detector that several threads may use: they take turns.
struct Shared<R>(Mutex<core::Detector<R>>);

impl<R: core::Rule + Clone + PartialEq + Send> Shared<R> {
    fn new(made: Result<core::Detector<R>, edge_aiops_stats_core::Error>) -> PyResult<Self> {
        made.map(Mutex::new).map(Self).map_err(to_python)
    }

    /// Works on the detector with the interpreter lock released, since another thread may have its turn.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut core::Detector<R>) -> T + Send) -> T {
        py.detach(|| work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn update(&self, py: Python<'_>, value: f64) -> PyResult<bool> {
        self.with(py, |detector| detector.update(value)).map_err(to_python)
    }

    fn update_many<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        missing: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let values = Column::new(values, missing)?.collected();
        let detections = self.with(py, |detector| detector.update_many(&values)).map_err(to_python)?;
        let positions = detections.into_iter().map(|position| i64::try_from(position).unwrap_or(i64::MAX));
        Ok(PyArray1::from_iter(py, positions))
    }

    fn equals(&self, py: Python<'_>, other: &Self) -> bool {
        // One after the other: two threads that compare the same two must not wait for each other.
        let other = other.with(py, |detector| detector.clone());
        self.with(py, move |detector| *detector == other)
    }

    fn shown(&self, py: Python<'_>) -> String {
        let counts = |detector: &mut core::Detector<R>| {
            (detector.seen(), detector.left_out(), detector.detections(), detector.drift_detected())
        };
        let (seen, left_out, detections, drift) = self.with(py, counts);
        let drift = if drift { "True" } else { "False" };
        format!("(seen={seen}, left_out={left_out}, detections={detections}, drift_detected={drift})")
    }
}

/// What every detector offers, and after it what this one does beside.
macro_rules! detector_methods {
    ($name:ident, $rule:ty, { $($own:tt)* }) => {
        #[pymethods]
        impl $name {
            $($own)*

            /// Takes the next value of the stream: does it show a change?
            ///
            /// Args:
            ///     value: a number. NaN, infinities and values beyond 1e100 are counted in left_out and change
            ///         nothing else.
            ///
            /// Raises:
            ///     ValueError: a value that the detector has no use for.
            ///
            /// For many values update_many() is much faster and comes to the same.
            fn update(&self, py: Python<'_>, value: f64) -> PyResult<bool> {
                self.0.update(py, value)
            }

            /// Takes the next values of the stream, in order.
            ///
            /// Args:
            ///     values: NumPy array of one dimension holding float64, float32, int64 or bool. NaN, infinities
            ///         and values beyond 1e100 are counted in left_out and change nothing else.
            ///     missing: boolean NumPy array of the same length, True where there is no value.
            ///
            /// Returns:
            ///     Array of int64: the positions in values at which a change was detected, ascending.
            ///
            /// Raises:
            ///     TypeError: not a NumPy array, a masked array, or elements of another type.
            ///     ValueError: not one dimension, a mask of another length, or a value that the detector has no
            ///         use for; then no value was taken.
            ///
            /// The interpreter lock is released meanwhile; threads that share a detector take turns.
            #[pyo3(signature = (values, *, missing=None))]
            fn update_many<'py>(
                &self,
                py: Python<'py>,
                values: &Bound<'py, PyAny>,
                missing: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<Bound<'py, PyArray1<i64>>> {
                self.0.update_many(py, values, missing)
            }

            /// Forgets all values and counts, and keeps the parameters.
            fn reset(&self, py: Python<'_>) {
                self.0.with(py, core::Detector::reset);
            }

            /// Whether the latest value taken showed a change. The next one starts anew.
            #[getter]
            fn drift_detected(&self, py: Python<'_>) -> bool {
                self.0.with(py, |detector| detector.drift_detected())
            }

            /// Number of values taken since the start.
            #[getter]
            fn seen(&self, py: Python<'_>) -> u64 {
                self.0.with(py, |detector| detector.seen())
            }

            /// Number of values that were missing, not finite or beyond 1e100, and not taken.
            #[getter]
            fn left_out(&self, py: Python<'_>) -> u64 {
                self.0.with(py, |detector| detector.left_out())
            }

            /// Number of changes detected since the start.
            #[getter]
            fn detections(&self, py: Python<'_>) -> u64 {
                self.0.with(py, |detector| detector.detections())
            }

            /// Parameters, state and counts as bytes with a version and a checksum.
            fn to_bytes(&self, py: Python<'_>) -> Vec<u8> {
                self.0.with(py, |detector| detector.to_bytes())
            }

            /// The detector that to_bytes() wrote, which goes on where that one was.
            ///
            /// Raises:
            ///     UnreadableSummary: the bytes are foreign, damaged, of another detector or version, or
            ///         contradict themselves.
            #[staticmethod]
            fn from_bytes(data: &[u8]) -> PyResult<Self> {
                Shared::<$rule>::new(core::Detector::from_bytes(data)).map(Self)
            }

            fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> bool {
                self.0.equals(py, &other.get().0)
            }

            fn __repr__(&self, py: Python<'_>) -> String {
                format!("{}{}", stringify!($name), self.0.shown(py))
            }
        }
    };
}

/// ADWIN: has the mean changed? A window that grows while it stays and shrinks where it has changed.
///
/// Args:
///     delta: bound on the chance of a false cut of the window, between 0 and 1.
///     clock: cuts are looked for at every clock-th value of the window.
///     max_buckets: buckets kept of each size; more cost memory and find cuts closer to the change.
///     min_window_length: fewest values on either side of a cut.
///     grace_period: no cuts are looked for up to so many values.
///
/// Raises:
///     ValueError: a parameter out of range.
///
/// Memory grows with the logarithm of the window. The bound is meant for values within [0, 1]: scale others to
/// about that. Bifet and Gavaldà, SIAM SDM (2007); detections are those of river 0.26.
#[pyclass(frozen, module = "edge_aiops.stats.streaming")]
pub struct Adwin(Shared<core::AdaptiveWindow>);

detector_methods!(Adwin, core::AdaptiveWindow, {
    #[new]
    #[pyo3(signature = (delta=0.002, *, clock=32, max_buckets=5, min_window_length=5, grace_period=10))]
    fn new(
        delta: f64,
        clock: u64,
        max_buckets: u64,
        min_window_length: u64,
        grace_period: u64,
    ) -> PyResult<Self> {
        Shared::new(core::Adwin::new(delta, clock, max_buckets, min_window_length, grace_period)).map(Self)
    }

    /// Number of values in the window.
    #[getter]
    fn width(&self, py: Python<'_>) -> u64 {
        self.0.with(py, |adwin| adwin.width())
    }

    /// Mean of the window; None if it is empty.
    #[getter]
    fn mean(&self, py: Python<'_>) -> Option<f64> {
        self.0.with(py, |adwin| adwin.mean())
    }

    /// Variance of the window with the divisor width; None if it is empty.
    #[getter]
    fn variance(&self, py: Python<'_>) -> Option<f64> {
        self.0.with(py, |adwin| adwin.variance())
    }
});

/// Page-Hinkley: has the mean changed? A sum of deviations from the running mean that wanders off.
///
/// Args:
///     min_instances: no change is detected before so many values.
///     delta: deviation that is tolerated, in the unit of the values.
///     threshold: how far the sum may wander, in the unit of the values.
///     alpha: factor of forgetting of the sum, above 0 and up to 1.
///     mode: which changes count: "up", "down" or "both".
///
/// Raises:
///     ValueError: a parameter out of range.
///
/// Page, Biometrika 41 (1954), with forgetting; detections are those of river 0.26.
#[pyclass(frozen, module = "edge_aiops.stats.streaming")]
pub struct PageHinkley(Shared<core::MeanSums>);

detector_methods!(PageHinkley, core::MeanSums, {
    #[new]
    #[pyo3(signature = (*, min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="both"))]
    fn new(min_instances: u64, delta: f64, threshold: f64, alpha: f64, mode: &str) -> PyResult<Self> {
        let direction = match mode {
            "up" => core::Direction::Up,
            "down" => core::Direction::Down,
            "both" => core::Direction::Both,
            _ => {
                let message = format!("mode must be 'up', 'down' or 'both', but is {mode:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        Shared::new(core::PageHinkley::new(min_instances, delta, threshold, alpha, direction)).map(Self)
    }

    /// Number of values since the latest start: that of the detector, or that after a detection.
    #[getter]
    fn width(&self, py: Python<'_>) -> u64 {
        self.0.with(py, |detector| detector.width())
    }

    /// Mean of the values since the latest start; None without any.
    #[getter]
    fn mean(&self, py: Python<'_>) -> Option<f64> {
        self.0.with(py, |detector| detector.mean())
    }
});

/// KSWIN: has the distribution changed? The latest values of a window against a sample of the older ones.
///
/// Args:
///     alpha: level of the Kolmogorov-Smirnov test made at every value, between 0 and 1. It is not the chance
///         of a false alarm over a stream: choose it below 0.01 divided by the length between alarms that you
///         can live with.
///     window_size: values in the window, at least twice stat_size.
///     stat_size: latest values, and older ones drawn, that are compared.
///     seed: which older values are drawn; the same seed gives the same detections.
///
/// Raises:
///     ValueError: a parameter out of range.
///
/// Raab, Heusinger and Schleif, Neurocomputing 416 (2020); as river 0.26 but for the numbers drawn.
#[pyclass(frozen, module = "edge_aiops.stats.streaming")]
pub struct Kswin(Shared<core::RecentAgainstOlder>);

detector_methods!(Kswin, core::RecentAgainstOlder, {
    #[new]
    #[pyo3(signature = (alpha=0.005, *, window_size=100, stat_size=30, seed=0))]
    fn new(alpha: f64, window_size: u64, stat_size: u64, seed: u64) -> PyResult<Self> {
        Shared::new(core::Kswin::new(alpha, window_size, stat_size, seed)).map(Self)
    }

    /// Number of values in the window.
    #[getter]
    fn width(&self, py: Python<'_>) -> u64 {
        self.0.with(py, |detector| detector.width())
    }

    /// Exact p-value of the latest test; None before the first one since the latest start.
    #[getter]
    fn p_value(&self, py: Python<'_>) -> Option<f64> {
        self.0.with(py, |detector| detector.p_value())
    }
});

/// DDM: has the error rate of a model risen well above its best?
///
/// Values are 1 for an error and 0 for a right prediction; others are refused.
///
/// Args:
///     warm_start: nothing is detected among the first values, so many.
///     warning_threshold: deviations above the best error rate from which on there is a warning.
///     drift_threshold: deviations above the best error rate from which on there is a change.
///
/// Raises:
///     ValueError: a parameter out of range, or a warning that needs more than a change.
///
/// Gama, Medas, Castillo and Rodrigues, SBIA (2004); detections are those of river 0.26. Where warm_start
/// values hold no error, the first error after them is a change.
#[pyclass(frozen, module = "edge_aiops.stats.streaming")]
pub struct Ddm(Shared<core::ErrorRate>);

detector_methods!(Ddm, core::ErrorRate, {
    #[new]
    #[pyo3(signature = (*, warm_start=30, warning_threshold=2.0, drift_threshold=3.0))]
    fn new(warm_start: u64, warning_threshold: f64, drift_threshold: f64) -> PyResult<Self> {
        Shared::new(core::Ddm::new(warm_start, warning_threshold, drift_threshold)).map(Self)
    }

    /// Whether the error rate is above the threshold of a warning, but not above that of a change.
    #[getter]
    fn warning_detected(&self, py: Python<'_>) -> bool {
        self.0.with(py, |detector| detector.warning_detected())
    }

    /// Number of values since the latest start: that of the detector, or that after a detection.
    #[getter]
    fn width(&self, py: Python<'_>) -> u64 {
        self.0.with(py, |detector| detector.width())
    }

    /// Share of errors among the values since the latest start; None without any.
    #[getter]
    fn mean(&self, py: Python<'_>) -> Option<f64> {
        self.0.with(py, |detector| detector.mean())
    }
});
