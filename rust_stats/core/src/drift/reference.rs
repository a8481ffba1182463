//! A reference that is prepared once and compared with many current samples.

use super::blocks::Blocks;
use super::sample::Sample;
use crate::moments::Moments;

/// A sorted sample of reference with what makes comparisons with it fast.
///
/// Making it costs a sort. The Kolmogorov-Smirnov test against it never sorts the current sample as a whole,
/// and gives what it gives against the values themselves.
///
/// ```
/// use edge_aiops_stats_core::{KsMethod, SortedReference, ks_test};
///
/// let reference = SortedReference::new((0..1000).map(f64::from).collect());
/// let found = ks_test(&reference, &[900.5, 950.5, 990.5][..], KsMethod::Auto)?;
/// assert_eq!(found.statistic, Some(0.901));
/// # Ok::<(), edge_aiops_stats_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SortedReference {
    pub(super) sample: Sample,
    /// Standard deviation of the values if all are finite and it is too.
    pub(super) deviation: Option<f64>,
    pub(super) has_ties: bool,
    pub(super) blocks: Blocks,
}

impl SortedReference {
    /// Sorts in the memory of `values`; what is not a number is left out.
    #[must_use]
    pub fn new(values: Vec<f64>) -> Self {
        let moments = Moments::of(&values);
        let sample = Sample::new(values);
        let deviation = moments.standard_deviation().filter(|it| it.is_finite() && sample.is_finite());
        let has_ties = !sample.ordered.is_sorted_by(|left, right| left < right);
        Self { deviation, has_ties, blocks: Blocks::of(&sample.ordered), sample }
    }

    /// Number of values, of those that are a number.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sample.count()
    }

    /// Number of values that were left out because they are not a number.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.sample.left_out
    }
}
