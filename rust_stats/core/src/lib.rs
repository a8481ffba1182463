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

mod baseline;
mod bins;
mod categories;
mod checksum;
pub mod counts;
mod distinct;
mod encoding;
mod error;
mod float;
mod histogram;
mod latency;
mod moments;
pub mod multiplicity;
mod numeric;
mod profile;
mod quantiles;
mod reference;
mod result;
pub mod special;

pub use baseline::{Baseline, CategoryReference, Feature};
pub use bins::{Bins, MOST_BINS};
pub use categories::{Categories, Share};
pub use distinct::{DistinctCount, Estimate};
pub use error::Error;
pub use histogram::Histogram;
pub use latency::Latency;
pub use moments::Moments;
pub use numeric::{NumericSummary, Range};
pub use profile::{Column, Profile, Summary, Value};
pub use quantiles::Quantiles;
pub use reference::{DEFAULT_BINS, GROUPS, Reference};
pub use result::{Side, TestResult, Warning};

/// How many values a statistic works on at a time.
///
/// A block of `f64` fills 8 KiB, so its second reading comes from the first-level cache. Whoever feeds a
/// statistic piecemeal in blocks of this length gets, bit for bit, the summary that the whole slice gives.
pub const BLOCK: usize = 1024;
