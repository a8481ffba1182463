//! Tests and distances of two arrays for Python.

use edge_aiops_stats_core as core;
use edge_aiops_stats_core::KsMethod;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::column::Column;
use crate::errors::to_python;
use crate::result::TestResult;

/// A reference that is sorted once and compared with many current samples.
///
/// Args:
///     values: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out,
///         infinities are values like others, negative zero is zero.
///     missing: boolean NumPy array of the same length, True where there is no value.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// Every comparison gives the same with it as with the values. ks_test() gains most: it never sorts the current
/// sample. It holds a copy of the values, 8 bytes each. Frozen.
#[pyclass(frozen, module = "edge_aiops.stats.drift")]
pub struct SortedReference(core::SortedReference);

#[pymethods]
impl SortedReference {
    #[new]
    #[pyo3(signature = (values, *, missing=None))]
    fn new(py: Python<'_>, values: &Bound<'_, PyAny>, missing: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let values = Column::new(values, missing)?.collected();
        Ok(Self(py.detach(|| core::SortedReference::new(values))))
    }

    /// Number of values, of those that are a number.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// Number of values left out because they are missing or not a number.
    #[getter]
    fn left_out(&self) -> u64 {
        self.0.left_out()
    }

    fn __repr__(&self) -> String {
        format!("SortedReference(count={}, left_out={})", self.0.count(), self.0.left_out())
    }
}

/// Two-sided Kolmogorov-Smirnov test that current comes from the distribution of reference.
///
/// Args:
///     reference: the sample to compare with, a NumPy array as for current or a SortedReference.
///     current: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out.
///     method: how the p-value is computed: "exact", "asymptotic", or "auto", which is exact where the samples
///         are of the same size or the sum takes about a millisecond or less.
///     missing_reference, missing_current: boolean NumPy arrays as long as the values, True where there is no
///         value.
///
/// Returns:
///     statistic and effect_size: D, the greatest distance of the two empirical distribution functions, taken
///     after all equal values of both samples. p_value: exact up to rounding, or for p >= 1e-6 with a relative
///     error below 0.002 for effective sizes nm / (n + m) of 1,000 and below 0.001 from 5,000 on; method says
///     which. Warning "ties": the reference has equal values, so the p-value is conservative. Warning
///     "small_sample": an approximate p-value for an effective size below 100.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, a mask of another length, an unknown method, or "exact" where that would
///         take more than some seconds.
///
/// Exact p-values: Viehmann, arXiv 2102.08037 (2021); Gnedenko and Korolyuk (1951) for equal sizes. The
/// approximation is Kolmogorov's series with corrections for finite sizes and for the lattice that D lies on.
#[pyfunction]
#[pyo3(signature = (reference, current, *, method="auto", missing_reference=None, missing_current=None))]
pub fn ks_test(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    method: &str,
    missing_reference: Option<&Bound<'_, PyAny>>,
    missing_current: Option<&Bound<'_, PyAny>>,
) -> PyResult<TestResult> {
    let method = KsMethod::named(method).map_err(to_python)?;
    let reference = Reference::new(reference, missing_reference)?;
    let (py, current) =
        (current.py(), Column::named("current", current, "missing_current", missing_current)?);
    if current.is_short() {
        let current = current.collected();
        reference.compare(py, |reference| core::ks_test(reference, current.as_slice(), method))
    } else {
        let current = &current;
        reference.compare(py, |reference| core::ks_test(reference, current, method))
    }
}

/// Exact Wasserstein-1 distance: how far values have to be moved, on average, to turn one sample into the other.
///
/// Args:
///     reference: the sample to compare with, a NumPy array as for current or a SortedReference.
///     current: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out.
///     missing_reference, missing_current: boolean NumPy arrays as long as the values, True where there is no
///         value.
///
/// Returns:
///     statistic: the distance, in the unit of the values. effect_size: the distance divided by the reference's
///     standard deviation; None, with a warning "no_spread", where that is zero or not finite. No p-value.
///     Infinite, with a warning "infinite_distance", where the samples have different shares of an infinity.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// The integral of |F - G|; Vallender, Theory of Probability and its Applications 18 (1974).
#[pyfunction]
#[pyo3(signature = (reference, current, *, missing_reference=None, missing_current=None))]
pub fn wasserstein_distance(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    missing_reference: Option<&Bound<'_, PyAny>>,
    missing_current: Option<&Bound<'_, PyAny>>,
) -> PyResult<TestResult> {
    let reference = Reference::new(reference, missing_reference)?;
    reference.compare_copied(current, missing_current, core::wasserstein_distance)
}

