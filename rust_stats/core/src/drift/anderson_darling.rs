//! The Anderson-Darling test that samples come from one distribution.

use std::f64::consts::PI;

use super::quadratic_form::QuadraticForm;
use super::sample::{Sample, left_out, runs};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::result::{Side, TestResult, Warning};

const METHOD: &str = "anderson-darling, midrank";
const EFFECT: &str = "mean share of explained variance";

/// With fewer values in a sample the limiting distribution is only a rough one.
const SMALL: u64 = 5;

/// Test that all samples come from the same distribution, which need not be continuous.
///
/// ```text
/// A² = (N - 1)/N Σ_i 1/n_i Σ_j l_j/N (N M_ij - n_i B_j)² / (B_j (N - B_j) - N l_j / 4)
/// ```
///
/// over the k samples, of `n_i` values each and N in all, and over the distinct values, of which the j-th occurs
/// `l_j` times; `B_j` and `M_ij` count the values below it, and half of those equal to it, in all samples and in
/// the i-th.
/// Scholz and Stephens, Journal of the American Statistical Association 82 (1987), equation 7. The statistic is
/// (A² - (k - 1)) / σ with their standard deviation σ, as scipy gives it.
///
/// The p-value is that of the limiting distribution `Σ χ²_j / (j (j + 1))` with k - 1 degrees of freedom each,
/// brought to mean zero and deviation one, computed rather than interpolated in a table. So it is neither cut
/// off at 0.25 nor at 0.001.
///
/// The effect size is A² / N: for the indicator of being below a value, the share of its variance that lies
/// between the samples, on average over all values. In the result, `n_reference` is the size of the
/// first sample and `n_current` that of all others together.
///
/// # Errors
///
/// [`Error::Argument`] for fewer than two samples.
pub fn anderson_darling_test(samples: Vec<Vec<f64>>) -> Result<TestResult, Error> {
    if samples.len() < 2 {
        return Err(Error::argument("samples", format!("must be two or more, not {}", samples.len())));
    }
    let samples: Vec<Sample> = samples.into_iter().map(Sample::new).collect();
    let of_others = |count: fn(&Sample) -> u64| samples.iter().skip(1).map(count).sum::<u64>();
    let first = samples.first().map_or(0, Sample::count);
    let n = [first, of_others(Sample::count)];
    let left_out = [
        samples.first().and_then(|first| first.left_out(Side::Reference)),
        left_out(Side::Current, of_others(|sample| sample.left_out)),
    ];
    let left_out = left_out.into_iter().flatten();
    let smallest = samples.iter().map(Sample::count).min().unwrap_or_default();
    let total = n[0] + n[1];
    // Of single values alone every order has the same A².
    if smallest == 0 || total < 4 || total == samples.len() as u64 {
        let smallest_other = samples.iter().skip(1).map(Sample::count).min().unwrap_or_default();
        let needed = if smallest == 0 { 1 } else { 2 };
        let mut empty = TestResult::without_data(METHOD, EFFECT, [first, smallest_other], needed);
        [empty.n_reference, empty.n_current] = n;
        return Ok(empty.warned(left_out));
    }
    let (square, distinct) = square(&samples, total);
    let degrees = float_len(samples.len() - 1);
    let statistic = (square - degrees) / deviation(&samples, total);
    let limit = degrees + statistic * (degrees * 2.0 * (PI * PI / 3.0 - 3.0)).sqrt();
    let constant = distinct == 1;
    let warnings = [
        constant.then_some(Warning::Constant),
        (smallest < SMALL).then(|| Warning::SmallSample { n: float(smallest), wanted: float(SMALL) }),
    ];
    let p_value = if constant { 1.0 } else { QuadraticForm::anderson_darling(degrees).upper_tail(limit) };
    Ok(TestResult {
        method: METHOD,
        statistic: Some(statistic),
        p_value: Some(p_value),
        effect_size: Some(square / float(total)),
        effect: EFFECT,
        n_reference: n[0],
        n_current: n[1],
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    })
}

/// A², and the number of distinct values.
fn square(samples: &[Sample], total: u64) -> (f64, u64) {
    struct Walk<Runs: Iterator> {
        runs: std::iter::Peekable<Runs>,
        size: f64,
        below: u64,
        sum: f64,
    }
    let mut walks: Vec<_> = samples
        .iter()
        .map(|sample| Walk {
            runs: runs(&sample.ordered).peekable(),
            size: sample.size(),
            below: 0,
            sum: 0.0,
        })
        .collect();
    let n = float(total);
    let (mut below, mut distinct) = (0, 0);
    while let Some(next) =
        walks.iter_mut().filter_map(|walk| walk.runs.peek()).map(|(integer, _)| *integer).min()
    {
        let here =
            walks.iter_mut().filter_map(|walk| walk.runs.peek()).filter(|(integer, _)| *integer == next);
        let here: u64 = here.map(|(_, times)| times).sum();
        let tied = float(here);
        let middle = float(below) + tied / 2.0;
        let weight = tied / n / (middle * (n - middle) - n * tied / 4.0);
        for walk in &mut walks {
            let times = walk.runs.next_if(|(integer, _)| *integer == next).map_or(0, |(_, times)| times);
            let own_middle = float(walk.below) + float(times) / 2.0;
            walk.below += times;
            // Where all values are equal nothing varies, and zero would be divided by zero.
            if here < total {
                walk.sum += weight * (n * own_middle - walk.size * middle).powi(2);
            }
        }
        below += here;
        distinct += 1;
    }
    let sum: f64 = walks.iter().map(|walk| walk.sum / walk.size).sum();
    (sum * (n - 1.0) / n, distinct)
}

/// Standard deviation of A² where there is no difference: Scholz and Stephens (1987), equation 4.
#[expect(clippy::many_single_char_names, reason = "the names of the source")]
fn deviation(samples: &[Sample], total: u64) -> f64 {
    let (n, k) = (float(total), float_len(samples.len()));
    let inverse_sizes: f64 = samples.iter().map(|sample| 1.0 / sample.size()).sum();
    // h = Σ_{i<N} 1/i, g = Σ_{i<j<N} 1/((N - i) j)
    let (mut h, mut g) = (0.0, 0.0);
    for i in 1..total - 1 {
        h += 1.0 / (n - float(i));
        g += h / (float(i) + 1.0);
    }
    h += 1.0;
    let a = (4.0 * g - 6.0) * (k - 1.0) + (10.0 - 6.0 * g) * inverse_sizes;
    let b = (2.0 * g - 4.0) * k * k + 8.0 * h * k + (2.0 * g - 14.0 * h - 4.0) * inverse_sizes - 8.0 * h
        + 4.0 * g
        - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * k * k
        + (4.0 * h - 4.0 * g + 6.0) * k
        + (2.0 * h - 6.0) * inverse_sizes
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * k * k - 4.0 * h * k;
    let variance = (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
    variance.sqrt()
}
