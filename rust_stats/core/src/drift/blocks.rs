//! A sorted sample in blocks of neighbouring values, and which block a value falls into.
//!
//! A grid over the values answers mostly: it is as fine around the median as the values lie there, ever coarser
//! away from it, and ends at infinity. Its cells are found by arithmetic alone. Where several blocks begin in
//! one cell, as with values in far clusters, a search tree answers. Neither branches on the data, so the
//! processor works on several values at a time.

use pulp::{Arch, Simd, WithSimd};

use crate::float::{float, float_len};
use crate::order::{NOT_A_NUMBER, number, ordered};

/// Nodes of the search tree and one more: two to the number of its levels.
pub const NODES: usize = 1 << LEVELS;
const LEVELS: u32 = 10;

/// One boundary each, one for what is not a number, and one to spare so that looking beyond the last is safe.
const MOST_BLOCKS: usize = NODES - 2;

/// A short sample has fewer blocks.
const SHORTEST_BLOCK: usize = 16;

/// Some for every block, so that rarely two begin in one, and few enough for the first-level cache.
const CELLS: usize = 8192;

/// Added to a small number, it leaves the number's whole part in the last bits.
const WHOLE: f64 = float(1 << 52);

/// How many values are looked up at a time.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
pub struct Blocks {
    /// How many values of the sample are less than the first of each block, and how many there are.
    pub starts: Vec<usize>,
    /// The first value of each block, then infinity.
    firsts: Box<[f64; NODES]>,
    /// The same, and what is not a number, as integers in a complete binary tree: the root at 1, the children
    /// of i at 2 i and 2 i + 1.
    tree: Box<[u64; NODES]>,
    center: f64,
    scale: f64,
    /// How many blocks begin in the cells before each.
    before: Box<[u16; CELLS]>,
}

impl Blocks {
    pub fn of(sorted: &[u64]) -> Self {
        let mut starts = starts(sorted);
        let boundaries: Vec<u64> = starts.iter().filter_map(|start| sorted.get(*start)).copied().collect();
        starts.push(sorted.len());
        let mut firsts = Box::new([f64::INFINITY; NODES]);
        for (first, boundary) in firsts.iter_mut().zip(&boundaries) {
            *first = number(*boundary);
        }
        let (center, scale) = center_and_scale(&boundaries);
        let mut blocks =
            Self { starts, firsts, tree: as_tree(&boundaries), center, scale, before: Box::new([0; CELLS]) };
        let cells: Vec<u64> = boundaries.iter().map(|boundary| blocks.cell(number(*boundary))).collect();
        for (cell, before) in (0..).zip(blocks.before.iter_mut()) {
            *before = u16::try_from(cells.partition_point(|other| *other < cell)).unwrap_or(u16::MAX);
        }
        blocks
    }

    /// Number of blocks, plus one for what is less than all, plus one for what is no number.
    pub fn count(&self) -> usize {
        self.starts.len() + 1
    }

    /// For each value how many blocks begin at or below it, for NaN one more than there are; below [`NODES`].
    pub fn find(&self, values: &[f64], found: &mut [u16]) {
        Arch::new().dispatch(Finding { blocks: self, values, found });
    }

    /// None if that takes the tree.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every value of an array")]
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "remainders by the lengths of the arrays are indices of them"
    )]
    fn by_grid(&self, part: &[f64; AT_ONCE]) -> Option<[u16; AT_ONCE]> {
        let mut cells = [0; AT_ONCE];
        for (cell, value) in cells.iter_mut().zip(part) {
            *cell = self.cell(*value);
        }
        let mut all = true;
        let mut blocks = [0; AT_ONCE];
        for ((block, cell), value) in blocks.iter_mut().zip(cells).zip(part) {
            let before = self.before[cell as usize % CELLS];
            let one_more = u16::from(self.firsts[usize::from(before) % NODES] <= *value);
            *block = before + one_more;
            all &= *value < self.firsts[usize::from(*block) % NODES];
        }
        all.then_some(blocks)
    }

    /// Never greater for a lesser value, since each of its steps is rounded without turning an order around.
    #[inline(always)]
    fn cell(&self, value: f64) -> u64 {
        const HALF: f64 = float_len(CELLS / 2);
        let away = (value - self.center) * self.scale;
        let bounded = (1.0 - 1.0 / (1.0 + away.abs())).copysign(away);
        (bounded * (HALF - 1.0) + (WHOLE + HALF)).to_bits() % CELLS as u64
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder by the length of the tree is an index of it")]
    #[expect(clippy::cast_possible_truncation, reason = "it is less than the length of the tree")]
    fn by_tree(&self, value: f64) -> u16 {
        let integer = ordered(value);
        let mut node = 1;
        for _ in 0..LEVELS {
            node = 2 * node + usize::from(self.tree[node % NODES] <= integer);
        }
        (node - NODES) as u16
    }
}

