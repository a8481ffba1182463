//! Two vectors of counts of the same cells.

use crate::error::Error;
use crate::float::{float, float_len, float_sum};
use crate::result::TestResult;

/// The counts of both sides, equally many, with their totals.
pub(super) struct Pair<'counts> {
    reference: &'counts [u64],
    current: &'counts [u64],
    totals: [u128; 2],
}

impl<'counts> Pair<'counts> {
    pub(super) fn new(reference: &'counts [u64], current: &'counts [u64]) -> Result<Self, Error> {
        if reference.len() != current.len() {
            return Err(Error::argument(
                "current_counts",
                format!(
                    "must have one count for each of the {} cells of reference_counts, but has {}; \
                     count both sides over the same bins or categories, with 0 where there are none",
                    reference.len(),
                    current.len()
                ),
            ));
        }
        let total = |counts: &[u64]| counts.iter().copied().map(u128::from).sum();
        Ok(Self { reference, current, totals: [total(reference), total(current)] })
    }

    /// Whether a side has no values at all.
    pub(super) fn lacks_data(&self) -> bool {
        self.totals.contains(&0)
    }

    /// The result for a side without values.
    pub(super) fn without_data(&self, method: &'static str, effect: &'static str) -> TestResult {
        TestResult::without_data(method, effect, self.sizes(), 1)
    }

    /// The result for samples that allow no number.
    pub(super) fn without_number(&self, method: &'static str, effect: &'static str) -> TestResult {
        TestResult::without_data(method, effect, self.sizes(), 0)
    }

    /// The result with a statistic, which is its own effect size, and no p-value.
    pub(super) fn distance(&self, method: &'static str, effect: &'static str, statistic: f64) -> TestResult {
        let empty = self.without_number(method, effect);
        TestResult { statistic: Some(statistic), effect_size: Some(statistic), ..empty }
    }

    /// The result with all its numbers.
    pub(super) fn test(
        &self,
        method: &'static str,
        effect: &'static str,
        statistic: f64,
        p_value: f64,
        effect_size: f64,
    ) -> TestResult {
        let distance = self.distance(method, effect, statistic);
        TestResult { p_value: Some(p_value), effect_size: Some(effect_size), ..distance }
    }

    /// Number of values on each side, at most 2⁶⁴ − 1.
    pub(super) fn sizes(&self) -> [u64; 2] {
        self.totals.map(|total| u64::try_from(total).unwrap_or(u64::MAX))
    }

    /// Number of values on each side.
    pub(super) fn exact_totals(&self) -> [u128; 2] {
        self.totals
    }

    /// The sizes to compute with.
    pub(super) fn totals(&self) -> [f64; 2] {
        self.totals.map(float_sum)
    }

    /// The counts of each cell, both sides.
    pub(super) fn cells(&self) -> impl Iterator<Item = [u64; 2]> {
        self.reference.iter().zip(self.current).map(|(reference, current)| [*reference, *current])
    }

    /// The share of each cell in its side.
    pub(super) fn shares(&self) -> impl Iterator<Item = [f64; 2]> {
        let [n, m] = self.totals();
        self.cells().map(move |[reference, current]| [float(reference) / n, float(current) / m])
    }

    /// The share of each cell by the estimate of Jeffreys, (c + ½) / (n + k/2) for k cells: never zero, and the
    /// same for every n.
    pub(super) fn smoothed_shares(&self) -> impl Iterator<Item = [f64; 2]> {
        let halves = float_len(self.reference.len()) / 2.0;
        let [n, m] = self.totals().map(|total| total + halves);
        self.cells()
            .map(move |[reference, current]| [(float(reference) + 0.5) / n, (float(current) + 0.5) / m])
    }

    /// For each cell the share of values in it or before it, both sides.
    pub(super) fn cumulative_shares(&self) -> impl Iterator<Item = [f64; 2]> {
        let [n, m] = self.totals();
        self.cells().scan([0.0; 2], move |[reference, current], [a, b]| {
            *reference += float(a);
            *current += float(b);
            Some([*reference / n, *current / m])
        })
    }
}
