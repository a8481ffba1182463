//! Reads NumPy arrays block by block with the interpreter lock released.
//!
//! Few values are copied before the lock is released, so that the result is that of one moment in time. More
//! are read afterwards, a block at a time, from memory that others may be writing to; `memory.rs` says what
//! that gives.

use edge_aiops_stats_core::{BLOCK, Error};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::memory::{Counts, Flags, Numbers};

/// Up to this many values are copied first, which takes some ten microseconds.
const COPIED: usize = 16 * BLOCK;

/// Values, with the mask of those missing if there is one, of the same length.
pub struct Column {
    values: Numbers,
    missing: Option<Flags>,
}

impl Column {
    /// From arguments called `values` and `missing`.
    pub fn new(values: &Bound<'_, PyAny>, missing: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::named("values", values, "missing", missing)
    }

    /// From arguments that a refusal calls by these names.
    pub fn named(
        name: &'static str,
        values: &Bound<'_, PyAny>,
        missing_name: &'static str,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let values = numbers(values, name)?;
        let missing = missing.map(|mask| flags(mask, missing_name)).transpose()?;
        match missing.as_ref().map(Flags::length) {
            Some(length) if length != values.length() => Err(PyValueError::new_err(format!(
                "{missing_name} must have one entry for each of the {} values, but has {length}",
                values.length()
            ))),
            _ => Ok(Self { values, missing }),
        }
    }

    /// Passes every block of values with its part of the mask to `step`, with the interpreter lock released.
    pub fn fold<State: Send>(
        &self,
        py: Python<'_>,
        start: State,
        step: impl Fn(State, &[f64], Option<&[bool]>) -> Result<State, Error> + Send,
    ) -> PyResult<State> {
        let ready = self.ready();
        py.detach(|| ready.fold(start, step)).map_err(to_python)
    }

    /// The column ready to be read without the interpreter lock: few values are copied now.
    pub fn ready(&self) -> Ready<'_> {
        if self.values.length() <= COPIED {
            let (values, missing) = self.copied();
            Ready::Copied(values, missing)
        } else {
            Ready::Shared(self)
        }
    }

    /// How many values there are.
    pub fn length(&self) -> usize {
        self.values.length()
    }

    /// Whether the values are few enough to be copied before the lock is released.
    pub fn is_short(&self) -> bool {
        self.length() <= COPIED
    }

    /// Passes every block of values to `step`, with NaN for those that are missing. It may be called with the
    /// interpreter lock released, and then reads memory that others may be writing to.
    pub fn each_block(&self, step: &mut dyn FnMut(&[f64])) {
        let (mut values, mut missing) = ([0.0; BLOCK], [false; BLOCK]);
        for first in (0..self.length()).step_by(BLOCK) {
            let length = self.values.read(first, &mut values).len();
            let block = values.get_mut(..length).unwrap_or_default();
            if let Some(mask) = &self.missing {
                blank(block, mask.read(first, &mut missing));
            }
            step(block);
        }
    }

    /// One value, as [`Column::each_block`] passes it.
    pub fn at(&self, place: usize) -> f64 {
        let mut value = [f64::NAN];
        self.values.read(place, &mut value);
        if let Some(mask) = &self.missing {
            blank(&mut value, mask.read(place, &mut [false]));
        }
        let [value] = value;
        value
    }

    /// All values as one array of our own, with NaN for those that are missing. The lock is held meanwhile, so
    /// they are those of one moment in time.
    pub fn collected(&self) -> Vec<f64> {
        let (mut values, missing) = self.copied();
        blank(&mut values, missing.as_deref().unwrap_or_default());
        values
    }

    fn copied(&self) -> (Vec<f64>, Option<Vec<bool>>) {
        let length = self.values.length();
        let mut values = vec![0.0; length];
        self.values.read(0, &mut values);
        let missing = self.missing.as_ref().map(|mask| {
            let mut missing = vec![false; length];
            mask.read(0, &mut missing);
            missing
        });
        (values, missing)
    }

    fn fold_shared<State>(
        &self,
        start: State,
        step: impl Fn(State, &[f64], Option<&[bool]>) -> Result<State, Error>,
    ) -> Result<State, Error> {
        let (mut values, mut missing) = ([0.0; BLOCK], [false; BLOCK]);
        (0..self.values.length()).step_by(BLOCK).try_fold(start, |state, first| {
            let mask = self.missing.as_ref().map(|mask| mask.read(first, &mut missing));
            step(state, self.values.read(first, &mut values), mask)
        })
    }
}

