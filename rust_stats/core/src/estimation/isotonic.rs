//! Isotonic regression: the rising function with the least squared error.
//!
//! By pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman, Annals of Mathematical Statistics
//! 26, 1955). Between the arguments that it was fitted to the function is linear, beyond them constant, as in
//! scikit-learn.

use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float_len;

/// A rising function from probabilities to probabilities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Isotonic {
    /// Arguments and values, both ascending.
    knots: Vec<(f64, f64)>,
}

/// Neighbours that share a value.
struct Block {
    sum: f64,
    rows: f64,
    first: f64,
    last: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.rows
    }
}

impl Isotonic {
    /// The function from probabilities, in ascending order, to the label beside them. There is at least one.
    pub(super) fn fit(ascending: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        let mut rows = ascending.peekable();
        while let Some((argument, label)) = rows.next() {
            let (mut tied, mut positives) = (1, usize::from(label));
            while let Some((_, label)) = rows.next_if(|(next, _)| next.total_cmp(&argument).is_eq()) {
                tied += 1;
                positives += usize::from(label);
            }
            let mut block =
                Block { sum: float_len(positives), rows: float_len(tied), first: argument, last: argument };
            while let Some(before) = blocks.pop_if(|before| before.mean() >= block.mean()) {
                block = Block {
                    sum: before.sum + block.sum,
                    rows: before.rows + block.rows,
                    first: before.first,
                    last: block.last,
                };
            }
            blocks.push(block);
        }
        let mut knots: Vec<_> = blocks
            .iter()
            .flat_map(|block| [(block.first, block.mean()), (block.last, block.mean())])
            .collect();
        knots.dedup();
        Self { knots }
    }

    pub(super) fn at(&self, argument: f64) -> f64 {
        let above = self.knots.partition_point(|(knot, _)| *knot < argument);
        let before = above.checked_sub(1).and_then(|before| self.knots.get(before));
        match (before, self.knots.get(above)) {
            (Some((left, low)), Some((right, high))) => {
                low + (high - low) * ((argument - left) / (right - left))
            }
            (Some((_, value)), None) | (None, Some((_, value))) => *value,
            (None, None) => argument,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.count(self.knots.len() as u64);
        for (argument, value) in &self.knots {
            writer.number(*argument);
            writer.number(*value);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut knots: Vec<(f64, f64)> = Vec::new();
        for _ in 0..reader.count()? {
            let (argument, value) = (reader.number()?, reader.number()?);
            let (before, low) = knots.last().copied().unwrap_or((-1.0, 0.0));
            // Written so that a NaN anywhere fails the comparison.
            if !(before < argument && argument <= 1.0 && low <= value && value <= 1.0 && argument >= 0.0) {
                return Err(impossible("its calibration does not rise from 0 to 1"));
            }
            knots.push((argument, value));
        }
        if knots.is_empty() {
            return Err(impossible("a calibration has no knots"));
        }
        Ok(Self { knots })
    }
}

/// Expected calibration error of probabilities, in ascending order, in ten bins of about as many rows.
pub(super) fn calibration_error(mut ascending: impl ExactSizeIterator<Item = (f64, bool)>) -> f64 {
    const BINS: usize = 10;
    let rows = ascending.len();
    let size = rows.div_ceil(BINS);
    let gaps = (0..BINS).map(|_| {
        let bin = ascending.by_ref().take(size);
        bin.map(|(probability, label)| probability - f64::from(u8::from(label))).sum::<f64>().abs()
    });
    gaps.sum::<f64>() / float_len(rows)
}

#[cfg(test)]
mod tests {
    use super::Isotonic;

    #[test]
    fn violators_are_pooled_and_the_rest_is_interpolated() {
        let rows = [(0.1, false), (0.2, true), (0.3, false), (0.5, true), (0.5, false), (0.9, true)];
        let fitted = Isotonic::fit(rows.into_iter());
        assert_eq!(fitted.knots, [(0.1, 0.0), (0.2, 0.5), (0.5, 0.5), (0.9, 1.0)]);
        for (argument, expected) in [(0.0, 0.0), (0.15, 0.25), (0.4, 0.5), (0.7, 0.75), (1.0, 1.0)] {
            assert!((fitted.at(argument) - expected).abs() < 1e-15);
        }
    }
}
