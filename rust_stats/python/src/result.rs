//! The result record for Python.

use edge_aiops_stats_core as core;
use pyo3::prelude::*;

/// What a comparison of a current sample with a reference says.
///
/// Where a side has no usable values, statistic, p_value and effect_size are None and a warning says why:
/// there is never a number without data behind it. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats")]
#[derive(Clone, PartialEq)]
pub struct TestResult(pub core::TestResult);

#[pymethods]
impl TestResult {
    /// What was computed and how, for example "kolmogorov-smirnov, exact".
    #[getter]
    fn method(&self) -> &'static str {
        self.0.method
    }

    /// The statistic, in the unit that its function documents.
    #[getter]
    fn statistic(&self) -> Option<f64> {
        self.0.statistic
    }

    /// Probability, under no difference, of a statistic at least as extreme; None for a plain distance.
    #[getter]
    fn p_value(&self) -> Option<f64> {
        self.0.p_value
    }

    /// How large the difference is, whatever the sample sizes; `effect` names the measure.
    #[getter]
    fn effect_size(&self) -> Option<f64> {
        self.0.effect_size
    }

    /// Which effect size that is, for example "D" or "cramer's v".
    #[getter]
    fn effect(&self) -> &'static str {
        self.0.effect
    }

    /// Usable values on the reference's side.
    #[getter]
    fn n_reference(&self) -> u64 {
        self.0.n_reference
    }

    /// Usable values on the current side.
    #[getter]
    fn n_current(&self) -> u64 {
        self.0.n_current
    }

    /// What to know before relying on it; empty where all is well.
    #[getter]
    fn warnings(&self) -> Vec<ResultWarning> {
        self.0.warnings.iter().cloned().map(ResultWarning::of).collect()
    }

    fn __repr__(&self) -> String {
        let number = |number: Option<f64>| number.map_or_else(|| "None".into(), |it| format!("{it:?}"));
        let warnings: Vec<_> = self.0.warnings.iter().map(core::Warning::code).collect();
        format!(
            "TestResult(method={:?}, statistic={}, p_value={}, effect_size={}, effect={:?}, n_reference={}, \
             n_current={}, warnings={warnings:?})",
            self.0.method,
            number(self.0.statistic),
            number(self.0.p_value),
            number(self.0.effect_size),
            self.0.effect,
            self.0.n_reference,
            self.0.n_current,
        )
    }
}

/// Something to know before relying on a result: a stable code, and a sentence for people. Frozen.
#[pyclass(frozen, eq, module = "edge_aiops.stats")]
#[derive(Clone, PartialEq)]
pub struct ResultWarning(pub core::Warning);

impl ResultWarning {
    pub const fn of(warning: core::Warning) -> Self {
        Self(warning)
    }
}

#[pymethods]
impl ResultWarning {
    /// A stable name that programs may depend on, for example "ties" or "too_few_values".
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code()
    }

    /// A sentence for people.
    #[getter]
    fn message(&self) -> String {
        self.0.to_string()
    }

    fn __str__(&self) -> String {
        self.message()
    }

    fn __repr__(&self) -> String {
        format!("ResultWarning(code={:?}, message={:?})", self.code(), self.message())
    }
}
