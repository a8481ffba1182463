//! Comparisons of profiles with their baselines for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::to_python;
use crate::profile::Profile;
use crate::result::{ResultWarning, TestResult};

/// Compare a profile with its baseline, once: which features have drifted, by how much, how sure that is.
///
/// For each feature the Kolmogorov-Smirnov test on all bins (numbers only), the chi-square test on few groups or on
/// the labels, and Fisher's exact test of values beyond the reference's and of missing ones each give a p-value; the smallest times their number
/// (Bonferroni) is that of the feature. Over the features the false discovery rate is controlled by Benjamini and
/// Hochberg. A feature has drifted when it is found so and its effect size, the population stability index over
/// the groups and missing values, is at least min_effect.
///
/// Args:
///     profile: the summaries of the current values; its baseline is the reference.
///     alpha: the share of false discoveries that is allowed, between 0 and 1.
///     min_effect: the smallest population stability index that counts as drift. About 0.1 is a shift of a
///         normal distribution by a third of its deviation.
///
/// Raises:
///     ValueError: an alpha outside of (0, 1), or a min_effect that is negative or not a number.
///
/// This is for one look at two samples. Whoever looks every five minutes wants evidence.DriftWatch.
#[pyfunction]
#[pyo3(signature = (profile, *, alpha=0.05, min_effect=0.1))]
pub fn compare(py: Python<'_>, profile: &Profile, alpha: f64, min_effect: f64) -> PyResult<Comparison> {
    let mut profile = profile.get();
    py.detach(|| core::compare(&mut profile, alpha, min_effect)).map(Comparison).map_err(to_python)
}

/// All features of a profile compared with their references. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.comparison")]
#[derive(Clone, PartialEq)]
pub struct Comparison(core::Comparison);

#[pymethods]
impl Comparison {
    /// The features in the order of the baseline.
    #[getter]
    fn features(&self) -> Vec<FeatureComparison> {
        self.0.features.iter().cloned().map(FeatureComparison).collect()
    }

    /// The names of the features that have drifted.
    #[getter]
    fn drifted(&self) -> Vec<String> {
        self.0.features.iter().filter(|feature| feature.drifted).map(|feature| feature.name.clone()).collect()
    }

    /// The false discovery rate that was allowed.
    #[getter]
    fn alpha(&self) -> f64 {
        self.0.alpha
    }

    /// The smallest effect size that counts as drift.
    #[getter]
    fn min_effect(&self) -> f64 {
        self.0.min_effect
    }

    fn __repr__(&self) -> String {
        format!("Comparison(features={}, drifted={:?})", self.0.features.len(), self.drifted())
    }
}

/// One feature compared with its reference. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats.comparison")]
#[derive(Clone, PartialEq)]
pub struct FeatureComparison(core::FeatureComparison);

#[pymethods]
impl FeatureComparison {
    /// The feature's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// "numeric" or "category".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind {
            core::Kind::Numeric => "numeric",
            core::Kind::Category => "category",
        }
    }

    /// Every test and distance by its name: ks, wasserstein and beyond for numbers, and chi_square, psi,
    /// jensen_shannon, kullback_leibler, hellinger, total_variation and missingness.
    #[getter]
    fn tests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tests = PyDict::new(py);
        for (name, test) in &self.0.tests {
            tests.set_item(name, TestResult(test.clone()))?;
        }
        Ok(tests)
    }

    /// The feature's p-value over its tests; None without values on a side.
    #[getter]
    fn p_value(&self) -> Option<f64> {
        self.0.p_value
    }

    /// The p-value corrected for the number of features: drift is certain enough where it is at most alpha.
    #[getter]
    fn adjusted_p_value(&self) -> Option<f64> {
        self.0.adjusted_p_value
    }

    /// Population stability index over the groups and missing values; None without values on a side.
    #[getter]
    fn effect_size(&self) -> Option<f64> {
        self.0.effect_size
    }

    /// Whether the change is certain enough and large enough.
    #[getter]
    fn drifted(&self) -> bool {
        self.0.drifted
    }

    /// The warnings of all tests, each sort once.
    #[getter]
    fn warnings(&self) -> Vec<ResultWarning> {
        self.0.warnings().into_iter().cloned().map(ResultWarning::of).collect()
    }

    fn __repr__(&self) -> String {
        let number = |number: Option<f64>| number.map_or_else(|| "None".into(), |it| format!("{it:.4}"));
        format!(
            "FeatureComparison(name={:?}, drifted={}, effect_size={}, adjusted_p_value={})",
            self.0.name,
            if self.0.drifted { "True" } else { "False" },
            number(self.0.effect_size),
            number(self.0.adjusted_p_value),
        )
    }
}
