//! The Python extension module `edge_aiops._stats`.
//!
//! A thin binding: it reads NumPy arrays, lets go of the interpreter lock while the core computes, and turns
//! the core's errors into exceptions. What users call and read is `edge_aiops.stats`.
#![expect(clippy::doc_markdown, reason = "what Python shows as docstrings is not markdown")]

mod baseline;
mod categories;
mod column;
mod columns;
mod distances;
mod distinct;
mod errors;
mod latency;
mod memory;
mod moments;
mod multiplicity;
mod profile;
mod quantiles;
mod reference;
mod result;
mod shared;
mod special;
mod strings;

/// Statistics of NumPy arrays, computed in Rust; used through `edge_aiops.stats`.
#[pyo3::pymodule]
mod _stats {
    #[pymodule_export]
    use crate::baseline::{Baseline, CategoryReference};
    #[pymodule_export]
    use crate::categories::Categories;
    #[pymodule_export]
    use crate::distances::{
        binned_ks_test, binned_wasserstein_distance, chi_square_test, fisher_exact_test, g_test,
        hellinger_distance, jensen_shannon_distance, kullback_leibler_divergence, psi, psi_without_drift,
        total_variation_distance,
    };
    #[pymodule_export]
    use crate::distinct::{DistinctCount, Estimate};
    #[pymodule_export]
    use crate::errors::{IncompatibleSummaries, UnreadableSummary};
    #[pymodule_export]
    use crate::latency::Latency;
    #[pymodule_export]
    use crate::moments::{Moments, moments};
    #[pymodule_export]
    use crate::multiplicity::{Discoveries, benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg};
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
}
