//! Reads NumPy arrays of two dimensions.

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::column::collected;

/// Rows of equally many numbers, one after the other.
pub struct Matrix {
    pub values: Vec<f64>,
    pub columns: usize,
}

impl Matrix {
    pub fn new(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Self> {
        let Some([_, columns]) = shape(given) else {
            let came = match given.cast::<PyUntypedArray>() {
                Ok(array) => format!("the shape {}", array.getattr("shape")?),
                Err(_) => return Err(not_an_array(given, name)),
            };
            return Err(PyValueError::new_err(format!(
                "{name} must have two dimensions, rows and columns, not {came}; pass {name}.reshape(len({name}), -1)"
            )));
        };
        Ok(Self { values: collected(&given.call_method1("reshape", (-1,))?, name)?, columns })
    }
}

/// Rows and columns, if it is an array with two dimensions.
pub fn shape(given: &Bound<'_, PyAny>) -> Option<[usize; 2]> {
    let array = given.cast::<PyUntypedArray>().ok()?;
    array.shape().try_into().ok()
}

fn not_an_array(given: &Bound<'_, PyAny>, name: &str) -> PyErr {
    match given.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!(
            "{name} must be a NumPy array, not {kind}; pass numpy.asarray({name})"
        )),
        Err(error) => error,
    }
}
