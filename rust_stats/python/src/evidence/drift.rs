//! Evidence of drift for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::column::counts;
use crate::errors::to_python;

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
