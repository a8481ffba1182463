//! Evidence that stays valid however often it is looked at, for Python.

use edge_aiops_stats_core as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{Column, counts};
use crate::errors::to_python;
use crate::moments::{Moments, moments};

/// Evidence that the events seen so far are not distributed as those of a reference, watched for ever.
///
/// Counts of each window on the bins of the reference go in, an e-value comes out. Without drift its mean is at
/// most one at every moment, and the probability that it ever reaches 1 / alpha is at most alpha, however often
/// one looks. Frozen: update() returns the evidence after a window.
///
/// Args:
///     reference_counts: NumPy array of one dimension holding int64 or uint64, the reference's events on two
///         bins or more. Missing values can be a bin, so can unseen categories.
///     concentrations: how close to the reference the alternatives are, all weighing the same: 1e2, 1e3 and 1e4
///         fit shifts of about 0.3, 0.1 and 0.03 standard deviations.
///     horizons: after how many windows each component restarts, None for never; the defaults are for windows of
///         five minutes. None has half of the weight, the rest share the other half.
///
/// Raises:
///     TypeError: counts that are no NumPy array of int64 or uint64.
///     ValueError: fewer than two bins, negative counts, no concentration or one that is not from 1e-6 to 1e12,
///         no horizon or more than 16, one below 1 or the same one twice.
///
/// log e = log mean_k DM(c; k p) - log DM(c; r + 1/2), with p proportional to r + 1/2 and DM the
/// Dirichlet-multinomial probability of a sequence. See docs/statistics/evidence.md for the restarts, and for
/// what the guarantee is averaged over.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct DriftEvidence(core::DriftEvidence);

#[pymethods]
impl DriftEvidence {
    #[new]
    #[pyo3(signature = (
        reference_counts, *,
        concentrations=core::DriftEvidence::CONCENTRATIONS.to_vec(),
        horizons=vec![None, Some(288), Some(12)],
    ))]
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands them over")]
    fn new(
        reference_counts: &Bound<'_, PyAny>,
        concentrations: Vec<f64>,
        horizons: Vec<Option<i64>>,
    ) -> PyResult<Self> {
        let reference = counts(reference_counts, "reference_counts")?;
        // A negative number becomes zero, which the core refuses in the same words.
        let windows = |length: i64| u64::try_from(length).unwrap_or_default();
        let horizons: Vec<_> = horizons.iter().map(|horizon| horizon.map(windows)).collect();
        core::DriftEvidence::new(&reference, &concentrations, &horizons).map(Self).map_err(to_python)
    }

    /// The evidence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::DriftEvidence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum, from which the evidence goes on bit for bit.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The evidence after one more window.
    ///
    /// Args:
    ///     current_counts: NumPy array of int64 or uint64, the window's events on the bins of the reference. For
    ///         a fleet, the sum over its nodes.
    ///
    /// Raises:
    ///     TypeError: no NumPy array of int64 or uint64.
    ///     ValueError: another number of bins, negative counts, or more than 2**64 events in all.
    fn update(&self, py: Python<'_>, current_counts: &Bound<'_, PyAny>) -> PyResult<Self> {
        let counts = counts(current_counts, "current_counts")?;
        let mut next = self.0.clone();
        py.detach(|| next.update(&counts)).map_err(to_python)?;
        Ok(Self(next))
    }

    /// The evidence of the events of both as if pooled; the same as self + other.
    ///
    /// Counts are added. E-values of nodes that share a finite reference must not be multiplied: they err
    /// together where the reference errs. The peak of the result begins with its own evidence.
    ///
    /// Raises:
    ///     IncompatibleSummaries: different references, concentrations or horizons, or evidence that restarts;
    ///         for that add the nodes' counts of each window and update one evidence with them.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// No evidence yet, against the same reference: after a change that was confirmed and mended.
    ///
    /// Each restart grants alpha anew.
    fn restart(&self) -> Self {
        Self(self.0.restart())
    }

    /// Whether the evidence has ever reached 1 / alpha.
    ///
    /// Without drift that happens with probability alpha at most, in however many windows.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn alarmed(&self, alpha: f64) -> PyResult<bool> {
        self.0.alarmed(alpha).map_err(to_python)
    }

    /// Natural logarithm of the evidence now: 0 at first, negative where the reference fits well.
    #[getter]
    fn log_e(&self) -> f64 {
        self.0.log_e()
    }

    /// The evidence now, an e-value; infinite beyond 1e308. What e-BH over features takes.
    #[getter]
    fn e_value(&self) -> f64 {
        self.0.e_value()
    }

    /// Largest log_e after any window so far, at least 0.
    #[getter]
    fn peak_log_e(&self) -> f64 {
        self.0.peak_log_e()
    }

    /// p-value that is valid however often it is read: exp(-peak_log_e).
    #[getter]
    fn anytime_p_value(&self) -> f64 {
        self.0.anytime_p_value()
    }

    /// Number of events so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Number of windows so far, over all that was merged.
    #[getter]
    fn windows(&self) -> u64 {
        self.0.windows()
    }

    /// Counts of the reference, one for each bin.
    #[getter]
    fn reference_counts(&self) -> Vec<u64> {
        self.0.reference_counts().to_vec()
    }

    /// Counts of all events so far, one for each bin.
    #[getter]
    fn current_counts(&self) -> Vec<u64> {
        self.0.current_counts().to_vec()
    }

    /// Concentrations of the alternatives.
    #[getter]
    fn concentrations(&self) -> Vec<f64> {
        self.0.concentrations().to_vec()
    }

    /// After how many windows each component restarts, None for never.
    #[getter]
    fn horizons(&self) -> Vec<Option<u64>> {
        self.0.horizons().to_vec()
    }

    fn __repr__(&self) -> String {
        format!(
            "DriftEvidence(windows={}, n={}, log_e={:?}, peak_log_e={:?})",
            self.windows(),
            self.n(),
            self.log_e(),
            self.peak_log_e(),
        )
    }
}