struct Finding<'all> {
    blocks: &'all Blocks,
    values: &'all [f64],
    found: &'all mut [u16],
}

impl WithSimd for Finding<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined is it compiled for the processor it runs on")]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Self { blocks, values, found } = self;
        let (parts, rest) = values.as_chunks::<AT_ONCE>();
        let (found_parts, found_rest) = found.as_chunks_mut::<AT_ONCE>();
        for (part, found) in parts.iter().zip(found_parts) {
            *found = blocks.by_grid(part).unwrap_or_else(|| part.map(|value| blocks.by_tree(value)));
        }
        for (value, found) in rest.iter().zip(found_rest) {
            *found = blocks.by_tree(*value);
        }
    }
}

/// Where blocks start: at the first of equal values, so that none is in two blocks.
fn starts(sorted: &[u64]) -> Vec<usize> {
    let length = sorted.len().div_ceil(MOST_BLOCKS).max(SHORTEST_BLOCK);
    let firsts = sorted.iter().step_by(length);
    let mut starts: Vec<usize> =
        firsts.map(|first| sorted.partition_point(|integer| integer < first)).collect();
    starts.dedup();
    starts
}

/// The sorted boundaries, then what is not a number, then the largest integer, in the order of a complete
/// binary tree.
fn as_tree(boundaries: &[u64]) -> Box<[u64; NODES]> {
    let mut tree = Box::new([u64::MAX; NODES]);
    for (node, slot) in tree.iter_mut().enumerate().skip(1) {
        // A node of level l (the root's is 0) has the odd multiple of 2^(levels - 1 - l) that its place says.
        let level = node.ilog2();
        let rank = (2 * (node - (1 << level)) + 1) << (LEVELS - 1 - level);
        *slot = match boundaries.get(rank - 1) {
            Some(boundary) => *boundary,
            None if rank - 1 == boundaries.len() => NOT_A_NUMBER,
            None => u64::MAX,
        };
    }
    tree
}

/// The median of the boundaries, and what makes the middle half of them about two wide.
fn center_and_scale(boundaries: &[u64]) -> (f64, f64) {
    let at = |quarters: usize| boundaries.get(boundaries.len() * quarters / 4).map_or(0.0, |it| number(*it));
    let (center, scale) = (at(2), 1.0 / (0.75 * (at(3) - at(1))));
    // With infinities, or without a width, any grid will do; the tree answers what it does not.
    if center.is_finite() && scale.is_finite() && scale > 0.0 { (center, scale) } else { (0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: [f64; 13] = [
        f64::NEG_INFINITY,
        f64::MIN,
        -1e5,
        -1.0,
        -5e-324,
        0.0,
        5e-324,
        0.5,
        1e9,
        333.0,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ];

    fn assert_found(sample: Vec<f64>, values: &[f64]) {
        let mut sorted: Vec<u64> = sample.into_iter().map(ordered).collect();
        sorted.sort_unstable();
        let blocks = Blocks::of(&sorted);
        let firsts: Vec<u64> = blocks.starts.iter().filter_map(|it| sorted.get(*it)).copied().collect();
        assert!(firsts.len() <= MOST_BLOCKS && firsts.is_sorted_by(|left, right| left < right));
        let expected = values.iter().map(|value| {
            firsts.partition_point(|first| *first <= ordered(*value)) + usize::from(value.is_nan())
        });
        let mut found = vec![0; values.len()];
        blocks.find(values, &mut found);
        assert_eq!(found.into_iter().map(usize::from).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn values_fall_into_the_blocks_that_counting_gives() {
        for n in [0, 1, 2, 15, 16, 17, 1000, 16_351, 16_352, 16_353, 50_000] {
            let values: Vec<f64> = (0..n).map(|i| f64::from(i * 7919 % (n / 3 + 1)) / 7.0).collect();
            let near: Vec<f64> =
                values.iter().flat_map(|it| [*it, it.next_up(), it.next_down(), -it]).collect();
            for change in [
                |x: f64| x,
                |x: f64| 1e9 + x * 1e-6,
                |x: f64| x.powi(40),
                |x: f64| 1.0 / (x - 50.0),
                f64::floor,
            ] {
                let probes: Vec<f64> = near.iter().map(|it| change(*it)).chain(SPECIAL).collect();
                assert_found(values.iter().map(|it| change(*it)).collect(), &probes);
            }
        }
    }

    #[test]
    fn extremes_and_clusters_are_values_like_others() {
        let clusters = (0..40_000).map(|i| f64::from(i % 4).powi(300) * 1e100 + f64::from(i));
        let values: Vec<f64> =
            SPECIAL.into_iter().filter(|it| !it.is_nan()).cycle().take(500).chain(clusters).collect();
        let probes = [&values[..], &SPECIAL].concat();
        assert_found(values, &probes);
        assert_found(vec![f64::INFINITY; 100], &SPECIAL);
        assert_found([f64::MIN, f64::MAX].repeat(50), &SPECIAL);
    }
}
