//! Moments for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::column::Column;
use crate::errors::to_python;

/// Count, mean, variance, shape and extremes of the values of an array, as a summary that merges.
///
/// Args:
///     values: NumPy array of one dimension holding float64, float32, int64 or bool, contiguous or not.
///         Integers beyond 2**53 count as the nearest float64, booleans as 0 and 1. If another thread writes
///         to a large array meanwhile, the moments are those of some mixture of old and new values.
///     missing: boolean NumPy array of the same length, True where there is no value, whatever holds its
///         place.
///
/// Returns:
///     The moments, in the unit of the values. Only finite values enter them; missing values, NaN and
///     infinities are counted, each apart.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// Computed by corrected two-pass sums over blocks, merged pairwise: Chan, Golub and LeVeque, The American
/// Statistician 37 (1983). Stable for values with a large offset. The interpreter lock is released meanwhile.
#[pyfunction]
#[pyo3(signature = (values, *, missing=None))]
pub fn moments(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    missing: Option<&Bound<'_, PyAny>>,
) -> PyResult<Moments> {
    Column::new(values, missing)?
        .fold(py, core::Moments::EMPTY, |so_far, values, missing| {
            let block = match missing {
                Some(missing) => core::Moments::of_present(values, missing)?,
                None => core::Moments::of(values),
            };
            Ok(so_far.merge(&block))
        })
        .map(Moments)
}

/// The moments of some values: how many there were of each sort, and where the finite ones lie.
///
/// Made by moments(), read back by Moments.from_bytes(), added by +. Moments() is the summary of no values:
/// adding it changes nothing. Adding is exactly commutative, associative up to rounding, and never loses a
/// count. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.summaries")]
#[derive(PartialEq)]
pub struct Moments(pub core::Moments);

#[pymethods]
impl Moments {
    #[new]
    fn new() -> Self {
        Self(core::Moments::EMPTY)
    }

    /// The summary that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::Moments::from_bytes(data).map(Self).map_err(to_python)
    }

    /// The summary as bytes with a version and a checksum, mostly 63 of them; the same on every machine.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The moments of the values of both together; the same as self + other.
    ///
    /// Chan, Golub and LeVeque (1979); Pébay (2008).
    fn merge(&self, other: &Self) -> Self {
        Self(self.0.merge(&other.0))
    }

    fn __add__(&self, other: &Self) -> Self {
        self.merge(other)
    }

    /// Number of finite values: those that the mean, the variance and the extremes describe.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// Number of values marked as missing.
    #[getter]
    fn missing(&self) -> u64 {
        self.0.missing()
    }

    /// Number of values that were there but not a number.
    #[getter]
    fn nan(&self) -> u64 {
        self.0.nan()
    }

    /// Number of infinities of either sign.
    #[getter]
    fn infinite(&self) -> u64 {
        self.0.infinite()
    }

    /// Number of finite values that are zero, of either sign.
    #[getter]
    fn zeros(&self) -> u64 {
        self.0.zeros()
    }

    /// Number of all values seen: count + missing + nan + infinite.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total()
    }

    /// Arithmetic mean of the finite values, in their unit; None without any.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean()
    }

    /// Unbiased variance of the finite values (divisor count - 1), in their unit squared; None for fewer than
    /// two.
    ///
    /// Infinite if the sum of squared deviations exceeds the range of float64, with deviations beyond about
    /// 1e154.
    #[getter]
    fn variance(&self) -> Option<f64> {
        self.0.variance()
    }

    /// Square root of the variance, in the unit of the values; None for fewer than two finite values.
    #[getter]
    fn standard_deviation(&self) -> Option<f64> {
        self.0.standard_deviation()
    }

    /// Skewness g1 = sqrt(n) M3 / M2**1.5 of the finite values, without a unit; None for fewer than two, without
    /// a spread, or where the fourth power of a deviation exceeds the range of float64.
    ///
    /// That of scipy.stats.skew; Joanes and Gill, The Statistician 47 (1998).
    #[getter]
    fn skewness(&self) -> Option<f64> {
        self.0.skewness()
    }

    /// Excess kurtosis g2 = n M4 / M2**2 - 3 of the finite values, 0 for a normal distribution; None as for the
    /// skewness.
    ///
    /// That of scipy.stats.kurtosis; Joanes and Gill, The Statistician 47 (1998).
    #[getter]
    fn kurtosis(&self) -> Option<f64> {
        self.0.kurtosis()
    }

    /// Smallest finite value; None without any.
    #[getter]
    fn minimum(&self) -> Option<f64> {
        self.0.minimum()
    }

    /// Largest finite value; None without any.
    #[getter]
    fn maximum(&self) -> Option<f64> {
        self.0.maximum()
    }

    fn __repr__(&self) -> String {
        let number = |number: Option<f64>| number.map_or_else(|| "None".into(), |it| format!("{it:?}"));
        format!(
            "Moments(count={}, missing={}, nan={}, infinite={}, \
             mean={}, variance={}, minimum={}, maximum={})",
            self.count(),
            self.missing(),
            self.nan(),
            self.infinite(),
            number(self.mean()),
            number(self.variance()),
            number(self.minimum()),
            number(self.maximum()),
        )
    }
}