/// A column that is read without the interpreter lock.
pub enum Ready<'column> {
    Copied(Vec<f64>, Option<Vec<bool>>),
    Shared(&'column Column),
}

impl Ready<'_> {
    /// Passes every block of values with its part of the mask to `step`.
    pub fn fold<State>(
        &self,
        start: State,
        step: impl Fn(State, &[f64], Option<&[bool]>) -> Result<State, Error>,
    ) -> Result<State, Error> {
        match self {
            Self::Copied(values, missing) => fold_copied(values, missing.as_deref(), start, step),
            Self::Shared(column) => column.fold_shared(start, step),
        }
    }
}

/// Puts NaN where a value is missing.
fn blank(values: &mut [f64], missing: &[bool]) {
    for (value, _) in values.iter_mut().zip(missing).filter(|(_, missing)| **missing) {
        *value = f64::NAN;
    }
}

fn fold_copied<State>(
    values: &[f64],
    missing: Option<&[bool]>,
    start: State,
    step: impl Fn(State, &[f64], Option<&[bool]>) -> Result<State, Error>,
) -> Result<State, Error> {
    let mut masks = missing.map(|mask| mask.chunks(BLOCK));
    values
        .chunks(BLOCK)
        .try_fold(start, |state, block| step(state, block, masks.as_mut().and_then(Iterator::next)))
}

/// Numbers as an array of our own.
pub fn collected(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Vec<f64>> {
    Ok(Column { values: numbers(given, name)?, missing: None }.collected())
}

/// Counts as an array of our own.
pub fn counts(given: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Vec<u64>> {
    let array = one_dimensional(given, name)?;
    Counts::of(&array).ok_or_else(|| wrong_element(&array, name, "int64 or uint64", "int64"))?.read().map_err(
        |negative| PyValueError::new_err(format!("{name} must not be negative, but one is {negative}")),
    )
}

fn numbers(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Numbers> {
    numbers_in(&one_dimensional(given, name)?, name)
}

/// The numbers of an array of one dimension.
pub fn numbers_in(array: &Bound<'_, PyUntypedArray>, name: &str) -> PyResult<Numbers> {
    let wanted = "float64, float32, int64 or bool";
    Numbers::of(array).ok_or_else(|| wrong_element(array, name, wanted, "float64"))
}

/// Whether each of `length` values is missing, as an array of our own.
pub fn marks(missing: &Bound<'_, PyAny>, length: usize) -> PyResult<Vec<bool>> {
    let mask = flags(missing, "missing")?;
    if mask.length() != length {
        return Err(to_python(Error::LengthsDiffer { values: length, missing: mask.length() }));
    }
    let mut marks = vec![false; length];
    mask.read(0, &mut marks);
    Ok(marks)
}

fn flags(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Flags> {
    let array = one_dimensional(given, name)?;
    Flags::of(&array).ok_or_else(|| wrong_element(&array, name, "bool", "bool"))
}

/// An array of one dimension.
pub fn one_dimensional<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = plain_array(given, name)?;
    if array.ndim() != 1 {
        return Err(PyValueError::new_err(format!(
            "{name} must have one dimension, not the shape {}; pass one column at a time",
            array.getattr("shape")?
        )));
    }
    Ok(array)
}

/// The array given, or a copy of it if its elements lie at odd addresses, as a field of a packed record does.
pub fn plain_array<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyUntypedArray>> {
    let Ok(array) = given.cast::<PyUntypedArray>() else {
        return Err(PyTypeError::new_err(format!(
            "{name} must be a NumPy array, not {}; pass numpy.asarray({name})",
            given.get_type().name()?
        )));
    };
    if is_masked(array)? {
        return Err(PyTypeError::new_err(format!(
            "{name} must be a plain NumPy array, not a masked one, whose mask would be lost; \
             pass its data as values and numpy.ma.getmaskarray of it as missing"
        )));
    }
    if array.is_aligned() { Ok(array.clone()) } else { Ok(array.call_method0("copy")?.cast_into()?) }
}

fn is_masked(array: &Bound<'_, PyUntypedArray>) -> PyResult<bool> {
    let py = array.py();
    if array.get_type().is(py.get_type::<PyUntypedArray>()) {
        return Ok(false);
    }
    array.is_instance(&py.import("numpy.ma")?.getattr("MaskedArray")?)
}

/// The refusal of an array for what it holds.
pub fn wrong_element(array: &Bound<'_, PyUntypedArray>, name: &str, wanted: &str, target: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{name} must hold {wanted}, not {}; convert with {name}.astype('{target}')",
        array.dtype()
    ))
}