/// The mean of values, with an interval that holds at all times at once, by the normal mixture.
///
/// Frozen: update() returns the sequence with more values.
///
/// Args:
///     deviation: known standard deviation for which the values are sub-Gaussian, in their unit: normal values of
///         that deviation, or values within bounds that are twice as far apart. The interval is then exact for
///         any number of values. None for that of the sample: the interval is then asymptotic, for independent
///         values of finite variance, and there is none before the first 100 values.
///     tightest_at: after how many values the interval should be about tightest.
///
/// Raises:
///     ValueError: a deviation that is not finite and positive, or tightest_at below 1.
///
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021); with the deviation of the sample
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52 (2024).
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct MeanSequence(core::MeanSequence);

#[pymethods]
impl MeanSequence {
    #[new]
    #[pyo3(signature = (*, deviation=None, tightest_at=1000))]
    fn new(deviation: Option<f64>, tightest_at: i64) -> PyResult<Self> {
        let tightest_at = whole(tightest_at, "tightest_at")?;
        core::MeanSequence::new(deviation, tightest_at).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::MeanSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more values; takes what moments() takes.
    ///
    /// Only finite values enter; those left out are counted in `moments`.
    ///
    /// Args:
    ///     values: NumPy array of one dimension holding float64, float32, int64 or bool.
    ///     missing: boolean NumPy array of the same length, True where there is no value.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: not one dimension, or a mask of another length.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(self.update_moments(&moments(py, values, missing)?))
    }

    /// The sequence with the values that a summary describes, for example one that came from another node.
    fn update_moments(&self, moments: &Moments) -> Self {
        Self(self.0.with(&moments.0))
    }

    /// The sequence of the values of both; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: made with different arguments.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// Lower and upper end of the interval that contains the mean at all times with probability 1 - alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.interval(alpha).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the mean is not `null`; infinite beyond the range of float64.
    ///
    /// Raises:
    ///     ValueError: null is not finite.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the mean is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null is not finite.
    fn e_value(&self, null: f64) -> PyResult<f64> {
        self.log_e(null).map(f64::exp)
    }

    /// Interval for this mean minus the other at all times with probability 1 - alpha; each has half of alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (other, *, alpha=0.05))]
    fn difference(&self, other: &Self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.difference(&other.0, alpha).map_err(to_python)
    }

    /// What is known of the values so far.
    #[getter]
    fn moments(&self) -> Moments {
        Moments(*self.0.moments())
    }

