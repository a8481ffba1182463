//! Many tests at once: which of them to believe.
//!
//! A p-value or e-value that is not there, because a feature had no data, is no test: it is not rejected and
//! does not count among the tests, so that an empty column makes no other harder to find.

use crate::error::Error;
use crate::float::float_len;

/// Which of many hypotheses are rejected, in the order in which they were given.
#[derive(Debug, Clone, PartialEq)]
pub struct Discoveries {
    /// Whether each hypothesis is rejected: exactly where its adjusted value is at most alpha.
    pub rejected: Vec<bool>,
    /// For each hypothesis the smallest alpha at which it would be rejected; `None` where there was no test.
    pub adjusted: Vec<Option<f64>>,
    /// Number of tests: of values that were there.
    pub tests: usize,
    /// The rate of false discoveries that was asked for.
    pub alpha: f64,
}

/// Controls the false discovery rate at `alpha` for p-values that are independent or positively dependent.
///
/// Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289; the adjusted p-values are
/// min over j ≥ i of p₍ⱼ₎ K / j. NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1) or a p-value outside of \[0, 1\].
///
/// ```
/// use edge_aiops_stats_core::multiplicity::benjamini_hochberg;
///
/// let found = benjamini_hochberg(&[Some(0.001), None, Some(0.9), Some(0.03)], 0.05)?;
/// assert_eq!(found.rejected, [true, false, false, true]);
/// assert_eq!(found.adjusted, [Some(0.003), None, Some(0.9), Some(0.045)]);
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn benjamini_hochberg(p_values: &[Option<f64>], alpha: f64) -> Result<Discoveries, Error> {
    step_up(checked_p_values(p_values)?, alpha, |_| 1.0)
}

/// Controls the false discovery rate at `alpha` for p-values of any dependence, at the price of a factor
/// 1 + 1/2 + ... + 1/K on them.
///
/// Benjamini and Yekutieli, Annals of Statistics 29 (2001), 1165. NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1) or a p-value outside of \[0, 1\].
pub fn benjamini_yekutieli(p_values: &[Option<f64>], alpha: f64) -> Result<Discoveries, Error> {
    step_up(checked_p_values(p_values)?, alpha, |tests| (1..=tests).map(|i| 1.0 / float_len(i)).sum())
}

/// Controls the false discovery rate at `alpha` for e-values of any dependence.
///
/// Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022), 822: the hypotheses with the k largest
/// e-values are rejected for the largest k with k e₍ₖ₎ ≥ K / alpha. The e-values must be those of one moment: the
/// procedure is not valid on the running maxima of e-processes (arXiv 2501.19360). NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1) or a negative e-value.
pub fn e_benjamini_hochberg(e_values: &[Option<f64>], alpha: f64) -> Result<Discoveries, Error> {
    let inverted = present(e_values)
        .map(|value| match value {
            Some(negative) if negative < 0.0 => {
                Err(Error::argument("e_values", format!("must not be negative, but one is {negative:?}")))
            }
            // The inverse of an e-value is a p-value, and this the procedure of Benjamini and Hochberg on it.
            there => Ok(there.map(f64::recip)),
        })
        .collect::<Result<_, _>>()?;
    step_up(inverted, alpha, |_| 1.0)
}

fn checked_p_values(p_values: &[Option<f64>]) -> Result<Vec<Option<f64>>, Error> {
    present(p_values)
        .map(|value| match value {
            Some(p) if !(0.0..=1.0).contains(&p) => {
                Err(Error::argument("p_values", format!("must lie between 0 and 1, but one is {p:?}")))
            }
            there => Ok(there),
        })
        .collect()
}

fn present(values: &[Option<f64>]) -> impl Iterator<Item = Option<f64>> {
    values.iter().map(|value| value.filter(|number| !number.is_nan()))
}

/// From the largest value down, each times `factor` of the number of tests and divided by its rank.
fn step_up(
    values: Vec<Option<f64>>,
    alpha: f64,
    factor: impl Fn(usize) -> f64,
) -> Result<Discoveries, Error> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Error::argument(
            "alpha",
            format!("must lie between 0 and 1, but is {alpha:?}; 0.05 is usual"),
        ));
    }
    let mut ranked: Vec<_> =
        values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))).collect();
    ranked.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let tests = ranked.len();
    let scale = float_len(tests) * factor(tests);
    let mut adjusted = values;
    let mut smallest = 1.0_f64;
    for (rank, (index, value)) in ranked.into_iter().enumerate().rev() {
        smallest = smallest.min(value * (scale / float_len(rank + 1)));
        if let Some(slot) = adjusted.get_mut(index) {
            *slot = Some(smallest);
        }
    }
    let rejected = adjusted.iter().map(|value| value.is_some_and(|it| it <= alpha)).collect();
    Ok(Discoveries { rejected, adjusted, tests, alpha })
}
