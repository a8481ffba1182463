//! Condenses a block of values before the sketch sees it, which is several times as quick as one by one.
//!
//! The sketch would compact its lowest levels many times, a few values each. Here the block is sorted once and
//! every eighth value kept, from a place drawn at random: three compactions of the whole block, as KLL does them
//! but with larger buffers, so with less error. What is left merges as the fourth level of a sketch.

use datasketches::kll::KllSketch;

use super::item::Item;
use crate::BLOCK;

const HALVINGS: u8 = 3;
/// How many values one that is kept stands for.
pub(super) const WEIGHT: usize = 1 << HALVINGS;
/// From here on a rank within the block is off by 1.1 % of it at most.
pub(super) const WORTHWHILE: usize = BLOCK / 4 * 3;

/// Room of a sketch of four levels and k = 200: 200 times the powers of two thirds, rounded.
const CAPACITY: u32 = 200 + 133 + 89 + 59;

/// A sketch of a block of values, kept from a place that is drawn by `coin`. None unless their number is a
/// multiple of [`WEIGHT`] from [`WORTHWHILE`] to [`BLOCK`].
pub(super) fn condensed(items: &mut [Item], coin: u64) -> Option<KllSketch<Item>> {
    if !(WORTHWHILE..=BLOCK).contains(&items.len()) || !items.len().is_multiple_of(WEIGHT) {
        return None;
    }
    items.sort_unstable();
    let (first, last) = (items.first()?, items.last()?);
    let offset = usize::try_from(coin % WEIGHT as u64).ok()?;
    let kept = items.iter().skip(offset).step_by(WEIGHT);
    let empty_below = CAPACITY - u32::try_from(kept.len()).ok()?;
    let mut bytes = Vec::with_capacity(48 + size_of::<f32>() * kept.len());
    bytes.extend([5, 1, 15, 0, 200, 0, 8, 0]);
    bytes.extend((items.len() as u64).to_le_bytes());
    bytes.extend([200, 0, HALVINGS + 1, 0]);
    bytes.extend([empty_below.to_le_bytes(); HALVINGS as usize + 1].as_flattened());
    bytes.extend([first, last].into_iter().chain(kept).flat_map(|item| item.bytes()));
    KllSketch::deserialize(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Item, WORTHWHILE, condensed};
    use crate::float::float_len;

    #[test]
    fn a_block_becomes_a_sketch_of_so_many_values() {
        for length in [WORTHWHILE, BLOCK - 8, BLOCK] {
            for coin in 0..8 {
                let values = (0..length).rev().map(float_len);
                let mut items: Vec<_> = values.filter_map(Item::of).collect();
                assert!(condensed(&mut items[1..], coin).is_none());
                let sketch = condensed(&mut items, coin).unwrap();
                assert_eq!((sketch.n(), sketch.num_retained()), (length as u64, length / 8));
                assert_eq!(sketch.max_item(), Item::of(float_len(length - 1)).as_ref());
            }
        }
    }
}
