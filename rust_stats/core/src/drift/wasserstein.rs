//! The Wasserstein-1 distance: how far, on average, values have to be moved to turn one sample into the other.

use super::reference::SortedReference;
use super::sample::{Sample, Stretches};
use crate::result::{Side, TestResult, Warning};

const METHOD: &str = "wasserstein-1";
const EFFECT: &str = "wasserstein-1 in standard deviations of the reference";

/// The exact Wasserstein-1 distance of two samples, in the unit of the values.
///
/// ```text
/// W = ∫ |F(x) - G(x)| dx
/// ```
///
/// where F(x) and G(x) are the shares of either sample that are not greater than x; Vallender (1974). The
/// effect size is W divided by the standard deviation of the reference, none where that is zero, not finite or
/// of a single value.
///
/// Infinite values count: where the shares of an infinity differ, the distance is infinite, with a warning
/// `infinite_distance`; where they are the same, it is that of the finite values.
#[must_use]
pub fn wasserstein_distance(reference: &SortedReference, current: Vec<f64>) -> TestResult {
    let current = Sample::new(current);
    let n = [reference.count(), current.count()];
    let left_out = [reference.sample.left_out(Side::Reference), current.left_out(Side::Current)];
    let left_out = left_out.into_iter().flatten();
    if n.contains(&0) {
        return TestResult::without_data(METHOD, EFFECT, n, 1).warned(left_out);
    }
    let stretches = Stretches::new(&reference.sample, &current);
    let sum: f64 = stretches
        .between(&reference.sample, &current)
        .map(|stretch| {
            let [left, right] = stretch.shares;
            // An infinite width over which nothing differs would not be a number.
            if left.total_cmp(&right).is_eq() { 0.0 } else { (left - right).abs() * stretch.width }
        })
        .sum();
    let distance = sum / stretches.scale;
    let spread = reference.deviation.filter(|deviation| *deviation > 0.0);
    let warnings = [infinite(distance), spread.is_none().then(no_spread)];
    TestResult {
        method: METHOD,
        statistic: Some(distance),
        p_value: None,
        effect_size: spread.map(|spread| distance / spread).filter(|effect| effect.is_finite()),
        effect: EFFECT,
        n_reference: reference.count(),
        n_current: current.count(),
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    }
}

/// What to say about a distance that is not finite.
pub fn infinite(distance: f64) -> Option<Warning> {
    distance.is_infinite().then(|| Warning::Other {
        code: "infinite_distance",
        message: "the distance is infinite: infinite values, or values too far apart for a float64".into(),
    })
}

fn no_spread() -> Warning {
    Warning::Other {
        code: "no_spread",
        message: "the reference has no finite standard deviation above zero to divide the distance by".into(),
    }
}
