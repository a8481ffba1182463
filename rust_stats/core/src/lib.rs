//! Statistics of arrays as small summaries that merge.
//!
//! A summary is made where the data are and merged wherever it is wanted: by minute, by day, over a fleet.
//! Each statistic has a file of its own and offers the same four things: made from arrays, merged, encoded to
//! bytes, read back from bytes. Nothing here panics on input, whatever it is; what can fail returns an
//! [`Error`].
//!
//! ```
//! use edge_aiops_stats_core::Moments;
//!
//! let monday = Moments::of(&[20.5, 21.0, 19.5]);
//! let tuesday = Moments::of(&[22.0, f64::NAN]);
//! let both = monday.merge(&tuesday);
//! assert_eq!(both.count(), 4);
//! assert_eq!(both.nan(), 1);
//! assert_eq!(both.mean(), Some(20.75));
//! ```
#![forbid(unsafe_code)]

mod checksum;
mod drift;
mod encoding;
mod error;
mod float;
mod moments;
mod result;
pub mod special;

pub use drift::{
    KsMethod, SortedReference, Values, anderson_darling_test, cramer_von_mises_test, energy_distance,
    ks_test, mann_whitney_test, wasserstein_distance,
};
pub use error::Error;
pub use moments::Moments;
pub use result::{Side, TestResult, Warning};

/// How many values a statistic works on at a time.
///
/// A block of `f64` fills 8 KiB, so its second reading comes from the first-level cache. Whoever feeds a
/// statistic piecemeal in blocks of this length gets, bit for bit, the summary that the whole slice gives.
pub const BLOCK: usize = 1024;
