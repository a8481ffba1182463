//! Eigenvalues and eigenvectors of symmetric matrices, by nalgebra.

use nalgebra::{DMatrix, SymmetricEigen};

/// Eigenvalues, the largest first, none below 0, each with its eigenvector; `None` if they do not converge,
/// which for finite matrices does not happen.
pub(super) fn eigen(matrix: DMatrix<f64>) -> Option<Vec<(f64, Vec<f64>)>> {
    let most = 1000 + 100 * matrix.nrows();
    let found = SymmetricEigen::try_new(matrix, f64::EPSILON, most)?;
    let vectors = found.eigenvectors.column_iter().map(|vector| vector.iter().copied().collect());
    let values = found.eigenvalues.iter().map(|value| value.max(0.0));
    let mut pairs: Vec<(f64, Vec<f64>)> = values.zip(vectors).collect();
    pairs.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    Some(pairs)
}
