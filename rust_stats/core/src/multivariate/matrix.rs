//! A table of numbers.

use crate::error::Error;

/// Values beyond this count as missing: their squares could not be summed.
const LARGEST: f64 = 1e100;

/// Rows of features, row after row in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    values: Vec<f64>,
    columns: usize,
}

impl Matrix {
    /// A table of `values.len() / columns` rows; `name` is what the caller calls it.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] without columns, or if the rows are not of equal length.
    pub fn new(name: &'static str, values: Vec<f64>, columns: usize) -> Result<Self, Error> {
        match values.len().checked_rem(columns) {
            Some(0) => Ok(Self { values, columns }),
            Some(_) => {
                let problem =
                    format!("must have rows of {columns} features each, but has {} values", values.len());
                Err(Error::argument(name, problem))
            }
            None => Err(Error::argument(name, "must have at least one column, but has none")),
        }
    }

    /// Number of features.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns)
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.columns)
    }

    /// The rows at `positions`.
    pub(super) fn rows_at(&self, positions: &[usize]) -> impl Iterator<Item = &[f64]> {
        positions.iter().filter_map(|position| {
            let start = position.checked_mul(self.columns)?;
            self.values.get(start..)?.get(..self.columns)
        })
    }

    /// Positions of the rows with at least one usable value.
    pub(super) fn usable_rows(&self) -> Vec<usize> {
        let rows = self.rows().enumerate();
        rows.filter(|(_, row)| row.iter().copied().any(usable)).map(|(position, _)| position).collect()
    }

    /// Refuses a table with other features than the reference's.
    pub(super) fn must_have(&self, columns: usize) -> Result<(), Error> {
        if self.columns == columns {
            return Ok(());
        }
        let problem = format!("must have {columns} columns as the reference has, but has {}", self.columns);
        Err(Error::argument("current", problem))
    }
}

pub(super) fn usable(value: f64) -> bool {
    value.abs() <= LARGEST
}
