//! Numbers as integers that sort the same way, which makes sorting and searching plain integer work.

const SIGN: u64 = 1 << 63;

/// Above the integer of every number, infinity included: where NaN goes.
pub const NOT_A_NUMBER: u64 = (f64::INFINITY.to_bits() | SIGN) + 1;

/// The integer of a number: a < b exactly where that of a is less than that of b, and both zeros are one.
pub fn ordered(value: f64) -> u64 {
    // Adding zero turns negative zero into zero.
    let bits = (value + 0.0).to_bits();
    // All bits of a negative number are turned around, of others only the sign.
    let turned = (bits.cast_signed() >> 63).cast_unsigned() | SIGN;
    if value.is_nan() { NOT_A_NUMBER } else { bits ^ turned }
}

/// The number of an integer that [`ordered`] gave.
pub fn number(ordered: u64) -> f64 {
    f64::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered ^ SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_ordered_as_their_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            1.5,
            f64::MAX,
            f64::INFINITY,
        ];
        assert!(numbers.map(ordered).is_sorted_by(|left, right| left < right));
        assert!(numbers.iter().all(|value| number(ordered(*value)).to_bits() == value.to_bits()));
        assert!(numbers.map(ordered).iter().all(|integer| *integer < NOT_A_NUMBER));
        assert_eq!(ordered(-0.0), ordered(0.0));
        assert_eq!([ordered(f64::NAN), ordered(-f64::NAN)], [NOT_A_NUMBER; 2]);
    }
}
