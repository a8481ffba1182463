//! A mean with more digits than an `f64` has.
//!
//! Where values have an offset of 10⁹ deviations, rounding their mean to `f64` moves it by 10⁻⁷ deviations.
//! The difference of two such means would be as wrong, and with it the variance of both sets together.

/// A mean as the nearest `f64` and what rounding to it took away: some 77 bits.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Mean {
    pub(super) rounded: f64,
    /// As a fraction of `rounded`, so that it is in the range of `f32` for a mean of any size.
    pub(super) rest: f32,
}

impl Mean {
    pub(super) const ZERO: Self = Self { rounded: 0.0, rest: 0.0 };

    /// Half the distance from one `f64` to the next, as a fraction of it: at most 2⁻⁵³.
    #[expect(clippy::cast_possible_truncation, reason = "an f32 holds this power of two")]
    pub(super) const LARGEST_REST: f32 = (f64::EPSILON / 2.0) as f32;

    /// The difference of two means as one number, infinite if too large for that.
    pub(super) fn minus(self, other: Self) -> f64 {
        (self.rounded - other.rounded) + (self.remainder() - other.remainder())
    }

    /// The mean moved by `difference`.
    pub(super) fn plus(self, difference: f64) -> Self {
        Self::of_sum(self.rounded, self.remainder() + difference)
    }

    /// The sum of two numbers without the error of rounding: Knuth, The Art of Computer Programming,
    /// volume 2, section 4.2.2, theorem B.
    pub(super) fn of_sum(a: f64, b: f64) -> Self {
        let rounded = a + b;
        let b_taken = rounded - a;
        let a_taken = rounded - b_taken;
        let remainder = (a - a_taken) + (b - b_taken);
        Self { rest: ratio(remainder, rounded), ..Self::from(rounded) }
    }

    /// The mean moved into the interval, if rounding has put it outside.
    pub(super) fn within(self, minimum: f64, maximum: f64) -> Self {
        if self.rounded < minimum {
            Self::from(minimum)
        } else if self.rounded > maximum {
            Self::from(maximum)
        } else {
            self
        }
    }

    fn remainder(self) -> f64 {
        self.rounded * f64::from(self.rest)
    }
}

impl From<f64> for Mean {
    /// Adding zero turns negative zero into zero, so that equal summaries have equal bytes.
    fn from(exact: f64) -> Self {
        Self { rounded: exact + 0.0, rest: 0.0 }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is meant")]
fn ratio(part: f64, whole: f64) -> f32 {
    let ratio = part / whole;
    // Zero has no part, and where a sum overflowed there is none to speak of.
    if ratio.is_finite() { ratio as f32 + 0.0 } else { 0.0 }
}
