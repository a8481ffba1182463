//! A table of two samples in which hardly a cell holds too few for the chi-square approximation.

use super::pair::Pair;
use crate::float::float;

/// The least count that must be expected in a cell (Cochran, Biometrics 10 (1954), 417).
const LEAST_EXPECTED: f64 = 5.0;

/// From how many times as many values on one side that side alone says what is expected.
const MUCH_LARGER: f64 = 4.0;

/// What became of the cells of two samples.
///
/// Cells in which the smaller side expects fewer than five are added up, in their order, until it expects five in
/// their sum, which is then one cell. What is left over at the end joins the last such sum; without one it is the
/// rest.
///
/// Which cells are pooled must not depend on how the sides differ, or the cells that happen to differ decide what is
/// tested. With sides of about one size that leaves the sums of both sides. Where the reference's counts are fixed,
/// on bins at its own quantiles, such a sum varies with the current count, and where five are expected in each cell
/// the test would reject in 13 % of windows at 5 %. So a side that is at least four times as large decides alone.
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
        let is_low = |cell: [u64; 2]| expected_in_smaller(cell, pair.totals()) < LEAST_EXPECTED;
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

/// How many values the smaller side is expected to have in a cell, as the larger side or both together say.
fn expected_in_smaller(cell: [u64; 2], [n, m]: [f64; 2]) -> f64 {
    let [reference, current] = cell.map(float);
    if n >= MUCH_LARGER * m {
        reference * m / n
    } else if m >= MUCH_LARGER * n {
        current * n / m
    } else {
        (reference + current) * n.min(m) / (n + m)
    }
}

/// Sums beyond 2⁶⁴ are not told apart.
fn added([a, b]: [u64; 2], [c, d]: [u64; 2]) -> [u64; 2] {
    [a.saturating_add(c), b.saturating_add(d)]
}
