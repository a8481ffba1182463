//! Pearson's chi-square test of two samples for one distribution.

use super::fisher::Table;
use super::pair::Pair;
use super::pooling::Pooling;
use crate::error::Error;
use crate::float::{float, float_sum};
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
    Ok(contingency(&Pair::new(reference, current)?, METHOD, |[reference, current], [n, m]| {
        let difference = reference / n - current / m;
        difference * difference * (n / (reference + current) * m)
    }))
}

/// The test whose statistic is the sum of `contribution` over the cells of the pooled table, given the totals.
pub(super) fn contingency(
    pair: &Pair<'_>,
    method: &'static str,
    contribution: impl Fn([f64; 2], [f64; 2]) -> f64,
) -> TestResult {
    if pair.lacks_data() {
        return pair.without_data(method, EFFECT);
    }
    let totals = pair.totals();
    let mut statistic = 0.0;
    let pooling = Pooling::of(pair, |cell| statistic += contribution(cell, totals));
    if pooling.filled == 1 {
        return pair.test(method, EFFECT, 0.0, 1.0, 0.0).warned([Warning::Constant]);
    }
    let (pooled, left) = (pooling.pooled, pooling.left());
    let pooled_cells = (pooled > 0).then_some(Warning::PooledCells { pooled, left });
    if left < 2 {
        return pair.without_number(method, EFFECT).warned(pooled_cells).warned([one_cell_left()]);
    }
    let (p_value, rare) = match pooling.rest {
        None => (chi_square_upper(statistic, float(left - 1)), None),
        Some(rest) => {
            statistic += contribution(rest.map(float_sum), totals);
            (p_value_beside_rest(pair, rest, contribution), Some(rare_cell()))
        }
    };
    let [n, m] = totals;
    let v = (statistic / (n + m)).sqrt().min(1.0);
    pair.test(method, EFFECT, statistic, p_value, v).warned(pooled_cells).warned(rare)
}

/// The rest against all full cells, exactly, and those among themselves.
fn p_value_beside_rest(
    pair: &Pair<'_>,
    rest: [u128; 2],
    contribution: impl Fn([f64; 2], [f64; 2]) -> f64,
) -> f64 {
    let exact = Table::of_part(rest, pair.exact_totals()).p_value();
    let [[n, m], [in_rest, in_rest_too]] = [pair.exact_totals(), rest];
    let others = [n.saturating_sub(in_rest), m.saturating_sub(in_rest_too)];
    let mut statistic = 0.0;
    let pooling = Pooling::of(pair, |cell| statistic += contribution(cell, others.map(float_sum)));
    if pooling.full < 2 || others.contains(&0) {
        return exact;
    }
    (2.0 * exact.min(chi_square_upper(statistic, float(pooling.full - 1)))).min(1.0)
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