    /// Number of values so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.moments().count()
    }

    /// Arithmetic mean so far, None without values.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.moments().mean()
    }

    /// The known deviation, None where that of the sample is used.
    #[getter]
    fn deviation(&self) -> Option<f64> {
        self.0.deviation()
    }

    /// After how many values the interval is about tightest.
    #[getter]
    fn tightest_at(&self) -> u64 {
        self.0.tightest_at()
    }

    fn __repr__(&self) -> PyResult<String> {
        let (lower, upper) = self.interval(0.05)?;
        Ok(format!(
            "MeanSequence(n={}, mean={}, interval=({lower:?}, {upper:?}))",
            self.n(),
            shown(self.mean())
        ))
    }
}

/// A rate of successes, such as an accuracy, with an interval that holds at all times at once.
///
/// By the beta-binomial mixture, exact for any number of events. Frozen: update() returns the sequence with more
/// of them.
///
/// Args:
///     tightest_at: after how many events the interval should be about tightest.
///
/// Raises:
///     ValueError: tightest_at below 1.
///
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021), proposition 7.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct RateSequence(core::RateSequence);

#[pymethods]
impl RateSequence {
    #[new]
    #[pyo3(signature = (*, tightest_at=1000))]
    fn new(tightest_at: i64) -> PyResult<Self> {
        core::RateSequence::new(whole(tightest_at, "tightest_at")?).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::RateSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more events.
    ///
    /// Args:
    ///     outcomes: NumPy array of one dimension holding bool, or 0 and 1 as float64, float32 or int64.
    ///     missing: boolean NumPy array of the same length, True where there is no outcome.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: an outcome that is neither 0 nor 1, not one dimension, or a mask of another length.
    #[pyo3(signature = (outcomes, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        outcomes: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let column = Column::named("outcomes", outcomes, "missing", missing)?;
        column.fold(py, self.0, |so_far, block, mask| so_far.with_outcomes(block, mask)).map(Self)
    }

    /// The sequence with so many events more.
    ///
    /// Raises:
    ///     ValueError: a negative number, or more than 2**64 events in all.
    #[pyo3(signature = (*, successes, failures))]
    fn update_counts(&self, successes: i64, failures: i64) -> PyResult<Self> {
        let (successes, failures) = (whole(successes, "successes")?, whole(failures, "failures")?);
        self.0.with(successes, failures).map(Self).map_err(to_python)
    }

    /// The sequence of the events of both; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: made with different tightest_at.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// Lower and upper end of the interval that contains the rate at all times with probability 1 - alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, py: Python<'_>, alpha: f64) -> PyResult<(f64, f64)> {
        py.detach(|| self.0.interval(alpha)).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the rate is not `null`; infinite where that has been refuted, as 0
    /// by a success.
    ///
    /// Raises:
    ///     ValueError: null does not lie between 0 and 1.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the rate is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null does not lie between 0 and 1.
    fn e_value(&self, null: f64) -> PyResult<f64> {
        self.log_e(null).map(f64::exp)
    }

    /// Interval for this rate minus the other at all times with probability 1 - alpha; each has half of alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (other, *, alpha=0.05))]
    fn difference(&self, other: &Self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.difference(&other.0, alpha).map_err(to_python)
    }

    /// Number of successes so far.
    #[getter]
    fn successes(&self) -> u64 {
        self.0.successes()
    }

    /// Number of failures so far.
    #[getter]
    fn failures(&self) -> u64 {
        self.0.failures()
    }

    /// Number of events so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Share of successes so far, None without events.
    #[getter]
    fn rate(&self) -> Option<f64> {
        self.0.rate()
    }

    /// After how many events the interval is about tightest.
    #[getter]
    fn tightest_at(&self) -> u64 {
        self.0.tightest_at()
    }

    fn __repr__(&self) -> String {
        format!(
            "RateSequence(successes={}, failures={}, rate={})",
            self.successes(),
            self.failures(),
            shown(self.rate())
        )
    }
}

