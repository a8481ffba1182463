//! Bins of probabilities, for calibration.

use crate::error::Error;
use crate::float::float_len;

/// Where the edges of bins lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinRule {
    /// At i / bins.
    EqualWidth,
    /// At the quantiles of the probabilities, so that each bin has about as many rows. Equal probabilities
    /// stay together, so where one is frequent there are fewer bins.
    EqualMass,
}

/// How many bins, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binning {
    bins: usize,
    rule: BinRule,
}

impl Binning {
    const MOST: usize = 1000;

    /// So many `bins` by a `rule`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there are from 1 to 1,000 bins.
    pub fn new(bins: usize, rule: BinRule) -> Result<Self, Error> {
        if !(1..=Self::MOST).contains(&bins) {
            let problem = format!("must be from 1 to {}, as 10 is, not {bins}", Self::MOST);
            return Err(Error::argument("bins", problem));
        }
        Ok(Self { bins, rule })
    }

    /// The edges from 0 to 1, ascending and each once. A bin holds its upper edge, the first one also 0.
    pub(super) fn edges(self, ascending: &[(f64, bool)]) -> Vec<f64> {
        let inner = (1..self.bins).map(|bin| match self.rule {
            BinRule::EqualWidth => float_len(bin) / float_len(self.bins),
            BinRule::EqualMass => quantile(ascending, bin, self.bins).unwrap_or(0.0),
        });
        let mut edges = vec![0.0];
        edges.extend(inner.filter(|edge| (0.0..1.0).contains(edge)));
        edges.push(1.0);
        edges.dedup();
        edges
    }
}

/// The quantile `numerator / denominator` by linear interpolation, without a rounded position.
fn quantile(ascending: &[(f64, bool)], numerator: usize, denominator: usize) -> Option<f64> {
    // In 128 bits since a length times a number of bins may exceed 64.
    let position = (ascending.len().checked_sub(1)? as u128) * (numerator as u128);
    let below = usize::try_from(position / (denominator as u128)).ok()?;
    let rest = usize::try_from(position % (denominator as u128)).ok()?;
    let (lower, _) = *ascending.get(below)?;
    let upper = ascending.get(below + 1).map_or(lower, |(upper, _)| *upper);
    Some(lower + (upper - lower) * (float_len(rest) / float_len(denominator)))
}
