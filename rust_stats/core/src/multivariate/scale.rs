//! Features in units of the reference: imputed, centred, and divided by their deviation.

use nalgebra::DMatrix;

use super::matrix::{Matrix, usable};
use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float;
use crate::result::{Side, Warning};

/// Rows that are worked on at a time.
const ROWS: usize = 256;

/// The square of a deviation beyond this could not be summed.
const FARTHEST: f64 = 1e150;

/// Where each feature lies and how far it spreads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Mean of the usable values; 0 without any.
    pub(super) means: Vec<f64>,
    /// Deviation with the divisor n; 1 for a constant, infinite for a feature without usable values, which so
    /// counts for nothing.
    pub(super) scales: Vec<f64>,
}

impl Scale {
    /// The scale of the rows at `positions`. Unless it is to `standardise`, deviations are 1.
    pub(super) fn of(table: &Matrix, positions: &[usize], standardise: bool) -> Self {
        let mut columns = vec![Column::default(); table.columns()];
        // Two passes, the first relative to some value of the feature: a constant has exactly no deviation.
        for pass in [Column::count, Column::deviate] {
            for row in table.rows_at(positions) {
                columns
                    .iter_mut()
                    .zip(row)
                    .filter(|(_, x)| usable(**x))
                    .for_each(|(column, x)| pass(column, *x));
            }
        }
        let means = columns.iter().map(Column::mean).collect();
        let scales = columns.iter().map(|column| column.scale(standardise)).collect();
        Self { means, scales }
    }

    pub(super) fn columns(&self) -> usize {
        self.means.len()
    }

    /// Passes the scaled rows at `positions` to `step`, block by block, each row a column of the block.
    /// Gives the number of values that were imputed by the mean.
    pub(super) fn for_blocks(
        &self,
        table: &Matrix,
        positions: &[usize],
        mut step: impl FnMut(&DMatrix<f64>),
    ) -> u64 {
        let mut imputed = 0;
        for positions in positions.chunks(ROWS) {
            let mut block = DMatrix::zeros(self.columns(), positions.len());
            for (mut scaled, row) in block.column_iter_mut().zip(table.rows_at(positions)) {
                for (((scaled, x), mean), scale) in
                    scaled.iter_mut().zip(row).zip(&self.means).zip(&self.scales)
                {
                    if usable(*x) {
                        *scaled = ((x - mean) / scale).clamp(-FARTHEST, FARTHEST);
                    } else {
                        imputed += 1;
                    }
                }
            }
            step(&block);
        }
        imputed
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.count(self.columns() as u64);
        self.means.iter().chain(&self.scales).for_each(|number| to.number(*number));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let columns = from.count()?;
        let means = numbers(from, columns)?;
        let scales = numbers(from, columns)?;
        if columns == 0 || !means.iter().copied().all(usable) {
            return Err(impossible("a feature has no mean"));
        }
        if !scales.iter().all(|scale| *scale > 0.0) {
            return Err(impossible("a feature has no deviation"));
        }
        Ok(Self { means, scales })
    }
}

/// So many numbers, none of them NaN.
pub(super) fn numbers(from: &mut Reader<'_>, count: u64) -> Result<Vec<f64>, Error> {
    let numbers = (0..count).map(|_| from.number()).collect::<Result<Vec<_>, _>>()?;
    if numbers.iter().any(|number| number.is_nan()) {
        return Err(impossible("a number of a reference is not a number"));
    }
    Ok(numbers)
}

/// What to know of a side of which `left_out` rows have no usable value, and `imputed` values are missing.
pub(super) fn warnings(side: Side, left_out: u64, imputed: u64) -> impl Iterator<Item = Warning> {
    let rows = (left_out > 0).then_some(Warning::LeftOut { side, n: left_out });
    let values = (imputed > 0).then(|| Warning::Other {
        code: "imputed",
        message: format!("{imputed} values of {side} are missing and count as the reference's mean"),
    });
    rows.into_iter().chain(values)
}

#[derive(Clone, Default)]
struct Column {
    count: u64,
    origin: f64,
    /// Sum of the distances from the origin.
    sum: f64,
    deviations: f64,
    squares: f64,
}

impl Column {
    fn count(&mut self, value: f64) {
        if self.count == 0 {
            self.origin = value;
        }
        self.count += 1;
        self.sum += value - self.origin;
    }

    fn deviate(&mut self, value: f64) {
        let deviation = value - self.mean();
        self.deviations += deviation;
        self.squares += deviation * deviation;
    }

    fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.origin + self.sum / float(self.count) }
    }

    fn scale(&self, standardise: bool) -> f64 {
        if self.count == 0 {
            return f64::INFINITY;
        }
        let n = float(self.count);
        let deviation = ((self.squares - self.deviations * self.deviations / n) / n).max(0.0).sqrt();
        if standardise && deviation > 0.0 { deviation } else { 1.0 }
    }
}
