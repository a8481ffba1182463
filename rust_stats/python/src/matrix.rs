//! Reads NumPy arrays of two dimensions.

use edge_aiops_stats_core::multivariate::Matrix;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{numbers_of, plain_array};
use crate::errors::to_python;

/// The rows of an array of two dimensions, in whatever order it lies in memory, as one of our own. The lock is
/// held meanwhile, so they are those of one moment in time.
pub fn matrix(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Matrix> {
    let array = plain_array(given, name)?;
    let &[rows, columns] = array.shape() else {
        return Err(PyValueError::new_err(format!(
            "{name} must have two dimensions, rows and features, not the shape {}; pass numpy.atleast_2d({name}) \
             or reshape it",
            array.getattr("shape")?
        )));
    };
    // A view of what lies row by row already, or else a copy that lives until the end of this function.
    let flat = array.call_method1("reshape", (-1,))?.cast_into::<PyUntypedArray>()?;
    let mut values = vec![0.0; rows.saturating_mul(columns)];
    numbers_of(&flat, name)?.read(0, &mut values);
    Matrix::new(name, values, columns).map_err(to_python)
}
