//! Named columns of features: numbers or labels, as a mapping of Python holds them.

use edge_aiops_stats_core as core;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyTuple};

use crate::column::Column;
use crate::strings;

/// The values of one feature: numbers or labels, as whoever reads them wants.
pub struct Given<'py> {
    values: Bound<'py, PyAny>,
    missing: Option<Bound<'py, PyAny>>,
}

impl<'py> Given<'py> {
    /// A column as it is given: values, or a tuple of values and the mask of those missing.
    pub fn of(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        if is_arrow(given)? {
            return Self::of_arrow(given);
        }
        match given.cast::<PyTuple>() {
            Ok(pair) if pair.len() == 2 => {
                Ok(Self { values: pair.get_item(0)?, missing: Some(pair.get_item(1)?) })
            }
            Ok(tuple) => Err(PyValueError::new_err(format!(
                "must be values or a tuple (values, missing), but is a tuple of {}; pass list(values)",
                tuple.len()
            ))),
            Err(_) => Ok(Self { values: given.clone(), missing: None }),
        }
    }

    /// A column of Apache Arrow: what NumPy makes of it, with its validity as the mask.
    fn of_arrow(column: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = column.py();
        let copied = PyDict::new(py);
        copied.set_item("zero_copy_only", false)?;
        // A column of a table is in pieces.
        let column = match column.getattr_opt("combine_chunks")? {
            Some(combine) => combine.call0()?,
            None => column.clone(),
        };
        let values = column.call_method("to_numpy", (), Some(&copied))?;
        let gaps = column.getattr("null_count")?.is_truthy()?;
        let missing =
            gaps.then(|| column.call_method0("is_null")?.call_method("to_numpy", (), Some(&copied)));
        Ok(Self { values, missing: missing.transpose()? })
    }

    /// How many values there are; none for what has no length.
    pub fn length(&self) -> usize {
        self.values.len().unwrap_or_default()
    }

    /// Whether they are texts: in a list, or in an array of str or of objects.
    pub fn is_text(&self) -> PyResult<bool> {
        if self.values.is_instance_of::<PyList>() {
            return Ok(true);
        }
        let Ok(dtype) = self.values.getattr("dtype") else { return Ok(false) };
        let kind: String = dtype.getattr("kind")?.extract()?;
        Ok(kind == "U" || kind == "O")
    }

    /// Counts them as labels.
    pub fn read_labels(&self, counts: &mut core::Categories) -> PyResult<()> {
        strings::read(self.values.py(), &self.values, self.missing.as_ref(), counts)
    }

    /// Them as numbers.
    pub fn numbers(&self) -> PyResult<Column> {
        Column::new(&self.values, self.missing.as_ref())
    }
}

/// The names and the columns of a mapping, in its order.
pub fn items<'py>(mapping: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let items = as_mapping(mapping, name)?.items()?;
    items.iter().map(|pair| pair.extract()).collect()
}

/// Whether it is a column of Apache Arrow, whose package is not imported for that.
fn is_arrow(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(given.hasattr("__arrow_c_array__")?
        || given.hasattr("__arrow_c_stream__")? && given.hasattr("null_count")?)
}

/// The column of a feature in a mapping.
pub fn item<'py>(mapping: &Bound<'py, PyMapping>, feature: &str) -> PyResult<Given<'py>> {
    if !mapping.contains(feature)? {
        return Err(PyValueError::new_err(format!(
            "columns has no {feature:?}; pass every feature of the baseline, with a mask where values are missing"
        )));
    }
    Given::of(&mapping.get_item(feature)?).map_err(in_column(mapping.py(), feature))
}

/// A mapping as it is, or that of the columns of a record batch or a table of Apache Arrow.
pub fn as_mapping<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyMapping>> {
    if let Ok(mapping) = given.cast::<PyMapping>() {
        return Ok(mapping.clone());
    }
    let (Some(names), Some(columns)) = (given.getattr_opt("column_names")?, given.getattr_opt("columns")?)
    else {
        let found = given.get_type();
        return Err(PyTypeError::new_err(format!(
            "{name} must be a mapping from names to columns or a record batch, not {found}"
        )));
    };
    let mapping = PyDict::new(given.py());
    for (name, column) in names.try_iter()?.zip(columns.try_iter()?) {
        mapping.set_item(name?, column?)?;
    }
    Ok(mapping.into_mapping())
}

/// Names the column that a refusal is about.
pub fn in_column(py: Python<'_>, feature: &str) -> impl Fn(PyErr) -> PyErr {
    move |error| PyErr::from_type(error.get_type(py), format!("columns[{feature:?}]: {}", error.value(py)))
}
