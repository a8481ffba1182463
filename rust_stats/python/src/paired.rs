//! Comparisons of paired values for Python.

use edge_aiops_stats_core::paired;
use pyo3::prelude::*;

use crate::column;
use crate::errors::to_python;
use crate::metrics::MetricResult;
use crate::result::TestResult;

/// Two-sided Wilcoxon signed-rank test that the differences of pairs are symmetric about zero.
///
/// Args:
///     reference: NumPy array of one dimension holding float64, float32, int64 or bool: the first value of each pair.
///     current: NumPy array of the same length: the second values. Pairs with a value that is not finite are left out.
///
/// Returns:
///     statistic: W+, the sum of the ranks, by size, of differences current - reference above zero; mean ranks for
///     equal sizes, and pairs without a difference left out (warning "equal_pairs"). p_value: exact for up to 50
///     differences, also of equal size, otherwise from the normal distribution, corrected for equal sizes and for
///     continuity; method says which. effect_size: the matched-pairs rank-biserial correlation, from -1 where every
///     current value is the lesser to 1. n_reference and n_current: pairs of finite values.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or arrays of different lengths.
///
/// Wilcoxon, Biometrics Bulletin 1 (1945).
#[pyfunction]
#[pyo3(signature = (reference, current))]
pub fn signed_rank_test(reference: &Bound<'_, PyAny>, current: &Bound<'_, PyAny>) -> PyResult<TestResult> {
    let py = reference.py();
    let (reference, current) =
        (column::collected(reference, "reference")?, column::collected(current, "current")?);
    py.detach(|| paired::signed_rank_test(&reference, &current)).map(TestResult).map_err(to_python)
}

/// How far the second values of pairs lie from the first: the Hodges-Lehmann estimate with an interval.
///
/// Args:
///     reference: NumPy array of one dimension holding float64, float32, int64 or bool: the first value of each pair.
///     current: NumPy array of the same length: the second values. Pairs with a value that is not finite are left out.
///     confidence: the probability with which such an interval holds the truth.
///
/// Returns:
///     value: the median of the means of all pairs of differences current - reference. low and high: the shifts that
///     Wilcoxon's signed-rank test does not refuse, exactly for up to 50 pairs; None, with a warning
///     "too_few_for_interval", where so few pairs cannot give that confidence. n: pairs of finite values.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, arrays of different lengths, or a confidence outside of (0, 1).
///
/// Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963).
#[pyfunction]
#[pyo3(signature = (reference, current, *, confidence=0.95))]
pub fn paired_shift(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    confidence: f64,
) -> PyResult<MetricResult> {
    let py = reference.py();
    let (reference, current) =
        (column::collected(reference, "reference")?, column::collected(current, "current")?);
    py.detach(|| paired::paired_shift(&reference, &current, confidence)).map(MetricResult).map_err(to_python)
}
