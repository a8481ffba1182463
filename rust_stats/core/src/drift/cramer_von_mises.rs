//! The two-sample Cramér-von Mises test: the mean squared distance of two empirical distribution functions.

use super::quadratic_form::QuadraticForm;
use super::reference::SortedReference;
use super::sample::{Sample, places};
use crate::float::float;
use crate::result::{Side, TestResult, Warning};

const EFFECT: &str = "root mean square of the distance of the distribution functions";
const EXACT: &str = "cramer-von mises, exact";
const ASYMPTOTIC: &str = "cramer-von mises, asymptotic";

/// Up to this size of either sample the p-value is exact.
const SMALL: u64 = 20;

/// Test that the current sample comes from the distribution of the reference.
///
/// ```text
/// U = n Σ (r_i - i)² + m Σ (s_j - j)²,    T = U / (n m (n + m)) - (4 n m - 1) / (6 (n + m))
/// ```
///
/// where r and s are the ranks of the sorted samples of n and m values among all, equal values sharing their
/// mean rank; Anderson, Annals of Mathematical Statistics 33 (1962). The p-value is exact if neither sample has
/// more than 20 values (Xiao, Gordon and Yakovlev, Journal of Statistical Software 17(8), 2006), otherwise that
/// of the limiting distribution, T being brought to its mean and variance; scipy follows the same rule. With
/// equal values it is approximate.
///
/// The effect size is the root of the mean of (F - G)² over all values of both samples, between 0 and 1.
#[must_use]
pub fn cramer_von_mises_test(reference: &SortedReference, current: Vec<f64>) -> TestResult {
    let current = Sample::new(current);
    let [n, m] = [reference.count(), current.count()];
    let left_out = [reference.sample.left_out(Side::Reference), current.left_out(Side::Current)];
    let left_out = left_out.into_iter().flatten();
    if n < 2 || m < 2 {
        return TestResult::without_data("cramer-von mises", EFFECT, [n, m], 2).warned(left_out);
    }
    let sizes = Sizes { n, m };
    let sums = Sums::of(&reference.sample, &current);
    let exact = n.max(m) <= SMALL;
    let p_value = if exact { Paths::reaching(&sizes, sums.excess) } else { sizes.asymptotic(sums.excess) };
    let warnings =
        [sums.constant.then_some(Warning::Constant), (sums.tied && !sums.constant).then_some(Warning::Ties)];
    TestResult {
        method: if exact { EXACT } else { ASYMPTOTIC },
        statistic: Some(sizes.statistic(sums.excess)),
        p_value: Some(if sums.constant { 1.0 } else { p_value }),
        effect_size: Some((sums.squares / float(n + m)).sqrt()),
        effect: EFFECT,
        n_reference: n,
        n_current: m,
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    }
}

/// What one walk through both samples gives.
struct Sums {
    /// 12 n m (n + m) T in whole numbers, since T is the small difference of large ones.
    excess: i128,
    /// Σ (F - G)² over the values of both samples.
    squares: f64,
    tied: bool,
    constant: bool,
}

impl Sums {
    /// Where a of the reference's values and b current ones are equal, and i and j are less, the ranks less the
    /// places in their own sample are on average j + b/2 and i + a/2. So
    ///
    /// ```text
    /// 12 U = Σ n a (3 (2j + b)² + a² - 1) + m b (3 (2i + a)² + b² - 1)
    /// ```
    fn of(reference: &Sample, current: &Sample) -> Self {
        let [n, m] = [reference.count(), current.count()].map(i128::from);
        let mut sums =
            Self { excess: -2 * n * m * (4 * n * m - 1), squares: 0.0, tied: false, constant: false };
        for place in places(reference, current) {
            let (here, below) = (place.here.map(i128::from), place.below.map(i128::from));
            let spread = |own: i128, others: i128| own * (3 * others * others + own * own - 1);
            sums.excess +=
                n * spread(here[0], 2 * below[1] + here[1]) + m * spread(here[1], 2 * below[0] + here[0]);
            let [left, right] = place.reached().map(float);
            let distance = left / reference.size() - right / current.size();
            sums.squares += float(place.tied()) * distance * distance;
            sums.tied |= place.tied() > 1;
            sums.constant |= i128::from(place.tied()) == n + m;
        }
        sums
    }
}

