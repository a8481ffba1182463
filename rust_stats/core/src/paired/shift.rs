//! The Hodges-Lehmann estimate of how far the second measurement lies from the first, with an interval.

use super::{Differences, MOST_EXACT, sums_of_ranks};
use crate::error::Error;
use crate::float::float_len;
use crate::metrics::MetricResult;
use crate::order::{number, ordered};
use crate::result::{Side, Warning};
use crate::special::normal_quantile;

const EXACT: &str = "wilcoxon signed-rank, exact";
const ASYMPTOTIC: &str = "wilcoxon signed-rank, asymptotic";

/// The middle of the differences of the pairs, with the interval of shifts that Wilcoxon's signed-rank test does not
/// refuse.
///
/// The estimate is the median of the means of all pairs of differences (Hodges and Lehmann, Annals of Mathematical
/// Statistics 34 (1963), 598): as efficient as the mean for normal differences, and hardly moved by outliers. The
/// interval (Tukey (1949); Hollander and Wolfe, Nonparametric Statistical Methods, 3.3) has at least its confidence for
/// differences symmetric about their middle: exactly for up to 50 pairs, by the normal distribution beyond. It is not
/// there for so few pairs that no interval has that confidence.
///
/// # Errors
///
/// [`Error::Argument`] for samples of different lengths, or a confidence outside of (0, 1).
///
/// ```
/// use edge_aiops_stats_core::paired::paired_shift;
///
/// let found = paired_shift(&[0.0; 6], &[1.0, 2.0, 3.0, 4.0, 5.0, 60.0], 0.95)?;
/// assert_eq!((found.value, found.low, found.high), (Some(3.5), Some(1.0), Some(60.0)));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn paired_shift(reference: &[f64], current: &[f64], confidence: f64) -> Result<MetricResult, Error> {
    if !(confidence > 0.0 && confidence < 1.0) {
        let problem = format!("must be between 0 and 1, as 0.95 is, not {confidence:?}");
        return Err(Error::argument("confidence", problem));
    }
    let Differences { mut values, left_out: mut warnings } = Differences::of(reference, current)?;
    let pairs = values.len();
    let mut found = MetricResult {
        metric: "hodges-lehmann shift",
        value: None,
        n: pairs as u64,
        low: None,
        high: None,
        confidence,
        interval: None,
        warnings: Vec::new(),
    };
    if pairs == 0 {
        let too_few = |side| Warning::TooFewValues { side, n: 0, needed: 1 };
        warnings.splice(0..0, [too_few(Side::Reference), too_few(Side::Current)]);
        return Ok(MetricResult { warnings, ..found });
    }
    values.sort_unstable_by(f64::total_cmp);
    let all = pairs * (pairs + 1) / 2;
    let tail = (1.0 - confidence) / 2.0;
    found.value = Some(mean_of(walsh_average(&values, all.div_ceil(2)), walsh_average(&values, all / 2 + 1)));
    let rank = if pairs <= MOST_EXACT { exact_rank(pairs, tail) } else { asymptotic_rank(pairs, tail) };
    if rank == 0 {
        warnings.push(Warning::Other {
            code: "too_few_for_interval",
            message: format!(
                "{pairs} pairs give no interval with a confidence of {confidence}; measure more"
            ),
        });
    } else {
        found.low = Some(walsh_average(&values, rank));
        found.high = Some(walsh_average(&values, all + 1 - rank));
        found.interval = Some(if pairs <= MOST_EXACT { EXACT } else { ASYMPTOTIC });
    }
    Ok(MetricResult { warnings, ..found })
}

fn mean_of(one: f64, other: f64) -> f64 {
    one / 2.0 + other / 2.0
}

/// The mean of two of the `sorted` values, each with itself included, that is the `rank`-th smallest, from 1 on.
///
/// By bisection over the numbers between the ends: each of at most 64 steps walks once through the values.
fn walsh_average(sorted: &[f64], rank: usize) -> f64 {
    let end = |value: Option<&f64>| ordered(value.copied().unwrap_or_default());
    let (mut low, mut high) = (end(sorted.first()), end(sorted.last()));
    while low < high {
        let middle = low + (high - low) / 2;
        if averages_up_to(sorted, number(middle)) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    number(low)
}

fn averages_up_to(sorted: &[f64], limit: f64) -> usize {
    let mut partners = sorted.len();
    let mut found = 0;
    for (place, value) in sorted.iter().enumerate() {
        while sorted
            .get(..partners)
            .and_then(<[f64]>::last)
            .is_some_and(|other| mean_of(*value, *other) > limit)
        {
            partners -= 1;
        }
        if partners <= place {
            break;
        }
        found += partners - place;
    }
    found
}

/// The least w with P(W⁺ <= w) >= tail, all signs of `pairs` different sizes being equally probable.
fn exact_rank(pairs: usize, tail: f64) -> usize {
    let ways = sums_of_ranks(&(1..=pairs).collect::<Vec<_>>());
    let enough = tail * ways.iter().sum::<f64>();
    let mut below = 0.0;
    ways.iter()
        .take_while(|way| {
            below += **way;
            below < enough
        })
        .count()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of averages"
)]
fn asymptotic_rank(pairs: usize, tail: f64) -> usize {
    let n = float_len(pairs);
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    (mean + normal_quantile(tail) * variance.sqrt() - 0.5).ceil().max(0.0) as usize
}
