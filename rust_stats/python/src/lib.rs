//! The Python extension module `edge_aiops._stats`.
//!
//! A thin binding: it reads NumPy arrays, lets go of the interpreter lock while the core computes, and turns
//! the core's errors into exceptions. What users call and read is `edge_aiops.stats`.
#![expect(clippy::doc_markdown, reason = "what Python shows as docstrings is not markdown")]

mod column;
mod drift;
mod errors;
mod memory;
mod moments;
mod result;

/// Statistics of NumPy arrays, computed in Rust; used through `edge_aiops.stats`.
#[pyo3::pymodule]
mod _stats {
    #[pymodule_export]
    use crate::drift::{
        SortedReference, anderson_darling_test, cramer_von_mises_test, energy_distance, kolmogorov_upper,
        ks_test, mann_whitney_test, wasserstein_distance,
    };
    #[pymodule_export]
    use crate::errors::{IncompatibleSummaries, UnreadableSummary};
    #[pymodule_export]
    use crate::moments::{Moments, moments};
    #[pymodule_export]
    use crate::result::{ResultWarning, TestResult};
}
