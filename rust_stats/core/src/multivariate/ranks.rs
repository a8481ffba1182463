//! Mann-Whitney's comparison of two sorted samples, with the normal approximation.

use crate::float::{float, float_len};
use crate::special::normal_upper;

/// U of a sample against a reference, and the chance under no difference of one as far from the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MannWhitney {
    /// Pairs in which the current value is the larger, ties by half.
    pub(super) u: f64,
    /// Two-sided, with the corrections for ties and for continuity.
    pub(super) p_value: f64,
    /// 2 U / (n m) - 1: chance that a current value is the larger one less that it is the smaller one.
    pub(super) cliffs_delta: f64,
    /// Every value is the same.
    pub(super) constant: bool,
}

/// Both sorted and not empty. Mann and Whitney (1947); as SciPy's `mannwhitneyu(method="asymptotic")`.
pub(super) fn mann_whitney(reference: &[f64], current: &[f64]) -> MannWhitney {
    let (mut left, mut right) = (reference.iter().peekable(), current.iter().peekable());
    let (mut below, mut u, mut ties) = (0, 0.0, 0.0);
    while let Some(at) = smaller(left.peek(), right.peek()) {
        let (mut equal, mut here) = (0, 0);
        while left.next_if(|value| **value <= at).is_some() {
            equal += 1;
        }
        while right.next_if(|value| **value <= at).is_some() {
            here += 1;
        }
        u += float(here) * (float(below) + float(equal) / 2.0);
        below += equal;
        let together = float(equal + here);
        ties += together * together * together - together;
    }
    let (n, m) = (float_len(reference.len()), float_len(current.len()));
    let (pairs, all) = (n * m, n + m);
    let variance = pairs / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    let constant = variance.is_nan() || variance <= 0.0;
    let distance = (u - pairs / 2.0).abs() - 0.5;
    let p_value = if constant { 1.0 } else { (2.0 * normal_upper(distance / variance.sqrt())).min(1.0) };
    MannWhitney { u, p_value, cliffs_delta: 2.0 * u / pairs - 1.0, constant }
}

fn smaller(one: Option<&&f64>, other: Option<&&f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(**other)),
        (one, other) => one.or(other).map(|value| **value),
    }
}

#[cfg(test)]
mod tests {
    use super::mann_whitney;

    #[test]
    fn ties_count_by_half() {
        let found = mann_whitney(&[1.0, 2.0, 2.0], &[2.0, 3.0]);
        // Of the six pairs three are larger by 3.0, one by 2.0 over 1.0, and two are tied.
        assert_eq!((found.u, found.constant), (5.0, false));
        assert!((found.cliffs_delta - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn a_constant_shows_no_difference() {
        let found = mann_whitney(&[1.0; 5], &[1.0; 7]);
        assert_eq!((found.p_value, found.cliffs_delta, found.constant), (1.0, 0.0, true));
    }
}
