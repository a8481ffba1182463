//! Evidence that starts anew every so many windows, so that a late drift is not diluted by quiet weeks.
//!
//! One is kept in cash, of which `b_k` is laid on epoch `k` when that begins; all `b_k` add up to one. What an
//! epoch returns is laid on the next one, together with the `b` of that. Within epoch `k` the stake is
//! multiplied by
//!
//! ```text
//! e_k = mean over κ of DM(c; κ p_k) / DM(c; w_k),    w_k = reference + everything seen before it + 1/2,
//! ```
//!
//! with `p_k` proportional to `w_k` and `c` the counts of the epoch so far. Given all that came before,
//! `DM(c; w_k)` is the predictive distribution of `c`, so `e_k` has mean one; cash and stake together are a
//! martingale that begins at one, and Ville's inequality holds for them for ever. (The recursion is that of
//! Shiryaev and Roberts, with prior weights `b` on when the drift begins.)
//!
//! The weights are `b_k = a/((k + a - 1)(k + a))`, which add up to `k/(k + a)`: half of the cash is laid within
//! the first `a` epochs, a week of five-minute windows, and no late epoch is left without.

use super::dirichlet::log_ratio;
use super::log_sum;
use crate::float::{float, float_len};

/// After how many windows half of the cash is laid: a week of windows of five minutes.
const HALF_LAID: f64 = 2016.0;

/// What the evidence of an epoch is measured against.
pub(super) struct Past<'a> {
    /// Counts of the reference.
    pub reference: &'a [u64],
    /// Counts of everything seen since the beginning, the current epoch included.
    pub seen: &'a [u64],
    /// The concentrations κ of the alternatives.
    pub concentrations: &'a [f64],
}

impl Past<'_> {
    /// Logarithm of e of the `counts` seen last, given the reference and what was seen before them.
    pub fn log_e(&self, counts: &[u64]) -> f64 {
        let n = counts.iter().sum();
        if n == 0 {
            return 0.0;
        }
        let before = self.seen.iter().zip(counts).map(|(seen, count)| seen.saturating_sub(*count));
        let weights = self
            .reference
            .iter()
            .zip(before)
            .map(|(reference, before)| float(*reference) + float(before) + 0.5);
        let total = weights.clone().sum();
        let alternative = |concentration: &f64| log_ratio(counts, n, weights.clone(), total, *concentration);
        let sum = self.concentrations.iter().map(alternative).fold(f64::NEG_INFINITY, log_sum);
        sum - float_len(self.concentrations.len()).ln() - log_ratio(counts, n, weights.clone(), total, total)
    }
}

/// Evidence that starts anew every `length` windows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Epochs {
    /// Windows in an epoch, at least one.
    pub length: u64,
    /// Logarithm of what lies on the current epoch since its beginning.
    pub log_stake: f64,
    /// What was seen in the current epoch.
    pub counts: Vec<u64>,
}

impl Epochs {
    pub fn new(length: u64, bins: usize) -> Self {
        let mut new = Self { length, log_stake: 0.0, counts: vec![0; bins] };
        new.log_stake = new.log_laid(1.0);
        new
    }

    /// Takes in the counts of a window, the `windows`-th, which `past` already holds.
    pub fn update(&mut self, counts: &[u64], windows: u64, past: &Past<'_>) {
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum = sum.saturating_add(*count);
        }
        if windows.is_multiple_of(self.length) {
            let returned = self.log_stake + past.log_e(&self.counts);
            self.log_stake = log_sum(returned, self.log_laid(self.epoch(windows)));
            self.counts.fill(0);
        }
    }

    /// Logarithm of cash and stake after `windows` windows.
    pub fn log_wealth(&self, windows: u64, past: &Past<'_>) -> f64 {
        let pace = self.pace();
        let cash = pace / (self.epoch(windows) + pace);
        log_sum(cash.ln(), self.log_stake + past.log_e(&self.counts))
    }

    /// The number, from one on, of the epoch that is current after `windows` windows.
    fn epoch(&self, windows: u64) -> f64 {
        1.0 + (float(windows) / float(self.length)).floor()
    }

    fn pace(&self) -> f64 {
        HALF_LAID / float(self.length)
    }

    fn log_laid(&self, epoch: f64) -> f64 {
        let pace = self.pace();
        (pace / (epoch - 1.0 + pace) / (epoch + pace)).ln()
    }
}
