//! Wilcoxon's signed-rank test: whether differences lie as often and as far above zero as below.

use super::{Differences, MOST_EXACT, sums_of_ranks};
use crate::error::Error;
use crate::float::float_len;
use crate::result::{TestResult, Warning};
use crate::special::normal_upper;

const EFFECT: &str = "matched-pairs rank-biserial correlation";
const EXACT: &str = "wilcoxon signed-rank, exact";
const ASYMPTOTIC: &str = "wilcoxon signed-rank, asymptotic";

/// Two-sided test that the differences of the pairs are symmetric about zero.
///
/// The statistic is W⁺: the sum of the ranks, by size, of the differences above zero, mean ranks for equal sizes.
/// Pairs without a difference are left out, as Wilcoxon did (Biometrics Bulletin 1 (1945), 80). The p-value is exact
/// for up to 50 differences, those of equal size included; beyond it is from the normal distribution, with corrections
/// for equal sizes and for continuity.
///
/// The effect size is the matched-pairs rank-biserial correlation (Kerby, Comprehensive Psychology 3 (2014)): the share
/// of the ranks above zero less the share below, from -1 to 1.
///
/// # Errors
///
/// [`Error::Argument`] for samples of different lengths.
///
/// ```
/// use edge_aiops_stats_core::paired::signed_rank_test;
///
/// let found = signed_rank_test(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.5, 2.25, 3.75, 5.0, 6.25])?;
/// assert_eq!((found.statistic, found.p_value, found.effect_size), (Some(15.0), Some(0.0625), Some(1.0)));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn signed_rank_test(reference: &[f64], current: &[f64]) -> Result<TestResult, Error> {
    let Differences { values, left_out } = Differences::of(reference, current)?;
    let pairs = values.len();
    let n = [pairs as u64; 2];
    if pairs == 0 {
        return Ok(TestResult::without_data("wilcoxon signed-rank", EFFECT, n, 1).warned(left_out));
    }
    let ranks = Ranks::of(values);
    let exact = ranks.count() <= MOST_EXACT;
    let p_value = match ranks.count() {
        0 => 1.0,
        _ if exact => ranks.exact_two_sided(),
        _ => ranks.asymptotic_two_sided(),
    };
    let equal = pairs - ranks.count();
    let warnings = [
        (ranks.count() == 0).then_some(Warning::Constant),
        (equal > 0 && ranks.count() > 0).then(|| Warning::Other {
            code: "equal_pairs",
            message: format!("{equal} pairs without a difference were left out"),
        }),
        (!exact && ranks.ties > 0.0).then_some(Warning::Ties),
    ];
    let total = ranks.total();
    Ok(TestResult {
        method: if exact { EXACT } else { ASYMPTOTIC },
        statistic: Some(ranks.positive()),
        p_value: Some(p_value),
        effect_size: Some(if total > 0.0 { 2.0 * ranks.positive() / total - 1.0 } else { 0.0 }),
        effect: EFFECT,
        n_reference: n[0],
        n_current: n[1],
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    })
}

/// The ranks of the differences that are not zero, by size.
struct Ranks {
    /// Twice the rank of each, so that mean ranks are whole.
    twice: Vec<usize>,
    /// Twice the sum of those of positive differences.
    twice_positive: usize,
    /// Σ (t³ - t) over sizes that occur t times.
    ties: f64,
}

impl Ranks {
    fn of(mut differences: Vec<f64>) -> Self {
        differences.retain(|value| *value != 0.0);
        differences.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mut ranks = Self { twice: Vec::with_capacity(differences.len()), twice_positive: 0, ties: 0.0 };
        #[expect(clippy::float_cmp, reason = "equal sizes share a rank, near ones do not")]
        for equal in differences.chunk_by(|a, b| a.abs() == b.abs()) {
            let below = ranks.twice.len();
            let twice = 2 * below + equal.len() + 1;
            ranks.twice.extend(equal.iter().map(|_| twice));
            ranks.twice_positive += twice * equal.iter().filter(|value| **value > 0.0).count();
            let tied = float_len(equal.len());
            ranks.ties += tied * (tied * tied - 1.0);
        }
        ranks
    }

    const fn count(&self) -> usize {
        self.twice.len()
    }

    fn total(&self) -> f64 {
        let n = float_len(self.count());
        n * (n + 1.0) / 2.0
    }

    const fn positive(&self) -> f64 {
        float_len(self.twice_positive) / 2.0
    }

    /// P(W⁺ at least as far from its mean) over all signs, which are equally probable.
    fn exact_two_sided(&self) -> f64 {
        let ways = sums_of_ranks(&self.twice);
        // The distribution is symmetric, so that one tail says both.
        let least = self.twice_positive.min(ways.len() - 1 - self.twice_positive);
        let tail: f64 = ways.iter().take(least + 1).sum();
        (2.0 * tail / ways.iter().sum::<f64>()).min(1.0)
    }

    fn asymptotic_two_sided(&self) -> f64 {
        let n = float_len(self.count());
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - self.ties / 48.0;
        let distance = (self.positive() - self.total() / 2.0).abs() - 0.5;
        (2.0 * normal_upper(distance / variance.sqrt())).min(1.0)
    }
}
