//! Many tests at once: which of them to believe.
//!
//! A p-value or e-value that is not there, because a feature had no data, is no test: it is not rejected and
//! does not count among the tests, so that an empty column makes no other harder to find.

use crate::error::Error;
use crate::float::float_len;

/// Which of many hypotheses are rejected, in the order in which they were given.
#[derive(Debug, Clone, PartialEq)]
pub struct Discoveries {
    /// For each hypothesis the smallest alpha at which it would be rejected; infinite where there was no test.
    levels: Vec<f64>,
    /// Number of tests: of values that were there.
    pub tests: usize,
    /// The rate of false discoveries that was asked for.
    pub alpha: f64,
}

impl Discoveries {
    /// For each hypothesis the smallest alpha at which it would be rejected; `None` where there was no test.
    #[must_use]
    pub fn adjusted(&self) -> impl ExactSizeIterator<Item = Option<f64>> {
        self.levels.iter().map(|level| Some(*level).filter(|level| level.is_finite()))
    }

    /// Whether each hypothesis is rejected: exactly where its adjusted value is at most alpha.
    #[must_use]
    pub fn rejected(&self) -> impl ExactSizeIterator<Item = bool> {
        self.levels.iter().map(|level| *level <= self.alpha)
    }
}

/// Keeps the chance of even one false rejection at `alpha` for p-values of any dependence.
///
/// Holm, Scandinavian Journal of Statistics 6 (1979), 65; the adjusted p-values are max over j ≤ i of (K - j + 1) p₍ⱼ₎.
/// NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1), a p-value outside of \[0, 1\], or 2³² values or more.
///
/// ```
/// use edge_aiops_stats_core::multiplicity::holm;
///
/// let found = holm(vec![0.01, f64::NAN, 0.9, 0.02], 0.05)?;
/// assert!(found.rejected().eq([true, false, false, true]));
/// assert!(found.adjusted().eq([Some(0.03), None, Some(0.9), Some(0.04)]));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
#[expect(clippy::indexing_slicing, reason = "the ranks are indices of the values")]
pub fn holm(p_values: Vec<f64>, alpha: f64) -> Result<Discoveries, Error> {
    check(&p_values)?;
    step(p_values, "p_values", alpha, |values, ascending| {
        let tests = ascending.len();
        let mut largest = 0.0_f64;
        for (rank, index) in ascending.into_iter().enumerate() {
            let value = &mut values[index as usize];
            largest = largest.max(*value * float_len(tests - rank)).min(1.0);
            *value = largest;
        }
    })
}

/// Controls the false discovery rate at `alpha` for p-values that are independent or positively dependent.
///
/// Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289; the adjusted p-values are
/// min over j ≥ i of p₍ⱼ₎ K / j. NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1), a p-value outside of \[0, 1\], or 2³² values or more.
///
/// ```
/// use edge_aiops_stats_core::multiplicity::benjamini_hochberg;
///
/// let found = benjamini_hochberg(vec![0.001, f64::NAN, 0.9, 0.03], 0.05)?;
/// assert!(found.rejected().eq([true, false, false, true]));
/// assert!(found.adjusted().eq([Some(0.003), None, Some(0.9), Some(0.045)]));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
pub fn benjamini_hochberg(p_values: Vec<f64>, alpha: f64) -> Result<Discoveries, Error> {
    check(&p_values)?;
    step_up(p_values, "p_values", alpha, |_| 1.0)
}

/// Controls the false discovery rate at `alpha` for p-values of any dependence, at the price of a factor
/// 1 + 1/2 + ... + 1/K on them.
///
/// Benjamini and Yekutieli, Annals of Statistics 29 (2001), 1165. NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1), a p-value outside of \[0, 1\], or 2³² values or more.
pub fn benjamini_yekutieli(p_values: Vec<f64>, alpha: f64) -> Result<Discoveries, Error> {
    check(&p_values)?;
    step_up(p_values, "p_values", alpha, |tests| (1..=tests).map(|i| 1.0 / float_len(i)).sum())
}

/// Controls the false discovery rate at `alpha` for e-values of any dependence.
///
/// Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022), 822: the hypotheses with the k largest
/// e-values are rejected for the largest k with k e₍ₖ₎ ≥ K / alpha. The e-values must be those of one moment: the
/// procedure is not valid on the running maxima of e-processes (arXiv 2501.19360). NaN counts as not there.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1), a negative e-value, or 2³² values or more.
pub fn e_benjamini_hochberg(mut e_values: Vec<f64>, alpha: f64) -> Result<Discoveries, Error> {
    for value in &mut e_values {
        if *value < 0.0 {
            return Err(Error::argument("e_values", format!("must not be negative, but one is {value:?}")));
        }
        // The inverse of an e-value is a p-value, and this the procedure of Benjamini and Hochberg on it.
        *value = value.recip();
    }
    step_up(e_values, "e_values", alpha, |_| 1.0)
}

fn check(p_values: &[f64]) -> Result<(), Error> {
    let outside = |p: &&f64| !p.is_nan() && !(0.0..=1.0).contains(*p);
    p_values.iter().find(outside).map_or(Ok(()), |p| {
        Err(Error::argument("p_values", format!("must lie between 0 and 1, but one is {p:?}")))
    })
}

/// From the largest value down, each times `factor` of the number of tests and divided by its rank.
#[expect(clippy::indexing_slicing, reason = "the ranks are indices of the values")]
fn step_up(
    values: Vec<f64>,
    name: &'static str,
    alpha: f64,
    factor: impl Fn(usize) -> f64,
) -> Result<Discoveries, Error> {
    step(values, name, alpha, |values, ascending| {
        let scale = float_len(ascending.len()) * factor(ascending.len());
        let mut smallest = 1.0_f64;
        for (rank, index) in ascending.into_iter().enumerate().rev() {
            let value = &mut values[index as usize];
            smallest = smallest.min(*value * (scale / float_len(rank + 1)));
            *value = smallest;
        }
    })
}

/// `adjust` gets the values and the places of those that are there, from the smallest on.
///
/// In place: beside the values there is only their order.
#[expect(clippy::indexing_slicing, reason = "the ranks are indices of the values")]
fn step(
    mut values: Vec<f64>,
    name: &'static str,
    alpha: f64,
    adjust: impl FnOnce(&mut [f64], Vec<u32>),
) -> Result<Discoveries, Error> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Error::argument(
            "alpha",
            format!("must lie between 0 and 1, but is {alpha:?}; 0.05 is usual"),
        ));
    }
    let Ok(length) = u32::try_from(values.len()) else {
        return Err(Error::argument(name, format!("must be fewer than 2^32, but are {}", values.len())));
    };
    let there = |index: &u32| !values[*index as usize].is_nan();
    let tests = (0..length).filter(there).count();
    let mut ascending = Vec::with_capacity(tests);
    ascending.extend((0..length).filter(there));
    ascending.sort_unstable_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
    adjust(&mut values, ascending);
    for value in values.iter_mut().filter(|value| value.is_nan()) {
        *value = f64::INFINITY;
    }
    Ok(Discoveries { levels: values, tests, alpha })
}
