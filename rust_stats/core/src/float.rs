//! Counts as the numbers that formulas use.

/// The nearest `f64`: exact up to 2⁵³, and beyond to 16 digits, which is how much a count weighs.
#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 weighs the same to 16 digits")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The nearest `f64` of a length.
pub(crate) const fn float_len(length: usize) -> f64 {
    float(length as u64)
}

/// The nearest `f64` of a sum of counts.
#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 weighs the same to 16 digits")]
pub(crate) const fn float_sum(sum: u128) -> f64 {
    sum as f64
}
