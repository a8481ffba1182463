//! Evidence that stays valid however often it is looked at, for Python.

mod betting;
mod drift;
mod mean;
mod rate;

use edge_aiops_stats_core as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::to_python;

pub use betting::BoundedMeanSequence;
pub use drift::DriftEvidence;
pub use mean::MeanSequence;
pub use rate::RateSequence;

/// The bound that a centred sum of variance `v` exceeds at any v with probability at most `alpha`.
///
/// Args:
///     v: variance of the sum so far; for n values of deviation s that is n s**2.
///     alpha: probability, between 0 and 1.
///     v_opt: the variance at which the bound should be about tightest.
///     alpha_opt: the alpha for which it should be that, below 0.5 if one-sided.
///     one_sided: whether only sums above zero count, or also those as far below it.
///
/// Returns:
///     The bound, in the unit of the sum.
///
/// Raises:
///     ValueError: a variance that is negative or not finite, a probability that is none, or variances so large
///         or so far apart that the bound is beyond the range of float64.
///
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021), propositions 4 and 5.
#[pyfunction]
#[pyo3(signature = (v, *, v_opt, alpha=0.05, alpha_opt=0.05, one_sided=true))]
pub fn normal_mixture_bound(
    v: f64,
    v_opt: f64,
    alpha: f64,
    alpha_opt: f64,
    one_sided: bool,
) -> PyResult<f64> {
    let sides = if one_sided { core::Sides::One } else { core::Sides::Two };
    core::normal_mixture_bound(v, alpha, v_opt, alpha_opt, sides).map_err(to_python)
}

fn whole(number: i64, name: &str) -> PyResult<u64> {
    u64::try_from(number)
        .map_err(|_| PyValueError::new_err(format!("{name} must not be negative, but is {number}")))
}

fn shown(number: Option<f64>) -> String {
    number.map_or_else(|| "None".into(), |number| format!("{number:?}"))
}
