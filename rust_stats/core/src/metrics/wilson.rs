//! Wilson's interval for a rate.
//!
//! All rates p with |p̂ − p| ≤ z √(p (1 − p) / n):
//!
//! ```text
//! (p̂ + z²/2n ± z √(p̂ (1 − p̂)/n + z²/4n²)) / (1 + z²/n)
//! ```
//!
//! Wilson, JASA 22 (1927). Chosen over Clopper and Pearson's, whose level is never below the nominal one but
//! mostly far above: Brown, Cai and DasGupta, Statistical Science 16 (2001), recommend Wilson's for small n.

use crate::float::float;

/// What [`wilson`] gives, as results name it.
pub(super) const WILSON: &str = "wilson score";

/// The interval of `deviations` z for `successes` of `trials`: from 0 to 1 if there are no trials.
pub(super) fn wilson(successes: u64, trials: u64, deviations: f64) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    let n = float(trials);
    let rate = float(successes) / n;
    let square = deviations * deviations / n;
    let middle = rate + square / 2.0;
    let reach = (square * (rate * (1.0 - rate) + square / 4.0)).sqrt();
    let low = if successes == 0 { 0.0 } else { ((middle - reach) / (1.0 + square)).max(0.0) };
    let high = if successes >= trials { 1.0 } else { ((middle + reach) / (1.0 + square)).min(1.0) };
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_is_that_of_the_literature() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3, at 95 %.
        let z = 1.959_963_984_540_054;
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let [found_low, found_high] = wilson(successes, trials, z);
            assert!((found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5);
        }
        assert!(wilson(0, 0, z).iter().eq(&[0.0, 1.0]));
        assert!(wilson(u64::MAX, u64::MAX, z)[1] >= 1.0);
    }
}
