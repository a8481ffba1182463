//! The one place where an error of the core becomes a Python exception.

use edge_aiops_stats_core::Error;
use pyo3::exceptions::PyValueError;
use pyo3::{PyErr, create_exception};

create_exception!(
    edge_aiops.stats,
    UnreadableSummary,
    PyValueError,
    "Bytes that are no summary of the kind asked for: foreign, damaged, of another statistic or version, \
     or contradictory."
);

create_exception!(
    edge_aiops.stats,
    IncompatibleSummaries,
    PyValueError,
    "Two summaries that cannot be taken together: of different baselines, bins or parameters."
);

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
pub fn to_python(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::LengthsDiffer { .. } | Error::Argument { .. } => PyValueError::new_err(message),
        Error::Incompatible { .. } => IncompatibleSummaries::new_err(message),
        Error::Foreign
        | Error::Damaged
        | Error::OtherKind { .. }
        | Error::OtherVersion { .. }
        | Error::Impossible { .. } => UnreadableSummary::new_err(message),
    }
}
