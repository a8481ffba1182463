//! The energy distance of two samples.

use super::reference::SortedReference;
use super::sample::{Sample, Stretches};
use super::wasserstein::infinite;
use crate::result::{Side, TestResult};

const METHOD: &str = "energy distance";
const EFFECT: &str = "energy coefficient of inhomogeneity";

/// The energy distance of two samples, in the square root of the unit of the values.
///
/// ```text
/// E = √(2 E|X - Y| - E|X - X'| - E|Y - Y'|) = √2 (∫ (F(x) - G(x))² dx)^(1/2)
/// ```
///
/// where F(x) and G(x) are the shares of either sample that are not greater than x; Székely and Rizzo,
/// Energy statistics, Journal of Statistical Planning and Inference 143 (2013). The effect size is
/// E² / (2 E|X - Y|), between zero for equal samples and one, whatever the unit.
///
/// Infinite values count: where the shares of an infinity differ, the distance is infinite, with a warning
/// `infinite_distance`; where they are the same, it is that of the finite values, without an effect size.
#[must_use]
pub fn energy_distance(reference: &SortedReference, current: Vec<f64>) -> TestResult {
    let current = Sample::new(current);
    let n = [reference.count(), current.count()];
    let left_out = [reference.sample.left_out(Side::Reference), current.left_out(Side::Current)];
    let left_out = left_out.into_iter().flatten();
    if n.contains(&0) {
        return TestResult::without_data(METHOD, EFFECT, n, 1).warned(left_out);
    }
    let stretches = Stretches::new(&reference.sample, &current);
    let (mut squares, mut between) = (0.0, 0.0);
    for stretch in stretches.between(&reference.sample, &current) {
        let [left, right] = stretch.shares;
        let times_width = |share: f64| if share > 0.0 { share * stretch.width } else { 0.0 };
        squares += times_width((left - right).powi(2));
        between += times_width(left * (1.0 - right) + right * (1.0 - left));
    }
    let distance = (2.0 * squares).sqrt() / stretches.scale.sqrt();
    TestResult {
        method: METHOD,
        statistic: Some(distance),
        p_value: None,
        effect_size: coefficient(squares, between),
        effect: EFFECT,
        n_reference: reference.count(),
        n_current: current.count(),
        warnings: infinite(distance).into_iter().chain(left_out).collect(),
    }
}

/// E² / (2 E|X - Y|): zero where both samples are the same constant.
fn coefficient(squares: f64, between: f64) -> Option<f64> {
    if between == 0.0 { Some(0.0) } else { between.is_finite().then(|| (squares / between).min(1.0)) }
}
