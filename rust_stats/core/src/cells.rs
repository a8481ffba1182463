//! What a feature is compared on: counts in cells that are about equally full in its reference.

use crate::baseline::Feature;
use crate::categories::Categories;
use crate::profile::Summary;

/// Counts of the same cells of a reference and of a later summary, and of what is missing on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cells {
    /// Under all edges, groups of bins, and over all edges; or the known labels and all other ones together.
    pub(crate) present: Vec<u64>,
    /// Missing values and NaN.
    pub(crate) missing: u64,
}

impl Feature {
    /// The cells of its reference.
    pub(crate) fn cells(&self) -> Cells {
        match self {
            Self::Numeric { reference, .. } => {
                let counted = reference.histogram();
                Cells { present: reference.in_groups(counted.present()), missing: counted.missing() }
            }
            Self::Category(reference) => {
                Cells { present: reference.cells().to_vec(), missing: reference.counts().missing() }
            }
        }
    }

    /// The same cells of a summary of it.
    pub(crate) fn cells_of(&self, summary: &Summary) -> Cells {
        match (self, summary) {
            (Self::Numeric { reference, .. }, Summary::Numeric(numbers)) => {
                let counted = numbers.histogram();
                Cells { present: reference.in_groups(counted.present()), missing: counted.missing() }
            }
            (_, Summary::Category(labels)) => Cells::of_labels(labels),
            (Self::Category(_), Summary::Numeric(_)) => Cells { present: Vec::new(), missing: 0 },
        }
    }
}

impl Cells {
    /// The known labels, and all other ones together.
    pub(crate) fn of_labels(labels: &Categories) -> Self {
        let mut present = labels.known_counts();
        let in_known = present.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        present.push(labels.total().saturating_sub(labels.missing()).saturating_sub(in_known));
        Self { present, missing: labels.missing() }
    }

    /// All cells, the missing values last.
    pub(crate) fn with_missing(mut self) -> Vec<u64> {
        self.present.push(self.missing);
        self.present
    }

    /// Number of values that are there.
    pub(crate) fn total(&self) -> u64 {
        self.present.iter().fold(0, |total, count| total.saturating_add(*count))
    }
}
