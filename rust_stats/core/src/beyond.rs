//! Values beyond all that the reference had: more of them than chance?
//!
//! Of n values of a reference and m later ones of the same distribution every order is equally likely. Read from
//! outside in, from both ends, k or more of the later ones come before the second value of the reference with
//! the probability that at most one of k + 1 draws without replacement is of the reference:
//!
//! ```text
//! P = m! (n + m − k − 1)! / ((m − k − 1)! (n + m)!) + (k + 1) n m! (n + m − k − 1)! / ((m − k)! (n + m)!)
//! ```
//!
//! (hypergeometric; Wilks, Annals of Mathematical Statistics 13 (1942), 400, on tolerance limits from both extremes).
//! Equal values only make it less likely, so the test is conservative for them. It is Fisher's exact test for a
//! single end, which for both together would alarm too often.

use crate::counts::fisher_exact_test;
use crate::error::Error;
use crate::float::float;
use crate::result::{TestResult, Warning};
use crate::special::ln_gamma;

const METHOD: &str = "beyond both extremes, exact";
const EFFECT: &str = "share beyond";

/// Tests `ours`, how many later values lie within and beyond the extremes of a reference, against `theirs`. A
/// reference that has values beyond its own edges, as one taken over from production has, is compared by Fisher's
/// exact test.
pub(crate) fn beyond_test(theirs: [u64; 2], ours: [u64; 2]) -> Result<TestResult, Error> {
    let ([n, beyond], [within, k]) = (theirs, ours);
    let m = within.saturating_add(k);
    if beyond > 0 {
        let mut test = fisher_exact_test(&theirs, &ours)?;
        test.warnings.retain(|warning| *warning != Warning::Constant);
        return Ok(test);
    }
    if n == 0 || m == 0 {
        return Ok(TestResult::without_data(METHOD, EFFECT, [n, m], 1));
    }
    Ok(TestResult {
        method: METHOD,
        statistic: Some(float(k)),
        p_value: Some(p_value(float(n), float(m), float(k))),
        effect_size: Some(float(k) / float(m)),
        effect: EFFECT,
        n_reference: n,
        n_current: m,
        warnings: Vec::new(),
    })
}

fn p_value(n: f64, m: f64, k: f64) -> f64 {
    if k < 1.0 {
        return 1.0;
    }
    // m! / (m − k)! · (n + m − k − 1)! / (n + m)!
    let ways = ln_gamma(m + 1.0) - ln_gamma(m - k + 1.0) + ln_gamma(n + m - k) - ln_gamma(n + m + 1.0);
    (ways.exp() * ((m - k) + (k + 1.0) * n)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::p_value;

    #[test]
    fn it_is_the_share_of_all_orders() {
        // Of two of the reference and two later ones there are six orders; in five one at least lies outside, in
        // three both do.
        assert!((p_value(2.0, 2.0, 1.0) - 5.0 / 6.0).abs() < 1e-14);
        assert!((p_value(2.0, 2.0, 2.0) - 3.0 / 6.0).abs() < 1e-14);
        assert!((p_value(1.0, 5.0, 5.0) - 1.0).abs() < 1e-14);
        // One of one: 2 / (n + 1).
        assert!((p_value(1e6, 1.0, 1.0) - 2.0 / 1_000_001.0).abs() < 1e-14);
    }
}
