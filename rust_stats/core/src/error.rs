//! What can be wrong with what a caller hands in.

use std::fmt;

/// A refusal, with what was wrong and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The mask of missing values is not as long as the values.
    LengthsDiffer {
        /// Number of values.
        values: usize,
        /// Number of entries in the mask.
        missing: usize,
    },
    /// An argument has a value that it cannot take.
    Argument {
        /// The argument's name as the caller knows it.
        name: &'static str,
        /// What is wrong with which value, and what to do: the rest of a sentence that starts with the name.
        problem: String,
    },
    /// Two summaries or samples that cannot be taken together.
    Incompatible {
        /// Why, and what to do: a whole sentence.
        because: String,
    },
    /// The bytes are not a summary of this library.
    Foreign,
    /// The bytes began as a summary, but some were changed, lost or added.
    Damaged,
    /// The bytes are a summary of another statistic.
    OtherKind {
        /// The kind that was asked for.
        expected: u8,
        /// The kind in the bytes.
        found: u8,
    },
    /// The bytes are in a layout that this library does not read.
    OtherVersion {
        /// The layout that this library reads.
        readable: u8,
        /// The layout in the bytes.
        found: u8,
    },
    /// The bytes are whole, but no data can have such a summary.
    Impossible {
        /// The contradiction.
        because: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthsDiffer { values, missing } => {
                write!(to, "missing must have one entry for each of the {values} values, but has {missing}")
            }
            Self::Argument { name, problem } => write!(to, "{name} {problem}"),
            Self::Incompatible { because } => to.write_str(because),
            Self::Foreign => write!(
                to,
                "these bytes are not a summary: they do not begin with its mark; pass what to_bytes gave"
            ),
            Self::Damaged => write!(
                to,
                "these bytes are damaged: the checksum does not fit; fetch or compute the summary again"
            ),
            Self::OtherKind { expected, found } => write!(
                to,
                "these bytes are a summary of kind {found}, not of kind {expected}; \
                 read them with the type that wrote them"
            ),
            Self::OtherVersion { readable, found } => write!(
                to,
                "these bytes are in layout {found}, this release reads layout {readable}; upgrade the reader"
            ),
            Self::Impossible { because } => write!(
                to,
                "these bytes are whole, but no data have such a summary: {because}; \
                 look for a defect in what wrote them"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The refusal of the value of an argument.
    pub(crate) fn argument(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Argument { name, problem: problem.into() }
    }
}
