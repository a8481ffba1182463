//! The two-sample Kolmogorov-Smirnov test: the greatest distance of two empirical distribution functions.

use super::deviation::{Deviation, Values};
use super::reference::SortedReference;
use super::sample::left_out;
use super::smirnov::Smirnov;
use crate::error::Error;
use crate::float::float;
use crate::result::{Side, TestResult, Warning};

const EFFECT: &str = "D";
const EXACT: &str = "kolmogorov-smirnov, exact";
const ASYMPTOTIC: &str = "kolmogorov-smirnov, asymptotic";

/// Below this effective size the approximation has fewer than three digits far out.
const SMALL: f64 = 100.0;

/// Operations that the exact probability may take unasked: about a millisecond.
const QUICK: f64 = float(1 << 20);

/// Operations that it may take when asked for: some seconds.
const BEARABLE: f64 = float(1 << 32);

/// How the p-value of the Kolmogorov-Smirnov test is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KsMethod {
    /// Exactly where that takes about a millisecond or less, otherwise by the approximation.
    #[default]
    Auto,
    /// Exactly, or refused where it would take more than some seconds.
    Exact,
    /// By the approximation for large samples.
    Asymptotic,
}

impl KsMethod {
    /// The method of this name: `"auto"`, `"exact"` or `"asymptotic"`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another name.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "auto" => Ok(Self::Auto),
            "exact" => Ok(Self::Exact),
            "asymptotic" => Ok(Self::Asymptotic),
            _ => Err(Error::argument(
                "method",
                format!("must be \"auto\", \"exact\" or \"asymptotic\", not {name:?}"),
            )),
        }
    }
}

/// Two-sided test that the current sample comes from the distribution of the reference.
///
/// The statistic and effect size is D = max |F(x) - G(x)|, where F(x) and G(x) are the shares of the reference
/// and of the current sample that are not greater than x, so equal values of both samples count together.
///
/// The p-value is exact where the samples are of the same size, or where the points of the lattice that it is
/// summed over are at most about a million (four, if the effective size nm / (n + m) is below 100). Elsewhere it
/// is approximate, for p >= 1e-6 with a relative error below 0.002 for effective sizes of 1,000 and below 0.001
/// from 5,000 on. With equal values it is conservative: the true one is at most as large.
///
/// # Errors
///
/// [`Error::Argument`] if the exact p-value is asked for where it would take too long.
pub fn ks_test(
    reference: &SortedReference,
    current: &(impl Values + ?Sized),
    method: KsMethod,
) -> Result<TestResult, Error> {
    let deviation = Deviation::between(reference, current);
    let n = [reference.count(), deviation.count];
    let left_out =
        [left_out(Side::Reference, reference.left_out()), left_out(Side::Current, deviation.left_out)];
    let left_out = left_out.into_iter().flatten();
    if n.contains(&0) {
        return Ok(TestResult::without_data("kolmogorov-smirnov", EFFECT, n, 1).warned(left_out));
    }
    let smirnov = Smirnov::new(n, deviation.greatest);
    let exact = is_exact(&smirnov, method)?;
    let statistic = Some(smirnov.distance());
    let small = !exact && smirnov.effective_size() < SMALL;
    let warnings = [
        reference.has_ties.then_some(Warning::Ties),
        small.then(|| Warning::SmallSample { n: smirnov.effective_size(), wanted: SMALL }),
    ];
    Ok(TestResult {
        method: if exact { EXACT } else { ASYMPTOTIC },
        statistic,
        p_value: Some(if exact { smirnov.exact() } else { smirnov.asymptotic() }),
        effect_size: statistic,
        effect: EFFECT,
        n_reference: reference.count(),
        n_current: deviation.count,
        warnings: warnings.into_iter().flatten().chain(left_out).collect(),
    })
}

fn is_exact(smirnov: &Smirnov, method: KsMethod) -> Result<bool, Error> {
    let cost = smirnov.exact_cost();
    match method {
        KsMethod::Asymptotic => Ok(false),
        KsMethod::Auto => {
            // Where the approximation is worse, more time is well spent.
            Ok(cost <= if smirnov.effective_size() < SMALL { 4.0 * QUICK } else { QUICK })
        }
        KsMethod::Exact if cost <= BEARABLE => Ok(true),
        KsMethod::Exact => Err(Error::argument(
            "method",
            format!("\"exact\" would take {cost:.0e} operations for these samples; use \"auto\""),
        )),
    }
}
