//! A single-precision number that compares as an integer, which sorts in half the time.

use datasketches::codec::{SketchBytes, SketchSlice};
use datasketches::error::Error;
use datasketches::kll::{KllFloat, KllValue};

/// A number but NaN, in an integer whose order is that of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item(i32);

impl Item {
    /// The nearest of single precision, none for NaN.
    #[inline]
    pub(super) fn of(value: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "documented: rounded to single precision")]
        let single = value as f32;
        (!single.is_nan()).then(|| Self::of_single(single))
    }

    pub(super) fn value(self) -> f64 {
        f64::from(self.single())
    }

    pub(super) fn bytes(self) -> [u8; 4] {
        self.single().to_le_bytes()
    }

    #[inline]
    fn of_single(single: f32) -> Self {
        // Adding zero makes a negative zero positive, so that the two are one.
        Self(turned((single + 0.0).to_bits().cast_signed()))
    }

    fn single(self) -> f32 {
        f32::from_bits(turned(self.0).cast_unsigned())
    }
}

/// Negative numbers grow in size towards minus infinity: their bits, all but the sign, are turned over.
#[inline]
const fn turned(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & i32::MAX)
}

impl KllValue for Item {
    const MIN_SERIALIZED_SIZE: usize = size_of::<f32>();

    fn serialized_size(_: &Self) -> usize {
        size_of::<f32>()
    }

    fn serialize(item: &Self, bytes: &mut SketchBytes) {
        bytes.write_f32_le(item.single());
    }

    fn deserialize(input: &mut SketchSlice<'_>) -> Result<Self, Error> {
        KllFloat::<f32>::deserialize(input).map(|number| Self::of_single(number.into_inner()))
    }
}

#[cfg(test)]
mod tests {
    use super::Item;

    #[test]
    fn items_are_in_the_order_of_their_numbers_and_give_them_back() {
        let numbers =
            [f64::NEG_INFINITY, -2.0, -1.0, -1e-40, 0.0, 1e-40, 1.0, f64::from(f32::MAX), f64::INFINITY];
        let items: Vec<_> = numbers.iter().map(|number| Item::of(*number).unwrap()).collect();
        assert!(items.is_sorted() && items.windows(2).all(|pair| pair[0] != pair[1]));
        for (item, number) in items.iter().zip(numbers) {
            assert!(item.value().total_cmp(&number).is_eq() || (item.value() - number).abs() < 1e-45);
        }
        assert_eq!(Item::of(-0.0), Item::of(0.0));
        assert_eq!(Item::of(f64::NAN), None);
    }
}
