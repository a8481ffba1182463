//! Reads many summaries at once.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// The bytes of many summaries, to be read with the interpreter lock released: Python never changes them.
pub fn all_bytes(parts: &Bound<'_, PyAny>) -> PyResult<Vec<PyBackedBytes>> {
    parts.extract().map_err(|refusal: PyErr| {
        let found = refusal.value(parts.py());
        PyTypeError::new_err(format!("parts must be a sequence of bytes: {found}"))
    })
}
