//! Tests and distances on counts for Python.

use edge_aiops_stats_core::{self as core, Error, counts};
use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column;
use crate::errors::to_python;
use crate::matrix;
use crate::result::TestResult;

type Numbers<'py> = Bound<'py, PyArray1<f64>>;
type Comparison = fn(&[u64], &[u64]) -> Result<core::TestResult, Error>;

fn compared(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
    compare: Comparison,
) -> PyResult<TestResult> {
    let reference = column::counts(reference_counts, "reference_counts")?;
    let current = column::counts(current_counts, "current_counts")?;
    py.detach(|| compare(&reference, &current)).map(TestResult).map_err(to_python)
}

/// Pearson's chi-square test of two samples for one distribution, without Yates' correction.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The statistic chi-square with (cells left - 1) degrees of freedom, its p-value, and Cramér's V,
///     sqrt(chi-square / (n + m)), between 0 and 1. Cells in which the smaller side expects fewer than five are
///     pooled, in their order (warning pooled_cells). A rest that stays below five is tested exactly against the
///     other cells, and p is twice the smaller of that and of the others' chi-square (warning rare_cell). If
///     pooling leaves one cell, there is no number (warning one_cell_left). Cells that are empty on both sides
///     are left out.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
///
/// Pearson 1900; the rule of five: Cochran, Biometrics 10 (1954).
#[pyfunction]
pub fn chi_square_test(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::chi_square_test)
}

/// The likelihood-ratio test of two samples for one distribution: G in place of chi-square.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The statistic G = 2 sum observed ln(observed / expected), and all else, Cramér's V too, as chi_square_test
///     gives it. For p, G is divided by Williams' factor, without which the test rejects too often where few are
///     expected.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn g_test(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::g_test)
}

/// Fisher's exact test of two samples with two categories, two-sided.
///
/// Args:
///     reference_counts: NumPy array of two counts, int64 or uint64.
///     current_counts: the same of the current sample.
///
/// Returns:
///     The sample odds ratio as statistic and effect size, infinite where only its denominator is zero; p is the
///     probability, given all totals, of the tables that are at most as probable. Where a category is empty on
///     both sides p is 1 without an odds ratio. Time grows with the root of the counts; where the first cell has a
///     variance above 1e11 p is that of the chi-square test, and the method says so.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not two cells a side, or a negative count.
#[pyfunction]
pub fn fisher_exact_test(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::fisher_exact_test)
}

/// Population stability index of the current sample against the reference.
///
/// PSI = sum (p - q) ln(p / q) with p = (r + 1/2) / (n + k/2) and q = (c + 1/2) / (m + k/2) for k cells. The half
/// is part of the definition.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The index as statistic and effect size, without a p-value. Without any drift it is about
///     psi_without_drift(k, n, m), so a fixed threshold means little; for a decision take chi_square_test.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn psi(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::psi)
}

/// What psi is expected to be where nothing has changed: (cells - 1) (1/n_reference + 1/n_current).
///
/// Args:
///     cells: number of bins or categories.
///     n_reference: values in the reference.
///     n_current: values in the current sample.
///
/// Returns:
///     The expectation to first order, for cells of which each side has many values; infinite for a sample of none.
///
/// Yurdakul and Naranjo, Journal of Risk Model Validation 14 (2020).
#[pyfunction]
pub fn psi_without_drift(cells: usize, n_reference: u64, n_current: u64) -> f64 {
    counts::psi_without_drift(cells, n_reference, n_current)
}

/// Jensen-Shannon distance with logarithms to the base 2: 0 for equal shares, 1 where no cell is shared.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The distance, the root of the divergence, as statistic and effect size, without a p-value. No smoothing.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
///
/// Endres and Schindelin, IEEE Transactions on Information Theory 49 (2003).
#[pyfunction]
pub fn jensen_shannon_distance(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::jensen_shannon_distance)
}

/// Kullback-Leibler divergence of the current sample from the reference, D(current || reference), in nats.
///
/// sum q ln(q / p) with p = (r + 1/2) / (n + k/2) of the reference and q = (c + 1/2) / (m + k/2) of the current
/// sample, for k cells. The half is part of the definition.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The divergence as statistic and effect size, without a p-value.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn kullback_leibler_divergence(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::kullback_leibler_divergence)
}

/// Hellinger distance sqrt(sum (sqrt(p) - sqrt(q))**2 / 2) of the shares: between 0 and 1.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The distance as statistic and effect size, without a p-value. No smoothing.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn hellinger_distance(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::hellinger_distance)
}

/// Total variation distance sum |p - q| / 2 of the shares: the share of values that would have to change cells.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     The distance, between 0 and 1, as statistic and effect size, without a p-value. No smoothing.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn total_variation_distance(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::total_variation_distance)
}

