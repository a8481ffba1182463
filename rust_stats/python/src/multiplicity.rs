//! Decisions over many tests for Python.

use edge_aiops_stats_core::{Error, multiplicity};
use numpy::PyUntypedArray;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::column;
use crate::errors::to_python;

/// Keeps the chance of even one false rejection at alpha for p-values of any dependence.
///
/// Args:
///     p_values: NumPy array of float64, or a sequence of floats; NaN or None where there was no test.
///     alpha: the chance to keep, between 0 and 1.
///
/// Returns:
///     Which hypotheses are rejected, and their adjusted p-values. A value that is not there is not rejected and
///     does not count among the tests.
///
/// Raises:
///     TypeError: not numbers.
///     ValueError: a p-value outside of [0, 1], or an alpha outside of (0, 1).
///
/// Holm, Scandinavian Journal of Statistics 6 (1979).
#[pyfunction]
#[pyo3(signature = (p_values, *, alpha=0.05))]
pub fn holm(p_values: &Bound<'_, PyAny>, alpha: f64) -> PyResult<Discoveries> {
    discovered(p_values, "p_values", alpha, multiplicity::holm)
}

/// Controls the false discovery rate at alpha for p-values that are independent or positively dependent.
///
/// Args:
///     p_values: NumPy array of float64, or a sequence of floats; NaN or None where a feature had no data.
///     alpha: the false discovery rate to keep, between 0 and 1.
///
/// Returns:
///     Which hypotheses are rejected, and their adjusted p-values. A value that is not there is not rejected and
///     does not count among the tests.
///
/// Raises:
///     TypeError: not numbers.
///     ValueError: a p-value outside of [0, 1], or an alpha outside of (0, 1).
///
/// Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).
#[pyfunction]
#[pyo3(signature = (p_values, *, alpha=0.05))]
pub fn benjamini_hochberg(p_values: &Bound<'_, PyAny>, alpha: f64) -> PyResult<Discoveries> {
    discovered(p_values, "p_values", alpha, multiplicity::benjamini_hochberg)
}

/// Controls the false discovery rate at alpha for p-values of any dependence.
///
/// Args:
///     p_values: NumPy array of float64, or a sequence of floats; NaN or None where a feature had no data.
///     alpha: the false discovery rate to keep, between 0 and 1.
///
/// Returns:
///     As benjamini_hochberg, with adjusted p-values larger by 1 + 1/2 + ... + 1/K for K tests.
///
/// Raises:
///     TypeError: not numbers.
///     ValueError: a p-value outside of [0, 1], or an alpha outside of (0, 1).
///
/// Benjamini and Yekutieli, Annals of Statistics 29 (2001).
#[pyfunction]
#[pyo3(signature = (p_values, *, alpha=0.05))]
pub fn benjamini_yekutieli(p_values: &Bound<'_, PyAny>, alpha: f64) -> PyResult<Discoveries> {
    discovered(p_values, "p_values", alpha, multiplicity::benjamini_yekutieli)
}

/// Controls the false discovery rate at alpha for e-values of any dependence.
///
/// The e-values must be those of one moment: the procedure is not valid on the running maxima of e-processes
/// (arXiv 2501.19360).
///
/// Args:
///     e_values: NumPy array of float64, or a sequence of floats; NaN or None where a feature had no data.
///     alpha: the false discovery rate to keep, between 0 and 1.
///
/// Returns:
///     Which hypotheses are rejected; the adjusted values are the smallest alpha at which each would be. A value
///     that is not there is not rejected and does not count among the tests.
///
/// Raises:
///     TypeError: not numbers.
///     ValueError: a negative e-value, or an alpha outside of (0, 1).
///
/// Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022).
#[pyfunction]
#[pyo3(signature = (e_values, *, alpha=0.05))]
pub fn e_benjamini_hochberg(e_values: &Bound<'_, PyAny>, alpha: f64) -> PyResult<Discoveries> {
    discovered(e_values, "e_values", alpha, multiplicity::e_benjamini_hochberg)
}

/// Which of many hypotheses are rejected, in the order in which they were given. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.multiplicity")]
#[derive(PartialEq)]
pub struct Discoveries(multiplicity::Discoveries);

#[pymethods]
impl Discoveries {
    /// Whether each hypothesis is rejected: exactly where its adjusted value is at most alpha.
    #[getter]
    fn rejected(&self) -> Vec<bool> {
        self.0.rejected().collect()
    }

    /// For each hypothesis the smallest alpha at which it would be rejected; None where there was no test.
    #[getter]
    fn adjusted(&self) -> Vec<Option<f64>> {
        self.0.adjusted().collect()
    }

    /// Number of tests: of values that were there.
    #[getter]
    fn tests(&self) -> usize {
        self.0.tests
    }

    /// The rate of false discoveries that was asked for.
    #[getter]
    fn alpha(&self) -> f64 {
        self.0.alpha
    }

    fn __repr__(&self) -> String {
        let rejected = self.0.rejected().filter(|rejected| *rejected).count();
        format!("Discoveries(rejected={rejected} of {}, alpha={:?})", self.0.tests, self.0.alpha)
    }
}

type Procedure = fn(Vec<f64>, f64) -> Result<multiplicity::Discoveries, Error>;

fn discovered(
    given: &Bound<'_, PyAny>,
    name: &'static str,
    alpha: f64,
    procedure: Procedure,
) -> PyResult<Discoveries> {
    let py = given.py();
    let values = if given.is_instance_of::<PyUntypedArray>() {
        column::collected(given, name)?
    } else {
        let values = given.extract::<Vec<Option<f64>>>().map_err(|refusal| {
            PyTypeError::new_err(format!(
                "{name} must be a NumPy array or a sequence of numbers and None: {}",
                refusal.value(py)
            ))
        })?;
        values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
    };
    py.detach(|| procedure(values, alpha)).map(Discoveries).map_err(to_python)
}
