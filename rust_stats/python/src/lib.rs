//! The Python extension module `edge_aiops._stats`.
//!
//! A thin binding: it reads NumPy arrays, lets go of the interpreter lock while the core computes, and turns
//! the core's errors into exceptions. What users call and read is `edge_aiops.stats`.
#![expect(clippy::doc_markdown, reason = "what Python shows as docstrings is not markdown")]

mod baseline;
mod bytes;
mod categories;
mod column;
mod columns;
mod comparison;
mod distances;
mod distinct;
mod drift;
mod errors;
mod estimation;
mod evidence;
mod latency;
mod matrix;
mod memory;
mod metrics;
mod moments;
mod multiplicity;
mod multivariate;
mod paired;
mod profile;
mod quantiles;
mod reference;
mod result;
mod shared;
mod special;
mod streaming;
mod strings;
mod watch;

/// Statistics of NumPy arrays, computed in Rust; used through `edge_aiops.stats`.
#[pyo3::pymodule]
mod _stats {
    #[pymodule_export]
    use crate::baseline::{Baseline, CategoryReference};
    #[pymodule_export]
    use crate::categories::Categories;
    #[pymodule_export]
    use crate::comparison::{Comparison, FeatureComparison, compare};
    #[pymodule_export]
    use crate::distances::{
        binned_ks_test, binned_wasserstein_distance, chi_square_test, each_against_others, fisher_exact_test,
        g_test, hellinger_distance, jensen_shannon_distance, kullback_leibler_divergence, psi,
        psi_without_drift, total_variation_distance,
    };
    #[pymodule_export]
    use crate::distinct::{DistinctCount, DistinctEstimate};
    #[pymodule_export]
    use crate::drift::{
        SortedReference, anderson_darling_test, cramer_von_mises_test, energy_distance, kolmogorov_upper,
        ks_test, mann_whitney_test, wasserstein_distance,
    };
    #[pymodule_export]
    use crate::errors::{IncompatibleSummaries, UnreadableSummary};
    #[pymodule_export]
    use crate::estimation::{Estimate, LossEstimator, PerformanceEstimate, PerformanceEstimator};
    #[pymodule_export]
    use crate::evidence::{
        BoundedMeanSequence, DriftEvidence, MeanSequence, RateSequence, normal_mixture_bound,
    };
    #[pymodule_export]
    use crate::latency::Latency;
    #[pymodule_export]
    use crate::metrics::{
        ConfusionMatrix, MetricResult, ReliabilityBin, ReliabilityCurve, average_precision, brier_score,
        confusion_matrix, expected_calibration_error, log_loss, maximum_calibration_error,
        mean_absolute_error, r_squared, reliability_curve, roc_auc, root_mean_squared_error,
    };
    #[pymodule_export]
    use crate::moments::{Moments, moments};
    #[pymodule_export]
    use crate::multiplicity::{
        Discoveries, benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, holm,
    };
    #[pymodule_export]
    use crate::multivariate::{MmdReference, PcaReference, cosine_shift_test};
    #[pymodule_export]
    use crate::paired::{paired_shift, signed_rank_test};
    #[pymodule_export]
    use crate::profile::{NumericSummary, Profile};
    #[pymodule_export]
    use crate::quantiles::Quantiles;
    #[pymodule_export]
    use crate::reference::{Histogram, Reference};
    #[pymodule_export]
    use crate::result::{ResultWarning, TestResult};
    #[pymodule_export]
    use crate::special::{
        beta_regularised, chi_square_upper, gamma_lower, gamma_upper, ln_gamma, normal_quantile, normal_upper,
    };
    #[pymodule_export]
    use crate::streaming::{Adwin, Ddm, Kswin, PageHinkley};
    #[pymodule_export]
    use crate::watch::{DriftWatch, WatchedFeature};
}
