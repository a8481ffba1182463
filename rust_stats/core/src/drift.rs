//! Two samples of numbers compared: tests and distances on arrays.
//!
//! Values are compared as `f64`, negative zero is zero, infinities are values like others. What is not a number
//! is left out and reported. Each comparison takes a [`SortedReference`], which is sorted once however often it
//! is compared with, and the current sample.

mod anderson_darling;
mod blocks;
mod complex;
mod cramer_von_mises;
mod deviation;
mod energy;
mod kolmogorov_smirnov;
mod mann_whitney;
mod quadratic_form;
mod reference;
mod sample;
mod smirnov;
mod wasserstein;

pub use anderson_darling::anderson_darling_test;
pub use cramer_von_mises::cramer_von_mises_test;
pub use deviation::Values;
pub use energy::energy_distance;
pub use kolmogorov_smirnov::{KsMethod, ks_test};
pub use mann_whitney::mann_whitney_test;
pub use reference::SortedReference;
pub use wasserstein::wasserstein_distance;
