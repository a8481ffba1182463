//! What a comparison of two samples says, in one form for every test and distance.

use std::fmt;

/// The result of comparing a current sample with a reference.
///
/// Where there is nothing to compute, because a side has no usable values, `statistic`, `p_value` and
/// `effect_size` are `None` and a warning says why. There is never a number without data behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// What was computed and how, for example `"kolmogorov-smirnov, exact"`.
    pub method: &'static str,
    /// The statistic in the unit that the method documents.
    pub statistic: Option<f64>,
    /// Probability, under no difference, of a statistic at least as extreme; `None` for a plain distance.
    pub p_value: Option<f64>,
    /// How large the difference is, whatever the sample sizes.
    pub effect_size: Option<f64>,
    /// Which effect size that is, for example `"D"` or `"cramer's v"`.
    pub effect: &'static str,
    /// Usable values on the reference's side.
    pub n_reference: u64,
    /// Usable values on the current side.
    pub n_current: u64,
    /// What to know before relying on it; empty where all is well.
    pub warnings: Vec<Warning>,
}

impl TestResult {
    /// A result without a number, for a side that has fewer than `needed` usable values.
    #[must_use]
    pub fn without_data(method: &'static str, effect: &'static str, n: [u64; 2], needed: u64) -> Self {
        let [n_reference, n_current] = n;
        let too_few = |side, n| (n < needed).then_some(Warning::TooFewValues { side, n, needed });
        let warnings =
            [too_few(Side::Reference, n_reference), too_few(Side::Current, n_current)].into_iter().flatten();
        Self {
            method,
            statistic: None,
            p_value: None,
            effect_size: None,
            effect,
            n_reference,
            n_current,
            warnings: warnings.collect(),
        }
    }

    /// The same with `warnings` added.
    #[must_use]
    pub fn warned(mut self, warnings: impl IntoIterator<Item = Warning>) -> Self {
        self.warnings.extend(warnings);
        self
    }
}

/// Which of two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The sample compared with.
    Reference,
    /// The sample in question.
    Current,
}

impl fmt::Display for Side {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Reference => "the reference",
            Self::Current => "the current sample",
        })
    }
}

/// Something to know before relying on a result. `code` is stable, the text is for people.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// A side has fewer usable values than the method needs, so there is no number.
    TooFewValues {
        /// Whose.
        side: Side,
        /// How many it has.
        n: u64,
        /// How many are needed.
        needed: u64,
    },
    /// The samples are so small that the p-value is only a rough one.
    SmallSample {
        /// The smaller of the two sizes, or the smallest expected count.
        n: f64,
        /// From which size on the approximation is good.
        wanted: f64,
    },
    /// Equal values, for which the method is conservative or approximate.
    Ties,
    /// Every value of both sides is the same, so there is no spread to compare.
    Constant,
    /// Cells with low expected counts were taken together.
    PooledCells {
        /// How many cells were taken together with others.
        pooled: u64,
        /// How many are left.
        left: u64,
    },
    /// Values that are missing or not a number were left out.
    LeftOut {
        /// Whose.
        side: Side,
        /// How many.
        n: u64,
    },
    /// Another thing to know, said by the method.
    Other {
        /// A stable name.
        code: &'static str,
        /// For people.
        message: String,
    },
}

impl Warning {
    /// A stable name that programs may depend on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooFewValues { .. } => "too_few_values",
            Self::SmallSample { .. } => "small_sample",
            Self::Ties => "ties",
            Self::Constant => "constant",
            Self::PooledCells { .. } => "pooled_cells",
            Self::LeftOut { .. } => "left_out",
            Self::Other { code, .. } => code,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewValues { side, n, needed } => {
                write!(to, "{side} has {n} usable values where at least {needed} are needed")
            }
            Self::SmallSample { n, wanted } => {
                write!(to, "the p-value is approximate: {n} where at least {wanted} are wanted")
            }
            Self::Ties => write!(to, "there are equal values, for which the p-value is approximate"),
            Self::Constant => write!(to, "every value is the same"),
            Self::PooledCells { pooled, left } => {
                write!(to, "{pooled} cells with low expected counts were pooled, {left} are left")
            }
            Self::LeftOut { side, n } => {
                write!(to, "{n} values of {side} are missing or not a number and were left out")
            }
            Self::Other { message, .. } => to.write_str(message),
        }
    }
}