/// The mean of values within known bounds, with an interval that holds at all times at once, by betting.
///
/// Exact for any number of values and any distribution within the bounds, and narrow where the values vary
/// little. Frozen: update() returns the sequence with more values.
///
/// Args:
///     lower: the least value that there can be.
///     upper: the largest.
///     steps: into how many the bounds are divided; the interval is rounded outwards to them. Bytes and time
///         grow with it.
///
/// Raises:
///     ValueError: upper is not greater than lower, or steps is not from 2 to 65536.
///
/// Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86 (2024), hedged capital.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct BoundedMeanSequence(core::BoundedMeanSequence);

#[pymethods]
impl BoundedMeanSequence {
    #[new]
    #[pyo3(signature = (*, lower=0.0, upper=1.0, steps=256))]
    fn new(lower: f64, upper: f64, steps: i64) -> PyResult<Self> {
        core::BoundedMeanSequence::new(lower, upper, whole(steps, "steps")?).map(Self).map_err(to_python)
    }

    /// The sequence that to_bytes() wrote.
    ///
    /// Raises:
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        core::BoundedMeanSequence::from_bytes(data).map(Self).map_err(to_python)
    }

    /// Everything as bytes with a version and a checksum, about 18 for each step.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The sequence with more values.
    ///
    /// Args:
    ///     values: NumPy array of one dimension holding float64, float32, int64 or bool, in the order in which
    ///         they came. NaN are left out and counted.
    ///     missing: boolean NumPy array of the same length, True where there is no value; counted as left out.
    ///
    /// Raises:
    ///     TypeError: not a NumPy array, a masked array, or elements of another type.
    ///     ValueError: a value outside of the bounds, not one dimension, or a mask of another length.
    #[pyo3(signature = (values, *, missing=None))]
    fn update(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let values = Column::new(values, missing)?.collected();
        let mut next = self.0.clone();
        py.detach(|| next.update(&values)).map_err(to_python)?;
        Ok(Self(next))
    }

    /// The evidence of the values of both, which must not depend on each other; the same as self + other.
    ///
    /// Raises:
    ///     IncompatibleSummaries: made with different arguments.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(to_python)
    }

    fn __add__(&self, other: &Self) -> PyResult<Self> {
        self.merge(other)
    }

    /// Lower and upper end of the interval that contains the mean at all times with probability 1 - alpha.
    ///
    /// Where no mean fits, because it has changed, the lower end is above the upper one.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (*, alpha=0.05))]
    fn interval(&self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.interval(alpha).map_err(to_python)
    }

    /// Natural logarithm of the evidence that the mean is not `null`, least where null is not on the grid.
    ///
    /// Raises:
    ///     ValueError: null does not lie within the bounds.
    fn log_e(&self, null: f64) -> PyResult<f64> {
        self.0.log_e(null).map_err(to_python)
    }

    /// The evidence that the mean is not `null`, an e-value; infinite beyond 1e308.
    ///
    /// Raises:
    ///     ValueError: null does not lie within the bounds.
    fn e_value(&self, null: f64) -> PyResult<f64> {
        self.log_e(null).map(f64::exp)
    }

    /// Interval for this mean minus the other at all times with probability 1 - alpha; each has half of alpha.
    ///
    /// Raises:
    ///     ValueError: alpha does not lie between 0 and 1.
    #[pyo3(signature = (other, *, alpha=0.05))]
    fn difference(&self, other: &Self, alpha: f64) -> PyResult<(f64, f64)> {
        self.0.difference(&other.0, alpha).map_err(to_python)
    }

    /// Number of values so far.
    #[getter]
    fn n(&self) -> u64 {
        self.0.n()
    }

    /// Number of values that were missing or not a number.
    #[getter]
    fn left_out(&self) -> u64 {
        self.0.left_out()
    }

    /// Arithmetic mean so far, None without values.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean()
    }

    /// The least and the largest value that there can be.
    #[getter]
    fn bounds(&self) -> (f64, f64) {
        self.0.bounds()
    }

    /// Into how many steps the bounds are divided.
    #[getter]
    fn steps(&self) -> u64 {
        self.0.steps()
    }

    fn __repr__(&self) -> PyResult<String> {
        let (lower, upper) = self.interval(0.05)?;
        let (n, mean) = (self.n(), shown(self.mean()));
        Ok(format!("BoundedMeanSequence(n={n}, mean={mean}, interval=({lower:?}, {upper:?}))"))
    }
}

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
