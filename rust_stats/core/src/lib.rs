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
mod beyond;
mod bins;
mod categories;
mod cells;
mod checksum;
mod comparison;
pub mod counts;
mod distinct;
mod drift;
mod encoding;
mod error;
pub mod estimation;
mod evidence;
mod float;
mod histogram;
mod latency;
pub mod metrics;
mod moments;
pub mod multiplicity;
pub mod multivariate;
mod numeric;
mod order;
pub mod paired;
mod profile;
mod quantiles;
mod random;
mod reference;
mod result;
pub mod special;
pub mod streaming;
mod watch;

pub use baseline::{Baseline, CategoryReference, Feature};
pub use bins::{Bins, MOST_BINS};
pub use categories::{Categories, Share};
pub use comparison::{Comparison, FeatureComparison, Kind, compare};
pub use distinct::{DistinctCount, DistinctEstimate};
pub use drift::{
    KsMethod, SortedReference, Values, anderson_darling_test, cramer_von_mises_test, energy_distance,
    ks_test, mann_whitney_test, wasserstein_distance,
};
pub use error::Error;
pub use evidence::{
    BoundedMeanSequence, DriftEvidence, Interval, MeanSequence, RateSequence, Sides, normal_mixture_bound,
};
pub use histogram::Histogram;
pub use latency::Latency;
pub use moments::Moments;
pub use numeric::{NumericSummary, Range};
pub use profile::{Column, MISSING, Profile, Summary};
pub use quantiles::Quantiles;
pub use reference::{DEFAULT_BINS, GROUPS, Reference};
pub use result::{Side, TestResult, Warning};
pub use watch::{DriftWatch, WatchedFeature};

/// How many values a statistic works on at a time.
///
/// A block of `f64` fills 8 KiB, so its second reading comes from the first-level cache. Whoever feeds a
/// statistic piecemeal in blocks of this length gets, bit for bit, the summary that the whole slice gives.
pub const BLOCK: usize = 1024;
