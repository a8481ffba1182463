//! Comparisons of rows of many features: changes that no single feature shows.
//!
//! [`PcaReference`] asks whether rows still lie near the directions in which the reference varies,
//! [`MmdReference`] whether two samples have the same distribution, [`cosine_shift_test`] whether embeddings
//! point the same way on average. The first two are prepared once from a reference and travel as bytes.
//!
//! A value is usable if it is finite and at most 10¹⁰⁰ in magnitude. What is not usable is missing.

mod cosine;
mod eigen;
mod matrix;
mod mixture;
mod mmd;
mod pca;
mod ranks;
mod scale;

pub use cosine::cosine_shift_test;
pub use matrix::Matrix;
pub use mmd::{MmdOptions, MmdReference};
pub use pca::PcaReference;
