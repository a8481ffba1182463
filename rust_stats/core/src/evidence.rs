//! Evidence that stays valid however often it is looked at.
//!
//! An e-value is a number whose mean is at most one where nothing is wrong; an e-process is a sequence of them
//! such that, where nothing is wrong, it *ever* reaches 1/alpha with probability at most alpha (Ville's
//! inequality). So it may be watched every five minutes for years, and one may stop, go on or decide at any
//! moment. A confidence sequence is the set of values that an e-process has not yet refuted.
//!
//! | file | what |
//! |---|---|
//! | `drift` | [`DriftEvidence`]: has a distribution, as counts on bins, left that of its reference? |
//! | `mean` | [`MeanSequence`]: a mean, by the normal mixture |
//! | `rate` | [`RateSequence`]: a rate of successes, by the beta-binomial mixture |
//! | `betting` | [`BoundedMeanSequence`]: a mean of values within known bounds, by betting |
//! | `dirichlet` | the Dirichlet-multinomial ratio that `drift` and `rate` rest on |

mod betting;
mod dirichlet;
mod drift;
mod epochs;
mod mean;
mod normal_mixture;
mod rate;
mod root;

pub use betting::BoundedMeanSequence;
pub use drift::DriftEvidence;
pub use mean::MeanSequence;
pub use normal_mixture::{Sides, normal_mixture_bound};
pub use rate::RateSequence;

use crate::error::Error;

/// The level at which the mixtures are tightest at the count asked for, as in the package confseq.
const TIGHTEST_LEVEL: f64 = 0.05;

/// An interval from its lower to its upper end.
pub type Interval = (f64, f64);

/// The interval of a - b that holds whenever both intervals hold.
fn difference(a: Interval, b: Interval) -> Interval {
    (a.0 - b.1, a.1 - b.0)
}

/// `alpha`, or its refusal.
pub(crate) fn level(name: &'static str, alpha: f64) -> Result<f64, Error> {
    if 0.0 < alpha && alpha < 1.0 {
        Ok(alpha)
    } else {
        let problem = format!("must lie between 0 and 1, both excluded, but is {alpha:?}; 0.05 is usual");
        Err(Error::argument(name, problem))
    }
}

/// `value` if it is finite and above zero, or its refusal.
fn positive(name: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value < f64::INFINITY {
        Ok(value)
    } else {
        Err(Error::argument(name, format!("must be finite and greater than zero, but is {value:?}")))
    }
}

/// ln(exp(a) + exp(b)) without leaving the range of numbers.
fn log_sum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}
