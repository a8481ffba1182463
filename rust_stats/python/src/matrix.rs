//! Reads NumPy arrays of two dimensions.

use edge_aiops_stats_core::multivariate;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{self, numbers_in, plain_array};
use crate::errors::to_python;

/// Rows of equally many numbers, one after the other. The lock is held while they are copied, so they are those
/// of one moment in time.
pub struct Matrix {
    pub values: Vec<f64>,
    pub columns: usize,
}

impl Matrix {
    pub fn new(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Self> {
        let (flat, columns) = row_by_row(given, name)?;
        let mut values = vec![0.0; flat.len()];
        numbers_in(&flat, name)?.read(0, &mut values);
        Ok(Self { values, columns })
    }
}

/// Rows of counts, one after the other, and how many there are in a row. The lock is held while they are copied.
pub fn counts(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<(Vec<u64>, usize)> {
    let (flat, columns) = row_by_row(given, name)?;
    Ok((column::counts(&flat, name)?, columns))
}

/// The elements of an array of two dimensions as one of one, and how many there are in a row.
fn row_by_row<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<(Bound<'py, PyUntypedArray>, usize)> {
    let array = plain_array(given, name)?;
    let &[_, columns] = array.shape() else {
        return Err(PyValueError::new_err(format!(
            "{name} must have two dimensions, rows and columns, not the shape {}; \
             pass {name}.reshape(len({name}), -1)",
            array.getattr("shape")?
        )));
    };
    // A view of what lies row by row already, or else a copy that lives as long as it is used.
    Ok((array.call_method1("reshape", (-1,))?.cast_into()?, columns))
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