/// Energy distance: the root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|.
///
/// Args:
///     reference: the sample to compare with, a NumPy array as for current or a SortedReference.
///     current: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out.
///     missing_reference, missing_current: boolean NumPy arrays as long as the values, True where there is no
///         value.
///
/// Returns:
///     statistic: the distance, in the root of the unit of the values, as scipy gives it. effect_size: its
///     square divided by 2 E|X - Y|, from 0 for equal samples to 1. No p-value. Infinite, with a warning
///     "infinite_distance", where the samples have different shares of an infinity.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// Székely and Rizzo, Journal of Statistical Planning and Inference 143 (2013).
#[pyfunction]
#[pyo3(signature = (reference, current, *, missing_reference=None, missing_current=None))]
pub fn energy_distance(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    missing_reference: Option<&Bound<'_, PyAny>>,
    missing_current: Option<&Bound<'_, PyAny>>,
) -> PyResult<TestResult> {
    let reference = Reference::new(reference, missing_reference)?;
    reference.compare_copied(current, missing_current, core::energy_distance)
}

/// Cramér-von Mises test that current comes from the distribution of reference.
///
/// Args:
///     reference: the sample to compare with, a NumPy array as for current or a SortedReference.
///     current: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out.
///     missing_reference, missing_current: boolean NumPy arrays as long as the values, True where there is no
///         value.
///
/// Returns:
///     statistic: T of Anderson (1962), the distribution functions taken after all equal values. p_value: exact
///     if neither sample has more than 20 values and none are equal, otherwise asymptotic; method says which.
///     With equal values, which a warning "ties" tells, it is approximate. effect_size: the root of the mean
///     squared distance of the distribution functions, over all values of both samples. Either sample needs two
///     values.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// Anderson, Annals of Mathematical Statistics 33 (1962); exact: Xiao, Gordon and Yakovlev, Journal of
/// Statistical Software 17(8), 2006.
#[pyfunction]
#[pyo3(signature = (reference, current, *, missing_reference=None, missing_current=None))]
pub fn cramer_von_mises_test(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    missing_reference: Option<&Bound<'_, PyAny>>,
    missing_current: Option<&Bound<'_, PyAny>>,
) -> PyResult<TestResult> {
    let reference = Reference::new(reference, missing_reference)?;
    reference.compare_copied(current, missing_current, core::cramer_von_mises_test)
}

/// Two-sided Mann-Whitney test that current values are as often above as below those of reference.
///
/// Args:
///     reference: the sample to compare with, a NumPy array as for current or a SortedReference.
///     current: NumPy array of one dimension holding float64, float32, int64 or bool. NaN is left out.
///     missing_reference, missing_current: boolean NumPy arrays as long as the values, True where there is no
///         value.
///
/// Returns:
///     statistic: U, the number of pairs in which the reference's value is the greater, plus half of those with
///     equal values. p_value: exact without equal values if the smaller sample has at most 8 values and there
///     are at most 262,144 pairs, otherwise from the normal distribution, corrected for ties and continuity.
///     effect_size: the rank-biserial correlation 1 - 2 U / (n m), positive where current values are greater.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: not one dimension, or a mask of another length.
///
/// Mann and Whitney, Annals of Mathematical Statistics 18 (1947).
#[pyfunction]
#[pyo3(signature = (reference, current, *, missing_reference=None, missing_current=None))]
pub fn mann_whitney_test(
    reference: &Bound<'_, PyAny>,
    current: &Bound<'_, PyAny>,
    missing_reference: Option<&Bound<'_, PyAny>>,
    missing_current: Option<&Bound<'_, PyAny>>,
) -> PyResult<TestResult> {
    let reference = Reference::new(reference, missing_reference)?;
    reference.compare_copied(current, missing_current, core::mann_whitney_test)
}

