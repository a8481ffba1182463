//! Reads NumPy arrays of two dimensions.

use edge_aiops_stats_core::multivariate;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{numbers_in, plain_array};
use crate::errors::to_python;

/// Rows of equally many numbers, one after the other. The lock is held while they are copied, so they are those
/// of one moment in time.
pub struct Matrix {
    pub values: Vec<f64>,
    pub columns: usize,
}

impl Matrix {
    pub fn new(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Self> {
        let array = plain_array(given, name)?;
        let &[rows, columns] = array.shape() else {
            return Err(PyValueError::new_err(format!(
                "{name} must have two dimensions, rows and columns, not the shape {}; \
                 pass {name}.reshape(len({name}), -1)",
                array.getattr("shape")?
            )));
        };
        // A view of what lies row by row already, or else a copy that lives until the end of this function.
        let flat = array.call_method1("reshape", (-1,))?.cast_into::<PyUntypedArray>()?;
        let mut values = vec![0.0; rows.saturating_mul(columns)];
        numbers_in(&flat, name)?.read(0, &mut values);
        Ok(Self { values, columns })
    }
}

/// Rows and columns, if it is an array with two dimensions.
pub fn shape(given: &Bound<'_, PyAny>) -> Option<[usize; 2]> {
    let array = given.cast::<PyUntypedArray>().ok()?;
    array.shape().try_into().ok()
}

/// Rows of features, as multivariate comparisons take them.
pub fn matrix(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<multivariate::Matrix> {
    let Matrix { values, columns } = Matrix::new(given, name)?;
    multivariate::Matrix::new(name, values, columns).map_err(to_python)
}