struct Sizes {
    n: u64,
    m: u64,
}

impl Sizes {
    /// T.
    fn statistic(&self, excess: i128) -> f64 {
        let [n, m] = [self.n, self.m].map(float);
        float_wide(excess) / (12.0 * n * m * (n + m))
    }

    /// Anderson (1962), equations 11, 14 and 15.
    fn asymptotic(&self, excess: i128) -> f64 {
        let [n, m] = [self.n, self.m].map(float);
        let (product, total) = (n * m, n + m);
        let mean = (1.0 + 1.0 / total) / 6.0;
        let variance = (total + 1.0) * (4.0 * product * total - 3.0 * (n * n + m * m) - 2.0 * product)
            / (45.0 * total * total * 4.0 * product);
        let normalised = 1.0 / 6.0 + (self.statistic(excess) - mean) / (45.0 * variance).sqrt();
        QuadraticForm::CRAMER_VON_MISES.upper_tail(normalised)
    }
}

/// How many of the paths from (0, 0) to a point of the lattice have which sum of squared distances of the
/// distribution functions, ascending, in whole numbers.
#[derive(Default)]
struct Paths {
    sums: Vec<(i128, f64)>,
    /// How many have at least the sum in question.
    reaching: f64,
}

impl Paths {
    /// Share of all orders of the values of both samples with a T at least as great.
    fn reaching(sizes: &Sizes, excess: i128) -> f64 {
        let [n, m] = [sizes.n, sizes.m].map(i128::from);
        let common = n * m / greatest_common_divisor(n, m);
        let wanted = (common * common * (n + m) * excess).div_euclid(12 * n * n * m * m);
        let mut column: Vec<Self> = Vec::new();
        for i in 0..=n {
            let mut above = Self::default();
            let mut before = std::mem::take(&mut column).into_iter();
            for j in 0..=m {
                let start = (i == 0 && j == 0).then(|| Self { sums: vec![(0, 1.0)], reaching: 0.0 });
                let left = start.or_else(|| before.next()).unwrap_or_default();
                let distance = common / n * i - common / m * j;
                let next = left.and(&above).moved_by(distance * distance, wanted);
                column.push(std::mem::replace(&mut above, next));
            }
            // What stands above (i, 0) is nothing, so all are one place late.
            column.push(above);
            column.remove(0);
        }
        column.pop().map_or(1.0, |all| {
            all.reaching / (all.reaching + all.sums.iter().map(|(_, count)| count).sum::<f64>())
        })
    }

    /// The paths of both.
    fn and(self, other: &Self) -> Self {
        let mut sums = Vec::with_capacity(self.sums.len().max(other.sums.len()));
        let (mut left, mut right) = (self.sums.into_iter().peekable(), other.sums.iter().peekable());
        while let Some(next) = [left.peek(), right.peek().copied()].into_iter().flatten().map(|it| it.0).min()
        {
            let count = left.next_if(|it| it.0 == next).map_or(0.0, |it| it.1)
                + right.next_if(|it| it.0 == next).map_or(0.0, |it| it.1);
            sums.push((next, count));
        }
        Self { sums, reaching: self.reaching + other.reaching }
    }

    fn moved_by(mut self, squared: i128, wanted: i128) -> Self {
        for (sum, _) in &mut self.sums {
            *sum += squared;
        }
        let below = self.sums.partition_point(|(sum, _)| *sum < wanted);
        self.reaching += self.sums.drain(below..).map(|(_, count)| count).sum::<f64>();
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "16 digits of the difference are enough")]
const fn float_wide(difference: i128) -> f64 {
    difference as f64
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
