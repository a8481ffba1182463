//! Pearson's chi-square test of two samples for one distribution.

use super::fisher::Table;
use super::pair::Pair;
use super::pooling::Pooling;
use crate::error::Error;
use crate::float::float;
use crate::result::{TestResult, Warning};
use crate::special::chi_square_upper;

const METHOD: &str = "chi-square, two samples";
const EFFECT: &str = "cramer's v";

/// Pearson's chi-square test of homogeneity, without Yates' correction.
///
/// ```text
/// χ² = Σ (r m − c n)² / (n m (r + c)),    V = √(χ² / (n + m)),    cells − 1 degrees of freedom
/// ```
///
/// for counts r and c of totals n and m. Cramér's V is between 0 and 1, and reaches 1 where no cell is shared.
/// Cells that are empty on both sides are left out. Cells in which the smaller side expects fewer than five are
/// pooled, in their order, into cells in which it expects five, with a warning.
///
/// If there remains a rest in which fewer than five are expected, such as a category that the reference does not
/// have, the rest is tested against all other cells by Fisher's exact test and the others among themselves by
/// chi-square; p is twice the smaller of both, and a warning says so. If pooling leaves but one cell, there is no
/// number, and a warning says that the samples are too small.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have equally many cells.
pub fn chi_square_test(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    Ok(Contingency { method: METHOD, contribution, williams: false }.of(&Pair::new(reference, current)?))
}

fn contribution([reference, current]: [f64; 2], [n, m]: [f64; 2]) -> f64 {
    let difference = reference / n - current / m;
    difference * difference * (n / (reference + current) * m)
}

/// A test of a pooled table whose statistic is a sum over cells and has nearly a chi-square distribution.
pub(super) struct Contingency {
    pub(super) method: &'static str,
    /// What a cell adds to the statistic, given its counts and the totals.
    pub(super) contribution: fn([f64; 2], [f64; 2]) -> f64,
    /// Whether the statistic is divided by Williams' factor before it is compared.
    pub(super) williams: bool,
}

impl Contingency {
    pub(super) fn of(&self, pair: &Pair<'_>) -> TestResult {
        let method = self.method;
        if pair.lacks_data() {
            return pair.without_data(method, EFFECT);
        }
        let totals = pair.totals();
        let (pooling, mut sums) = self.sums(pair, totals);
        if pooling.filled == 1 {
            return pair.test(method, EFFECT, 0.0, 1.0, 0.0).warned([Warning::Constant]);
        }
        let (pooled, left) = (pooling.pooled, pooling.left());
        let pooled_cells = (pooled > 0).then_some(Warning::PooledCells { pooled, left });
        if left < 2 {
            return pair.without_number(method, EFFECT).warned(pooled_cells).warned([one_cell_left()]);
        }
        let (p_value, rare) = match pooling.rest {
            None => (self.p_value(&sums, totals, left), None),
            Some(rest) => {
                sums.add(rest.map(float), totals, self.contribution);
                (self.p_value_beside(rest, pair), Some(rare_cell()))
            }
        };
        let [n, m] = totals;
        let v = (sums.chi_square / (n + m)).sqrt().min(1.0);
        pair.test(method, EFFECT, sums.statistic, p_value, v).warned(pooled_cells).warned(rare)
    }

    /// The sums over the full cells with the totals given.
    fn sums(&self, pair: &Pair<'_>, totals: [f64; 2]) -> (Pooling, Sums) {
        let mut sums = Sums { statistic: 0.0, chi_square: 0.0, inverse_counts: 0.0 };
        let pooling = Pooling::of(pair, |cell| sums.add(cell, totals, self.contribution));
        (pooling, sums)
    }

    fn p_value(&self, sums: &Sums, [n, m]: [f64; 2], cells: u64) -> f64 {
        let (total, degrees) = (n + m, float(cells) - 1.0);
        let factor = if self.williams {
            let (sides, cells) = (total / n + total / m - 1.0, total * sums.inverse_counts - 1.0);
            1.0 + sides * cells / (6.0 * total * degrees)
        } else {
            1.0
        };
        chi_square_upper(sums.statistic / factor, degrees)
    }

    /// The rest against all full cells, exactly, and those among themselves: twice the smaller p-value.
    fn p_value_beside(&self, rest: [u64; 2], pair: &Pair<'_>) -> f64 {
        let exact = Table::of_part(rest, pair.exact_totals()).p_value();
        let ([n, m], [in_rest, in_rest_too]) = (pair.totals(), rest.map(float));
        let others = [n - in_rest, m - in_rest_too];
        let (pooling, sums) = self.sums(pair, others);
        if pooling.full < 2 || others.contains(&0.0) {
            return exact;
        }
        (2.0 * exact.min(self.p_value(&sums, others, pooling.full))).min(1.0)
    }
}

struct Sums {
    statistic: f64,
    /// Of which Cramér's V is made, whatever the statistic.
    chi_square: f64,
    /// Of one over the count of each cell, both sides together.
    inverse_counts: f64,
}

impl Sums {
    fn add(&mut self, cell: [f64; 2], totals: [f64; 2], statistic: fn([f64; 2], [f64; 2]) -> f64) {
        let [reference, current] = cell;
        self.statistic += statistic(cell, totals);
        self.chi_square += contribution(cell, totals);
        self.inverse_counts += 1.0 / (reference + current);
    }
}

fn one_cell_left() -> Warning {
    Warning::Other {
        code: "one_cell_left",
        message: "the samples are too small: with five expected in each cell there is but one cell; \
                  take larger samples, or fisher_exact_test for two categories"
            .into(),
    }
}

fn rare_cell() -> Warning {
    Warning::Other {
        code: "rare_cell",
        message: "in one cell fewer than five are expected: it was tested exactly against the others, \
                  and the p-value is corrected for that"
            .into(),
    }
}