/// Two-sample Kolmogorov-Smirnov test on the counts of bins in ascending order.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each cell.
///     current_counts: the same of the current sample, over the same cells.
///
/// Returns:
///     D, the largest difference of the cumulative shares, as statistic and effect size, and p by Kolmogorov's
///     limit with the correction of Stephens (1970), weighted by how unequal the sizes are. Within bins it sees
///     nothing, so it is conservative, the more so the fewer bins there are.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not equally many cells on both sides, or a negative count.
#[pyfunction]
pub fn binned_ks_test(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    compared(py, reference_counts, current_counts, counts::binned_ks_test)
}

/// Wasserstein-1 distance of two samples whose values lie at the positions of their bins.
///
/// Args:
///     reference_counts: NumPy array of one dimension, int64 or uint64: values of the reference in each bin.
///     current_counts: the same of the current sample, over the same bins.
///     positions: NumPy array of one dimension, float64, float32 or int64: where the values of each bin lie, such
///         as its middle or median; finite, in ascending order.
///
/// Returns:
///     The distance in the unit of the positions as statistic: how far a value must be moved on average. The
///     effect size is the distance over the standard deviation (divisor n) of the reference at the same
///     positions, None with the warning constant_reference where that is zero. No p-value.
///
/// Raises:
///     TypeError: not NumPy arrays of such numbers.
///     ValueError: not equally many, a negative count, or positions that are not finite or do not ascend.
#[pyfunction]
pub fn binned_wasserstein_distance(
    py: Python<'_>,
    reference_counts: &Bound<'_, PyAny>,
    current_counts: &Bound<'_, PyAny>,
    positions: &Bound<'_, PyAny>,
) -> PyResult<TestResult> {
    let reference = column::counts(reference_counts, "reference_counts")?;
    let current = column::counts(current_counts, "current_counts")?;
    let positions = column::collected(positions, "positions")?;
    py.detach(|| counts::binned_wasserstein_distance(&reference, &current, &positions))
        .map(TestResult)
        .map_err(to_python)
}

/// The comparisons that [`each_against_others`] makes, by the names that they have in `Comparison`.
const COMPARISONS: [(&str, Comparison); 8] = [
    ("chi_square", counts::chi_square_test),
    ("g", counts::g_test),
    ("fisher", counts::fisher_exact_test),
    ("psi", counts::psi),
    ("jensen_shannon", counts::jensen_shannon_distance),
    ("kullback_leibler", counts::kullback_leibler_divergence),
    ("hellinger", counts::hellinger_distance),
    ("total_variation", counts::total_variation_distance),
];

/// Each of many samples compared with all others together: which of a fleet's devices, shops or days stand out?
///
/// The same as a call for each sample, whose reference is the sum of all samples less this one, but thousands of
/// samples take one call, with the interpreter lock released.
///
/// Args:
///     counts: NumPy array of two dimensions, int64 or uint64: a sample in each row, a cell in each column.
///     comparison: "chi_square", "g" or "fisher" for the tests, "psi", "jensen_shannon", "kullback_leibler",
///         "hellinger" or "total_variation" for the distances of these names.
///
/// Returns:
///     The p-value and the effect size of each sample, both float64; NaN where there is none.
///
/// Raises:
///     TypeError: not a NumPy array of int64 or uint64.
///     ValueError: not two dimensions, no cell, a negative count, another comparison, or "fisher" for other than two
///         cells.
#[pyfunction]
#[pyo3(signature = (counts, comparison="chi_square"))]
pub fn each_against_others<'py>(
    py: Python<'py>,
    counts: &Bound<'py, PyAny>,
    comparison: &str,
) -> PyResult<(Numbers<'py>, Numbers<'py>)> {
    let (counts, cells) = matrix::counts(counts, "counts")?;
    let Some((_, compare)) = COMPARISONS.iter().find(|(name, _)| *name == comparison) else {
        let known = COMPARISONS.map(|(name, _)| name).join(", ");
        return Err(PyValueError::new_err(format!("comparison must be one of {known}, not {comparison:?}")));
    };
    if comparison == "fisher" && cells != 2 {
        let problem = format!(
            "counts must have two cells for \"fisher\", but has {cells}; for more use \"chi_square\""
        );
        return Err(PyValueError::new_err(problem));
    }
    let compared =
        py.detach(|| core::counts::each_against_others(&counts, cells, compare)).map_err(to_python)?;
    let numbers = |number: fn(&core::TestResult) -> Option<f64>| {
        PyArray1::from_iter(py, compared.iter().map(|result| number(result).unwrap_or(f64::NAN)))
    };
    Ok((numbers(|result| result.p_value), numbers(|result| result.effect_size)))
}
