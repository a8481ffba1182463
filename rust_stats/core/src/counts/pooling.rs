//! A table of two samples in which hardly a cell holds too few for the chi-square approximation.

use super::pair::Pair;
use crate::float::float;

/// The least count that must be expected in a cell (Cochran, Biometrics 10 (1954), 417).
const LEAST_EXPECTED: f64 = 5.0;

/// What became of the cells of two samples.
///
/// Cells in which the smaller side expects fewer than five are added up, in their order, until it expects five in
/// their sum, which is then one cell. What is left over at the end joins the last such sum; without one it is the
/// rest. Which cells are pooled depends on the sums of both sides only, never on how they differ.
pub(super) struct Pooling {
    /// Cells that hold anything, before pooling.
    pub(super) filled: u64,
    /// How many of them were added to others.
    pub(super) pooled: u64,
    /// Cells in which enough is expected, after pooling.
    pub(super) full: u64,
    /// The counts of the one cell in which too little is expected.
    pub(super) rest: Option<[u64; 2]>,
}

impl Pooling {
    /// Pools the cells, and shows each that is full to `visit`.
    pub(super) fn of(pair: &Pair<'_>, mut visit: impl FnMut([f64; 2])) -> Self {
        let [n, m] = pair.totals();
        let smaller_share = n.min(m) / (n + m);
        let is_low = |[reference, current]: [u64; 2]| {
            (float(reference) + float(current)) * smaller_share < LEAST_EXPECTED
        };
        let mut pooling = Self { filled: 0, pooled: 0, full: 0, rest: None };
        let (mut open, mut held) = ([0; 2], None);
        let mut low = 0;
        for cell in pair.cells().filter(|cell| *cell != [0, 0]) {
            pooling.filled += 1;
            if !is_low(cell) {
                pooling.show(cell, &mut visit);
                continue;
            }
            low += 1;
            open = added(open, cell);
            if !is_low(open) {
                if let Some(earlier) = held.replace(open) {
                    pooling.show(earlier, &mut visit);
                }
                open = [0; 2];
            }
        }
        if let Some(last) = held {
            pooling.show(added(last, open), &mut visit);
        } else if low > 0 {
            pooling.rest = Some(open);
        }
        pooling.pooled = if low > 1 { low } else { 0 };
        pooling
    }

    /// How many cells there are after pooling.
    pub(super) fn left(&self) -> u64 {
        self.full + u64::from(self.rest.is_some())
    }

    fn show(&mut self, cell: [u64; 2], visit: &mut impl FnMut([f64; 2])) {
        self.full += 1;
        visit(cell.map(float));
    }
}

/// Sums beyond 2⁶⁴ are not told apart.
fn added([a, b]: [u64; 2], [c, d]: [u64; 2]) -> [u64; 2] {
    [a.saturating_add(c), b.saturating_add(d)]
}
