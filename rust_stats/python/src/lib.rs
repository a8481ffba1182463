//! The Python extension module `edge_aiops._stats`.
//!
//! A thin binding: it reads NumPy arrays, lets go of the interpreter lock while the core computes, and turns
//! the core's errors into exceptions. What users call and read is `edge_aiops.stats`.
#![expect(clippy::doc_markdown, reason = "what Python shows as docstrings is not markdown")]

mod baseline;
mod categories;
mod column;
mod columns;
mod distinct;
mod errors;
mod latency;
mod memory;
mod moments;
mod profile;
mod quantiles;
mod reference;
mod result;
mod shared;
mod strings;

/// Statistics of NumPy arrays, computed in Rust; used through `edge_aiops.stats`.
#[pyo3::pymodule]
mod _stats {
    #[pymodule_export]
    use crate::errors::{IncompatibleSummaries, UnreadableSummary};
    #[pymodule_export]
    use crate::moments::{Moments, moments};
    #[pymodule_export]
    use crate::result::{ResultWarning, TestResult};
    #[pymodule_export]
    use crate::{
        baseline::{Baseline, CategoryReference},
        profile::{NumericSummary, Profile},
        reference::{Histogram, Reference},
    };
    #[pymodule_export]
    use crate::{
        categories::Categories,
        distinct::{DistinctCount, Estimate},
        latency::Latency,
        quantiles::Quantiles,
    };
}
