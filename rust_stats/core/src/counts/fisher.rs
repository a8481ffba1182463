//! Fisher's exact test of a table of two by two.

use super::pair::Pair;
use crate::error::Error;
use crate::float::{float, float_sum};
use crate::result::{TestResult, Warning};
use crate::special::chi_square_upper;
use crate::special::stirling::{log_excess, stirling_error};
use std::f64::consts::TAU;

const METHOD: &str = "fisher, exact";
const ASYMPTOTIC: &str = "fisher, by chi-square";
const EFFECT: &str = "odds ratio";

/// Tables whose first cell varies by more than this, squared, are not enumerated: at most some million steps.
const LARGEST_VARIANCE: f64 = 1e11;

/// Tables that differ in probability by less than rounding are equally probable.
const TIE: f64 = 1e-11;

/// Fisher's exact test of two samples with two categories, two-sided.
///
/// p is the probability, given all totals, of the tables that are at most as probable as this one. The statistic
/// and effect size is the sample odds ratio (r₀ c₁) / (r₁ c₀), infinite where only the denominator is zero.
/// Where a category is empty on both sides, p is 1 and there is no odds ratio.
///
/// Tables are summed from the observed one outwards, as far as they weigh anything: time grows with the root of
/// the counts. Where the first cell has a variance above 10¹¹, as with 10¹² values, p is that of the chi-square
/// test, which then differs by less than 10⁻⁵ of itself near 0.05, and the method says so.
///
/// # Errors
///
/// [`Error::Argument`] unless both sides have two cells.
pub fn fisher_exact_test(reference: &[u64], current: &[u64]) -> Result<TestResult, Error> {
    for (name, counts) in [("reference_counts", reference), ("current_counts", current)] {
        if counts.len() != 2 {
            let problem =
                format!("must have two cells, but has {}; for more use chi_square_test", counts.len());
            return Err(Error::argument(name, problem));
        }
    }
    let pair = Pair::new(reference, current)?;
    if pair.lacks_data() {
        return Ok(pair.without_data(METHOD, EFFECT));
    }
    let first = pair.cells().next().unwrap_or_default();
    let table = Table::of_part(first, pair.exact_totals());
    let Some(ratio) = table.odds_ratio() else {
        let none = pair.without_number(METHOD, EFFECT);
        return Ok(TestResult { p_value: Some(1.0), ..none }.warned([Warning::Constant]));
    };
    let method = if table.is_enumerable() { METHOD } else { ASYMPTOTIC };
    Ok(pair.test(method, EFFECT, ratio, table.p_value(), ratio))
}

/// A table of two by two: the reference's counts a and b, the current ones c and d.
#[derive(Clone, Copy)]
pub(super) struct Table {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

impl Table {
    /// Some cells of each side against the others. Counts beyond 2⁶⁴ are taken as that.
    pub(super) fn of_part([a, c]: [u64; 2], [n, m]: [u128; 2]) -> Self {
        let others =
            |total: u128, part| u64::try_from(total.saturating_sub(u128::from(part))).unwrap_or(u64::MAX);
        Self { a, b: others(n, a), c, d: others(m, c) }
    }

    pub(super) fn p_value(self) -> f64 {
        if self.is_enumerable() { self.two_sided() } else { self.by_chi_square() }
    }

    fn is_enumerable(self) -> bool {
        let [[n, m], [k, l]] = self.margins();
        let total = n + m;
        n / total * (m / total) * (k / total) * l <= LARGEST_VARIANCE
    }

    fn by_chi_square(self) -> f64 {
        let [[n, m], [k, l]] = self.margins();
        let root = self.determinant() / (n * m).sqrt() / (k * l).sqrt();
        chi_square_upper(root * root * (n + m), 1.0)
    }

    fn margins(self) -> [[f64; 2]; 2] {
        let sum = |x: u64, y: u64| float_sum(u128::from(x) + u128::from(y));
        [[sum(self.a, self.b), sum(self.c, self.d)], [sum(self.a, self.c), sum(self.b, self.d)]]
    }

    /// None where a category is empty.
    fn odds_ratio(self) -> Option<f64> {
        let Self { a, b, c, d } = self;
        let empty = a == 0 && c == 0 || b == 0 && d == 0;
        (!empty).then(|| float(a) / float(b) * (float(d) / float(c)))
    }

