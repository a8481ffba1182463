//! The Mann-Whitney test: whether values of one sample tend to be larger than those of the other.

use super::reference::SortedReference;
use super::sample::{Sample, places};
use crate::float::float;
use crate::result::{Side, TestResult, Warning};
use crate::special::normal_upper;

const EFFECT: &str = "rank-biserial correlation";
const EXACT: &str = "mann-whitney, exact";
const ASYMPTOTIC: &str = "mann-whitney, asymptotic";

/// Where the smaller sample has at most so many values, and there are no ties, the p-value is exact.
const SMALL: u64 = 8;

/// As long as the table of its distribution has at most so many entries: a mebibyte.
const LARGEST_TABLE: u64 = 1 << 17;

/// Two-sided test that values of the current sample are as often above as below those of the reference.
///
/// The statistic U is the number of pairs in which the reference's value is the greater, those of equal values
/// counting half; Mann and Whitney, Annals of Mathematical Statistics 18 (1947). The p-value is exact if there
/// are no equal values and the smaller sample has at most 8 (as with scipy; up to 262,144 pairs), otherwise
/// from the normal distribution with corrections for equal values and for continuity.
///
/// The effect size is the rank-biserial correlation 1 - 2 U / (n m): the share of pairs in which the current
/// value is the greater less the share in which it is the lesser, from -1 to 1.
#[must_use]
pub fn mann_whitney_test(reference: &SortedReference, current: Vec<f64>) -> TestResult {
    let current = Sample::new(current);
    let [n, m] = [reference.count(), current.count()];
    let left_out = [reference.sample.left_out(Side::Reference), current.left_out(Side::Current)];
    let left_out = left_out.into_iter().flatten();
    if n == 0 || m == 0 {
        return TestResult::without_data("mann-whitney", EFFECT, [n, m], 1).warned(left_out);
    }
    let pairs = Pairs::of(&reference.sample, &current);
    let all = float(n) * float(m);
    let u = pairs.twice_u() / 2.0;
    let exact = pairs.ties == 0.0 && n.min(m) <= SMALL && n.saturating_mul(m) / 2 <= LARGEST_TABLE;
    let constant = pairs.largest_tie == n + m;
    let p_value = if constant {
        1.0
    } else if exact {
        exact_two_sided(n, m, u)
    } else {
        asymptotic_two_sided(n, m, u, pairs.ties)
    };
    let warnings = [
        constant.then_some(Warning::Constant),
        (pairs.ties > 0.0 && !constant).then_some(Warning::Ties),
        (!exact && n.min(m) <= SMALL)
            .then(|| Warning::SmallSample { n: float(n.min(m)), wanted: float(SMALL + 1) }),
    ];
    TestResult {
        method: if exact { EXACT } else { ASYMPTOTIC },
        statistic: Some(u),
        p_value: Some(p_value),
        effect_size: Some(1.0 - 2.0 * u / all),
        effect: EFFECT,
        n_reference: n,
        n_current: m,
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    }
}

/// What one walk through both samples gives.
struct Pairs {
    /// Twice the number of pairs with the greater value in the reference, and of pairs with equal values.
    twice_greater: u128,
    equal: u128,
    /// Σ (t³ - t) over values that occur t times.
    ties: f64,
    largest_tie: u64,
}

impl Pairs {
    fn of(reference: &Sample, current: &Sample) -> Self {
        let mut pairs = Self { twice_greater: 0, equal: 0, ties: 0.0, largest_tie: 0 };
        for place in places(reference, current) {
            let ([reference, current], below) = (place.here.map(u128::from), place.below.map(u128::from));
            pairs.twice_greater += 2 * reference * below[1];
            pairs.equal += reference * current;
            let tied = float(place.tied());
            pairs.ties += tied * (tied * tied - 1.0);
            pairs.largest_tie = pairs.largest_tie.max(place.tied());
        }
        pairs
    }

    #[expect(clippy::cast_precision_loss, reason = "16 digits of the number of pairs are enough")]
    fn twice_u(&self) -> f64 {
        (self.twice_greater + self.equal) as f64
    }
}

/// Normal approximation of P(|U - n m / 2| at least as great).
fn asymptotic_two_sided(n: u64, m: u64, u: f64, ties: f64) -> f64 {
    let [n, m] = [n, m].map(float);
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let distance = (u - n * m / 2.0).abs() - 0.5;
    (2.0 * normal_upper(distance / variance.sqrt())).min(1.0)
}

/// P(|U - n m / 2| at least as great) over all orders of the values.
///
/// With k = min(n, m) and l the other, the numbers of orders with U = 0, 1, ... are the coefficients of
/// ∏_{i=1..k} (1 - q^(l + i)) / (1 - q^i), a Gaussian binomial coefficient; Mann and Whitney (1947).
fn exact_two_sided(n: u64, m: u64, pairs: f64) -> f64 {
    let (k, l) = (n.min(m), n.max(m));
    let least = pairs.min(float(n * m) - pairs);
    // Coefficients up to the least of U and n m - U, beyond which nothing is asked.
    let mut orders: Vec<f64> = (0..=n * m / 2).take_while(|at| float(*at) <= least).map(|_| 0.0).collect();
    if let Some(first) = orders.first_mut() {
        *first = 1.0;
    }
    let mut all = 1.0;
    for i in 1..=k {
        divide(&mut orders, i);
        multiply(&mut orders, l + i);
        all *= float(l + i) / float(i);
    }
    (2.0 * orders.iter().sum::<f64>() / all).min(1.0)
}

/// By 1 - q^power.
fn divide(series: &mut [f64], power: u64) {
    let power = usize::try_from(power).unwrap_or(usize::MAX);
    for at in power..series.len() {
        let before = series.get(at - power).copied().unwrap_or_default();
        if let Some(coefficient) = series.get_mut(at) {
            *coefficient += before;
        }
    }
}

/// By 1 - q^power.
fn multiply(series: &mut [f64], power: u64) {
    let power = usize::try_from(power).unwrap_or(usize::MAX);
    for at in (power..series.len()).rev() {
        let before = series.get(at - power).copied().unwrap_or_default();
        if let Some(coefficient) = series.get_mut(at) {
            *coefficient -= before;
        }
    }
}
