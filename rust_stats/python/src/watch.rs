//! Drift watches for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

use crate::baseline::Baseline;
use crate::errors::to_python;
use crate::profile::Profile;
use crate::shared::Shared;

/// The features of a model watched window after window, for ever: which have drifted by now.
///
/// Each feature has a DriftEvidence over the groups of its bins, or its labels, and its missing values. Over the
/// features the false discovery rate at any one moment is controlled by e-BH on the current e-values (Wang and Ramdas
/// 2022). A feature has drifted when it is found so and its population stability index over the last
/// windows is at least min_effect.
///
/// Args:
///     baseline: the references of all features.
///     alpha: the share of false discoveries that is allowed, between 0 and 1.
///     min_effect: the smallest population stability index that counts as drift.
///     effect_windows: over how many of the last windows that index is taken, 1 to 4096; 12 are an hour.
///
/// Raises:
///     ValueError: an option out of range.
///
/// Threads may share a watch: each window enters as a whole.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(PartialEq)]
pub struct DriftWatch(Shared<core::DriftWatch>);

#[pymethods]
impl DriftWatch {
    #[new]
    #[pyo3(signature = (baseline, *, alpha=0.05, min_effect=0.1, effect_windows=12))]
    fn new(baseline: &Baseline, alpha: f64, min_effect: f64, effect_windows: usize) -> PyResult<Self> {
        let watch = core::DriftWatch::new(baseline.0.clone(), alpha, min_effect, effect_windows);
        watch.map(Shared::new).map(Self).map_err(to_python)
    }

    /// The watch that to_bytes() wrote; it goes on as if it had never stopped.
    ///
    /// Args:
    ///     data: the bytes.
    ///     baseline: the baseline that it was made with; the bytes name it by its digest.
    ///
    /// Raises:
    ///     IncompatibleSummaries: it was made with another baseline.
    ///     UnreadableSummary: the bytes are foreign, damaged, of another statistic or version, or contradict
    ///         themselves.
    #[staticmethod]
    fn from_bytes(data: &[u8], baseline: &Baseline) -> PyResult<Self> {
        let watch = core::DriftWatch::from_bytes(data, baseline.0.clone());
        watch.map(Shared::new).map(Self).map_err(to_python)
    }

    /// The watch as bytes with a version and a checksum.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.with(|watch| watch.to_bytes())
    }

    /// Take the next window into account.
    ///
    /// Args:
    ///     window: the summaries of the events since the last window, on the same baseline. A fleet's window is the
    ///         sum of its nodes' windows.
    ///
    /// Raises:
    ///     IncompatibleSummaries: the profile is on another baseline. Nothing was taken then.
    fn update(&self, window: &Profile) -> PyResult<()> {
        let mut window = window.get();
        // A millisecond for a hundred features: not worth giving up the interpreter lock, and whoever holds that
        // never waits for this one.
        self.0.with(|watch| watch.update(&mut window)).map_err(to_python)
    }

    /// Forget what was seen: after a change that was confirmed and taken care of.
    ///
    /// Args:
    ///     name: the feature; None for all.
    ///
    /// Raises:
    ///     ValueError: there is no such feature.
    #[pyo3(signature = (name=None))]
    fn restart(&self, name: Option<&str>) -> PyResult<()> {
        self.0.with(|watch| watch.restart(name)).map_err(to_python)
    }

    /// Every feature as it stands now, in the order of the baseline.
    #[getter]
    fn features(&self) -> PyResult<Vec<WatchedFeature>> {
        let features = self.0.with(|watch| watch.features()).map_err(to_python)?;
        Ok(features.into_iter().map(WatchedFeature).collect())
    }

    /// The names of the features that have drifted by now.
    #[getter]
    fn drifted(&self) -> PyResult<Vec<String>> {
        let features = self.0.with(|watch| watch.features()).map_err(to_python)?;
        Ok(features.into_iter().filter(|feature| feature.drifted).map(|feature| feature.name).collect())
    }

    /// The false discovery rate that is allowed.
    #[getter]
    fn alpha(&self) -> f64 {
        self.0.with(|watch| watch.alpha())
    }

    /// The smallest effect size that counts as drift.
    #[getter]
    fn min_effect(&self) -> f64 {
        self.0.with(|watch| watch.min_effect())
    }

    /// Over how many of the last windows the effect size is taken.
    #[getter]
    fn effect_windows(&self) -> usize {
        self.0.with(|watch| watch.effect_windows())
    }

    /// The baseline that it was made with.
    #[getter]
    fn baseline(&self) -> Baseline {
        Baseline(self.0.with(|watch| watch.baseline().clone()))
    }

    fn __repr__(&self) -> PyResult<String> {
        let features = self.0.with(|watch| watch.baseline().names().len());
        Ok(format!("DriftWatch(features={features}, drifted={:?})", self.drifted()?))
    }
}

/// One feature as a DriftWatch sees it. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.evidence")]
#[derive(Clone, PartialEq)]
pub struct WatchedFeature(core::WatchedFeature);

#[pymethods]
impl WatchedFeature {
    /// The feature's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Natural logarithm of the e-value: how strongly the events so far speak against the reference.
    #[getter]
    fn log_e(&self) -> f64 {
        self.0.log_e
    }

    /// The e-value; inf where it exceeds the range of float64.
    #[getter]
    fn e_value(&self) -> f64 {
        self.0.log_e.exp()
    }

    /// Population stability index over the last windows; None without values.
    #[getter]
    fn effect_size(&self) -> Option<f64> {
        self.0.effect_size
    }

    /// Whether it is certain enough, over all features, and large enough.
    #[getter]
    fn drifted(&self) -> bool {
        self.0.drifted
    }

    /// Values of the reference that it is compared with, missing ones included.
    #[getter]
    fn n_reference(&self) -> u64 {
        self.0.n_reference
    }

    /// Values seen since the beginning or the last restart, missing ones included.
    #[getter]
    fn n_current(&self) -> u64 {
        self.0.n_current
    }

    fn __repr__(&self) -> String {
        let effect = self.0.effect_size.map_or_else(|| "None".into(), |effect| format!("{effect:.4}"));
        format!(
            "WatchedFeature(name={:?}, log_e={:.3}, effect_size={effect}, drifted={})",
            self.0.name,
            self.0.log_e,
            if self.0.drifted { "True" } else { "False" }
        )
    }
}
