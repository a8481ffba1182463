//! Gradient-boosted regression trees on histograms, for a squared loss.
//!
//! Friedman, Greedy Function Approximation (Annals of Statistics 29, 2001), with trees grown leaf by leaf on
//! binned features as LightGBM does (Ke et al., NeurIPS 2017) and with its defaults: 100 trees of at most 31
//! leaves with at least 20 rows each, a rate of 0.1, 255 bins a feature. Nothing is random, so the same data
//! always give the same model. A missing value is a bin of its own and goes, at each split, to the side where
//! it gains more. Sums of a bin are recomputed for the smaller child and subtracted for the larger.

mod binned;
mod grow;
mod tree;

use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float_len;
pub(super) use binned::Binned;
use grow::grow;
use tree::Tree;

const TREES: usize = 100;
const RATE: f64 = 0.1;

/// A sum of trees, and the mean that they start from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Boosted {
    features: usize,
    start: f64,
    trees: Vec<Tree>,
}

impl Boosted {
    /// A model of `targets`, which are finite, at least one and fewer than 2³², one for each row that is `binned`.
    pub(super) fn fit(binned: &Binned, targets: &[f64]) -> Self {
        let n = float_len(targets.len());
        let start = targets.iter().map(|target| target / n).sum();
        let mut residuals: Vec<f64> = targets.iter().map(|target| target - start).collect();
        let mut trees = Vec::new();
        for _ in 0..TREES {
            let Some(tree) = grow(binned, &mut residuals, RATE) else { break };
            trees.push(tree);
        }
        Self { features: binned.features, start, trees }
    }

    pub(super) const fn features(&self) -> usize {
        self.features
    }

    pub(super) fn predict(&self, row: &[f64]) -> f64 {
        self.start + self.trees.iter().map(|tree| tree.at(row)).sum::<f64>()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.count(self.features as u64);
        writer.number(self.start);
        writer.count(self.trees.len() as u64);
        for tree in &self.trees {
            tree.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let features = usize::try_from(reader.count()?).unwrap_or(0);
        let start = reader.number()?;
        if features == 0 || !start.is_finite() {
            return Err(impossible("its model has no features or does not start from a number"));
        }
        let count = reader.count()?;
        let mut trees = Vec::new();
        for _ in 0..count {
            trees.push(Tree::read(reader, features)?);
        }
        Ok(Self { features, start, trees })
    }
}

#[cfg(test)]
mod tests {
    use super::{Binned, Boosted};
    use crate::random::Random;

    #[expect(clippy::cast_precision_loss, reason = "small")]
    fn uniform(random: &mut Random) -> f64 {
        random.below(1 << 20) as f64 / f64::from(1 << 20)
    }

    fn fit(rows: &[f64], features: usize, targets: &[f64]) -> Boosted {
        let rows = rows.chunks(features).map(|row| row.iter().copied());
        Boosted::fit(&Binned::new(rows, features), targets)
    }

    #[test]
    fn a_smooth_surface_is_learnt() {
        let mut random = Random::seeded(0);
        let surface = |row: &[f64]| (6.0 * row[0]).sin() + row[1] * row[1];
        let rows: Vec<f64> = (0..6000).map(|_| uniform(&mut random)).collect();
        let targets: Vec<f64> = rows.chunks(3).map(surface).collect();
        let model = fit(&rows, 3, &targets);
        let others: Vec<f64> = (0..3000).map(|_| uniform(&mut random)).collect();
        let squares = others.chunks(3).map(|row| (model.predict(row) - surface(row)).powi(2)).sum::<f64>();
        let mean = targets.iter().sum::<f64>() / 2000.0;
        let spread = others.chunks(3).map(|row| (mean - surface(row)).powi(2)).sum::<f64>();
        assert!(squares < 0.01 * spread, "{squares} of {spread}");
    }

    #[test]
    fn a_missing_value_is_as_good_as_a_number() {
        let rows: Vec<f64> =
            (0..200).map(|row| if row % 4 == 0 { f64::NAN } else { f64::from(row % 4) }).collect();
        let targets: Vec<f64> = (0..200).map(|row| [7.0, 0.0, 5.0, 0.0][row % 4]).collect();
        let model = fit(&rows, 1, &targets);
        for (value, target) in [(f64::NAN, 7.0), (1.0, 0.0), (2.0, 5.0), (3.0, 0.0)] {
            assert!((model.predict(&[value]) - target).abs() < 0.01);
        }
    }

    #[test]
    fn few_rows_and_constants_give_the_mean() {
        for (rows, targets) in [
            (vec![1.0], vec![3.0]),
            (vec![1.0; 100], vec![3.0; 100]),
            (vec![f64::INFINITY; 60], vec![3.0; 60]),
        ] {
            let model = fit(&rows, 1, &targets);
            assert!((model.predict(&[5.0]) - 3.0).abs() < 1e-12);
        }
    }
}
