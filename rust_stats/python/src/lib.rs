//! The Python extension module `edge_aiops._stats`.
//!
//! A thin binding: it reads NumPy arrays, lets go of the interpreter lock while the core computes, and turns
//! the core's errors into exceptions. What users call and read is `edge_aiops.stats`.
#![expect(clippy::doc_markdown, reason = "what Python shows as docstrings is not markdown")]

mod column;
mod errors;
mod estimation;
mod matrix;
mod memory;
mod metrics;
mod moments;
mod result;

/// Statistics of NumPy arrays, computed in Rust; used through `edge_aiops.stats`.
#[pyo3::pymodule]
mod _stats {
    #[pymodule_export]
    use crate::errors::{IncompatibleSummaries, UnreadableSummary};
    #[pymodule_export]
    use crate::estimation::{Estimate, LossEstimator, PerformanceEstimate, PerformanceEstimator};
    #[pymodule_export]
    use crate::metrics::{
        ConfusionMatrix, MetricResult, ReliabilityBin, ReliabilityCurve, average_precision, brier_score,
        confusion_matrix, expected_calibration_error, log_loss, maximum_calibration_error,
        mean_absolute_error, r_squared, reliability_curve, roc_auc, root_mean_squared_error,
    };
    #[pymodule_export]
    use crate::moments::{Moments, moments};
    #[pymodule_export]
    use crate::result::{ResultWarning, TestResult};
}