    fn two_sided(self) -> f64 {
        let above = if self.determinant() < 0.0 { self.mirrored() } else { self };
        let observed = above.ln_probability();
        let near = observed.exp() * above.tail();
        // The tables with a smaller a, by how much smaller; their probability rises to the mode and falls after it.
        let last = above.a.min(above.d);
        let (mut less_probable, mut more_probable) = (last.saturating_add(1), 0);
        while less_probable - more_probable > 1 {
            let middle = u64::midpoint(less_probable, more_probable);
            if above.moved(middle).ln_probability() <= observed + TIE {
                less_probable = middle;
            } else {
                more_probable = middle;
            }
        }
        if less_probable > last {
            return near.min(1.0);
        }
        let far = above.moved(less_probable);
        (near + far.ln_probability().exp() * far.mirrored().tail()).min(1.0)
    }

    /// The table with the same totals and `steps` fewer in a, which are at most a and d.
    fn moved(self, steps: u64) -> Self {
        let Self { a, b, c, d } = self;
        Self {
            a: a.saturating_sub(steps),
            b: b.saturating_add(steps),
            c: c.saturating_add(steps),
            d: d.saturating_sub(steps),
        }
    }

    /// The table with its categories exchanged.
    fn mirrored(self) -> Self {
        Self { a: self.b, b: self.a, c: self.d, d: self.c }
    }

    /// a d − b c.
    fn determinant(self) -> f64 {
        let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
        let (main, other) = (product(self.a, self.d), product(self.b, self.c));
        if main >= other { float_sum(main - other) } else { -float_sum(other - main) }
    }

    /// The logarithm of the hypergeometric probability n! m! k! l! / (N! a! b! c! d!), with Stirling's formula for
    /// the factorials so that their large parts cancel before they are computed (Loader 2000).
    fn ln_probability(self) -> f64 {
        let [[n, m], [k, l]] = self.margins();
        let total = n + m;
        let surplus = self.determinant() / total;
        let cell = |observed: u64, expected: f64, surplus: f64| {
            let observed = float(observed);
            if observed > 0.0 {
                observed * log_excess(-surplus / observed, expected / observed) + small_part(observed)
            } else {
                expected
            }
        };
        let margins = small_part(n) + small_part(m) + small_part(k) + small_part(l) - small_part(total);
        margins
            - cell(self.a, n / total * k, surplus)
            - cell(self.b, n / total * l, -surplus)
            - cell(self.c, m / total * k, -surplus)
            - cell(self.d, m / total * l, surplus)
    }

    /// The probability of this table and of all with a larger a, over that of this one.
    fn tail(self) -> f64 {
        let [mut a, mut b, mut c, mut d] = [self.a, self.b, self.c, self.d].map(float);
        let (mut sum, mut term) = (1.0, 1.0);
        while term > f64::EPSILON / 64.0 * sum {
            a += 1.0;
            d += 1.0;
            term *= b / a * (c / d);
            sum += term;
            b -= 1.0;
            c -= 1.0;
        }
        sum
    }
}

/// ln x! less its large part x ln x − x.
fn small_part(x: f64) -> f64 {
    (TAU * x).ln() / 2.0 + stirling_error(x)
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn all_tables_with_the_same_totals_have_probability_one() {
        for (a, b, c, d) in [(3, 0, 5, 9), (12, 30, 7, 100), (500, 1, 800, 20_000)] {
            let table = Table { a, b, c, d };
            let top = Table { a: a + b.min(c), b: b - b.min(c), c: c - b.min(c), d: d + b.min(c) };
            let total: f64 =
                (0..=top.a.min(top.d)).map(|steps| top.moved(steps).ln_probability().exp()).sum();
            assert!((total - 1.0).abs() < 1e-11, "{total}");
            assert!(table.two_sided() <= 1.0);
        }
    }

    #[test]
    fn where_enumeration_ends_chi_square_takes_over_smoothly() {
        let table = Table { a: 100_000_300_000, b: 99_999_700_000, c: 100_000_000_000, d: 100_000_000_000 };
        assert!(table.is_enumerable());
        let (exact, asymptotic) = (table.two_sided(), table.by_chi_square());
        assert!((exact - asymptotic).abs() < 1e-4 * exact, "{exact} {asymptotic}");
    }
}
