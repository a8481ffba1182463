//! Special functions, each with the accuracy it was measured to have.
//!
//! A function gives NaN where it is not defined. Errors are relative, found beside mpmath over the
//! ranges named; a tail keeps its digits however small it is, down to 10⁻³⁰⁰.

mod beta;
mod gamma;
mod kolmogorov;
mod normal;
pub(crate) mod stirling;
mod temme;

pub use beta::beta_regularised;
pub use gamma::{chi_square_upper, gamma_lower, gamma_upper, ln_gamma};
pub use kolmogorov::kolmogorov_upper;
pub use normal::{normal_quantile, normal_upper};
