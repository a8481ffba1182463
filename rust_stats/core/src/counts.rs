//! Tests and distances on two vectors of counts: of the same bins, or of the same categories.
//!
//! Every function takes the counts of the reference and of the current sample, cell by cell, and gives a
//! [`TestResult`](crate::TestResult). None allocates on the way. Totals beyond 2⁶⁴ are computed with all the
//! same; the sizes in the result stop there.
//!
//! ```
//! use edge_aiops_stats_core::counts::{chi_square_test, psi};
//!
//! let (reference, current) = ([250, 250, 250, 250], [40, 25, 20, 15]);
//! assert!(chi_square_test(&reference, &current)?.p_value < Some(0.01));
//! assert!(psi(&reference, &current)?.statistic > Some(0.1));
//! # Ok::<(), edge_aiops_stats_core::Error>(())
//! ```

mod chi_square;
mod fisher;
mod g;
mod hellinger;
mod jensen_shannon;
mod kolmogorov_smirnov;
mod kullback_leibler;
mod others;
mod pair;
mod pooling;
mod psi;
mod total_variation;
mod wasserstein;

pub use chi_square::chi_square_test;
pub use fisher::fisher_exact_test;
pub use g::g_test;
pub use hellinger::hellinger_distance;
pub use jensen_shannon::jensen_shannon_distance;
pub use kolmogorov_smirnov::binned_ks_test;
pub use kullback_leibler::kullback_leibler_divergence;
pub use others::each_against_others;
pub use psi::{psi, psi_without_drift};
pub use total_variation::total_variation_distance;
pub use wasserstein::binned_wasserstein_distance;