/// Anderson-Darling test that two or more samples come from the same distribution.
///
/// Args:
///     samples: NumPy arrays of one dimension holding float64, float32, int64 or bool. NaN is left out.
///
/// Returns:
///     statistic: A² with mean ranks for equal values, less its mean and divided by its standard deviation.
///     p_value: from the limiting distribution, neither cut off at 0.25 nor at 0.001; with a warning
///     "small_sample" where a sample has fewer than 5 values. effect_size: A² / N, for the indicator of being
///     below a value the share of its variance that lies between the samples, on average. n_reference is the
///     size of the first sample, n_current that of all others together. No sample may be empty, and there must
///     be four values in all.
///
/// Raises:
///     TypeError: not a NumPy array, a masked array, or elements of another type.
///     ValueError: fewer than two samples, or not one dimension.
///
/// Scholz and Stephens, Journal of the American Statistical Association 82 (1987), equation 7.
#[pyfunction]
#[pyo3(signature = (*samples))]
pub fn anderson_darling_test(py: Python<'_>, samples: &Bound<'_, PyTuple>) -> PyResult<TestResult> {
    let values =
        |sample: Bound<'_, PyAny>| Ok(Column::named("samples", &sample, "missing", None)?.collected());
    let samples = samples.iter().map(values).collect::<PyResult<Vec<_>>>()?;
    py.detach(|| core::anderson_darling_test(samples)).map(TestResult).map_err(to_python)
}

/// Upper tail of Kolmogorov's distribution: the limit, for large samples, of P(sqrt(n) D > x).
///
/// Args:
///     x: a number.
///
/// Returns:
///     The probability, with a relative error below 1e-13; 1 for x <= 0, NaN for NaN.
///
/// Kolmogorov (1933); the series in Marsaglia, Tsang and Wang, Journal of Statistical Software 8(18), 2003.
#[pyfunction]
#[pyo3(signature = (x, /))]
pub fn kolmogorov_upper(x: f64) -> f64 {
    core::special::kolmogorov_upper(x)
}

/// A reference as it was handed in.
enum Reference {
    Prepared(Py<SortedReference>),
    Values(Vec<f64>),
}

impl Reference {
    fn new(reference: &Bound<'_, PyAny>, missing: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        match (reference.cast::<SortedReference>(), missing) {
            (Ok(prepared), None) => Ok(Self::Prepared(prepared.clone().unbind())),
            (Ok(_), Some(_)) => Err(PyTypeError::new_err(
                "missing_reference goes with an array, not with a SortedReference; \
                 pass it as missing when making the SortedReference",
            )),
            (Err(_), _) => Ok(Self::Values(
                Column::named("reference", reference, "missing_reference", missing)?.collected(),
            )),
        }
    }

    /// Compares with the interpreter lock released.
    fn compare(
        self,
        py: Python<'_>,
        compare: impl FnOnce(&core::SortedReference) -> Result<core::TestResult, core::Error> + Send,
    ) -> PyResult<TestResult> {
        let result = match self {
            Self::Prepared(prepared) => {
                let prepared = &prepared.get().0;
                py.detach(|| compare(prepared))
            }
            Self::Values(values) => py.detach(|| compare(&core::SortedReference::new(values))),
        };
        result.map(TestResult).map_err(to_python)
    }

    fn compare_copied(
        self,
        current: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
        compare: fn(&core::SortedReference, Vec<f64>) -> core::TestResult,
    ) -> PyResult<TestResult> {
        let (py, current) =
            (current.py(), Column::named("current", current, "missing_current", missing)?.collected());
        self.compare(py, |reference| Ok(compare(reference, current)))
    }
}

impl core::Values for Column {
    fn length(&self) -> usize {
        Self::length(self)
    }

    fn each_part(&self, part: &mut dyn FnMut(&[f64])) {
        self.each_block(part);
    }

    fn at(&self, place: usize) -> f64 {
        Self::at(self, place)
    }
}
