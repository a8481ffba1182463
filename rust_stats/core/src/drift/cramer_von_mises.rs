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
/// T = n m / (n + m)² Σ (F - G)²
/// ```
///
/// over the values of both samples of n and m values, F and G being taken after all equal ones; Anderson, Annals
/// of Mathematical Statistics 33 (1962). Without equal values the p-value is exact if neither sample has more
/// than 20 (Xiao, Gordon and Yakovlev, Journal of Statistical Software 17(8), 2006). Otherwise it is that of the
/// limiting distribution, T being brought to its mean and variance; scipy follows the same rule.
///
/// With equal values T has the mean and variance that they leave it: with H the share of all values up to the
/// j-th different one, of which there are t,
///
/// ```text
/// mean = Σ w H (1 - H) N / (N - 1),    variance ≈ 2 Σ Σ w w' (min(H, H') - H H')²,    w = t / N, N = n + m
/// ```
///
/// Mean ranks, which scipy takes for equal values instead, are not near any multiple of T: with a reference of
/// 1,000 counts and 20 current ones they reject always.
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
    let exact = n.max(m) <= SMALL && !sums.tied;
    let p_value = if sums.constant {
        1.0
    } else if exact {
        Paths::reaching(&sizes, sums.excess)
    } else {
        sizes.asymptotic(&sums)
    };
    let warnings =
        [sums.constant.then_some(Warning::Constant), (sums.tied && !sums.constant).then_some(Warning::Ties)];
    TestResult {
        method: if exact { EXACT } else { ASYMPTOTIC },
        statistic: Some(sizes.statistic(&sums)),
        p_value: Some(p_value),
        effect_size: Some((sums.squares / float(n + m)).sqrt()),
        effect: EFFECT,
        n_reference: n,
        n_current: m,
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    }
}

/// What one walk through both samples gives.
struct Sums {
    /// 12 n m (n + m) T in whole numbers, if no values are equal: T is the small difference of large ones.
    excess: i128,
    /// Σ (F - G)² over the values of both samples.
    squares: f64,
    ties: Ties,
    tied: bool,
    constant: bool,
}

impl Sums {
    /// Anderson's U is made of ranks among all values less the places in their own sample: where i of the
    /// reference's values and j current ones are less, that is j for one of the reference and i for a current one.
    ///
    /// ```text
    /// U = Σ n j² + Σ m i²,    T = U / (n m (n + m)) - (4 n m - 1) / (6 (n + m))
    /// ```
    fn of(reference: &Sample, current: &Sample) -> Self {
        let [n, m] = [reference.count(), current.count()].map(i128::from);
        let excess = -2 * n * m * (4 * n * m - 1);
        let mut sums = Self { excess, squares: 0.0, ties: Ties::default(), tied: false, constant: false };
        for place in places(reference, current) {
            let (here, below) = (place.here.map(i128::from), place.below.map(i128::from));
            sums.excess += 12 * (n * here[0] * below[1] * below[1] + m * here[1] * below[0] * below[0]);
            let [left, right] = place.reached().map(float);
            let distance = left / reference.size() - right / current.size();
            sums.squares += float(place.tied()) * distance * distance;
            let total = reference.size() + current.size();
            sums.ties.add(float(place.tied()) / total, (left + right) / total);
            sums.tied |= place.tied() > 1;
            sums.constant |= i128::from(place.tied()) == n + m;
        }
        sums
    }
}

/// What equal values leave of the mean and the variance of T in the limit, 1/6 and 1/45 if there are none.
#[derive(Default)]
struct Ties {
    mean: f64,
    variance: f64,
    /// Σ w H² of the places so far.
    below: f64,
}

impl Ties {
    /// The next place, which holds the share `weight` of all values, and up to which there is the share `reached`.
    fn add(&mut self, weight: f64, reached: f64) {
        let beyond = 1.0 - reached;
        let own = weight * reached * reached;
        self.mean += weight * reached * beyond;
        self.variance += 2.0 * weight * beyond * beyond * (2.0 * self.below + own);
        self.below += own;
    }
}

struct Sizes {
    n: u64,
    m: u64,
}

impl Sizes {
    /// T.
    fn statistic(&self, sums: &Sums) -> f64 {
        let [n, m] = [self.n, self.m].map(float);
        if sums.tied {
            sums.squares * (n / (n + m)) * (m / (n + m))
        } else {
            float_wide(sums.excess) / (12.0 * n * m * (n + m))
        }
    }

    /// Anderson (1962), equations 11, 14 and 15; with equal values, the mean and variance that those leave.
    fn asymptotic(&self, sums: &Sums) -> f64 {
        let [n, m] = [self.n, self.m].map(float);
        let (product, total) = (n * m, n + m);
        let mut mean = (1.0 + 1.0 / total) / 6.0;
        let mut variance = (total + 1.0) * (4.0 * product * total - 3.0 * (n * n + m * m) - 2.0 * product)
            / (45.0 * total * total * 4.0 * product);
        if sums.tied {
            mean = sums.ties.mean * total / (total - 1.0);
            variance *= 45.0 * sums.ties.variance;
        }
        let normalised = 1.0 / 6.0 + (self.statistic(sums) - mean) / (45.0 * variance).sqrt();
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
