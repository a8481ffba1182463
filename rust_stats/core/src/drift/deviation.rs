//! The greatest distance of two empirical distribution functions, without sorting the current sample.
//!
//! The reference is in blocks of neighbouring values. One pass counts how many current values fall into each,
//! which gives both distribution functions at the blocks' boundaries exactly. Within a block either rises by no
//! more than its share of the block, so only blocks where that may exceed the greatest distance so far are
//! looked into: their values are sorted, mostly a few per cent of all.

use std::cmp::Reverse;
use std::ops::Range;

use super::blocks::NODES;
use super::reference::SortedReference;
use super::sample::runs;
use crate::BLOCK;
use crate::order::ordered;

/// Values that are read more than once, in parts, so that nobody needs a copy of them all.
pub trait Values {
    /// How many there are.
    fn length(&self) -> usize;

    /// Passes all of them to `part` in parts of [`BLOCK`], the last of which may be shorter, in the same order
    /// each time.
    ///
    /// Should others change them meanwhile, the result is that of some mixture.
    fn each_part(&self, part: &mut dyn FnMut(&[f64]));

    /// The value at a place, as [`Values::each_part`] passes it; NaN beyond the last.
    fn at(&self, place: usize) -> f64;
}

impl Values for [f64] {
    fn length(&self) -> usize {
        self.len()
    }

    fn each_part(&self, part: &mut dyn FnMut(&[f64])) {
        self.chunks(BLOCK).for_each(part);
    }

    fn at(&self, place: usize) -> f64 {
        self.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// The greatest |i m - j n| over all values, where i of the n values of the reference and j of the m current
/// values are not greater.
pub struct Deviation {
    pub greatest: u128,
    /// Current values that are a number.
    pub count: u64,
    /// Current values that are not.
    pub left_out: u64,
}

impl Deviation {
    pub fn between(reference: &SortedReference, current: &(impl Values + ?Sized)) -> Self {
        let (blocks, mut counts) = assigned(reference, current);
        let left_out = counts.pop().unwrap_or_default();
        let count = counts.iter().sum();
        let mut search = Search::new(reference, &counts, count);
        let candidates = search.candidates(&counts);
        search.look_into(&candidates, &blocks, current);
        Self { greatest: search.greatest, count, left_out }
    }
}

/// The block of each value, and how many values each block has.
fn assigned(reference: &SortedReference, current: &(impl Values + ?Sized)) -> (Vec<u16>, Vec<u64>) {
    let mut counts = vec![0_u64; reference.blocks.count()];
    let mut blocks = vec![0_u16; current.length()];
    let mut left = blocks.as_mut_slice();
    current.each_part(&mut |part| {
        let (found, others) = std::mem::take(&mut left).split_at_mut_checked(part.len()).unwrap_or_default();
        left = others;
        reference.blocks.find(part, found);
        for block in found {
            if let Some(count) = counts.get_mut(usize::from(*block)) {
                *count += 1;
            }
        }
    });
    (blocks, counts)
}

/// A block that may hold a greater distance than those known.
struct Candidate {
    block: usize,
    bound: u128,
    /// Values less than the first of the block and less than the first of the next, of the reference.
    reference: Range<usize>,
    /// The same of the current sample.
    current: Range<usize>,
}

struct Search<'reference> {
    reference: &'reference SortedReference,
    sizes: [u64; 2],
    greatest: u128,
}

impl<'reference> Search<'reference> {
    /// Knows the distances at the boundaries of the blocks.
    fn new(reference: &'reference SortedReference, counts: &[u64], count: u64) -> Self {
        let mut search = Self { reference, sizes: [reference.count(), count], greatest: 0 };
        let mut below = 0;
        for (start, count) in reference.blocks.starts.iter().zip(counts) {
            below += length(*count);
            search.note(*start, below);
        }
        search
    }

    /// i m - j n.
    fn distance(&self, i: usize, j: usize) -> i128 {
        let [n, m] = self.sizes;
        // Products of factors without a sign take one instruction each.
        let [im, jn] = [(i, m), (j, n)].map(|(count, size)| count as u128 * u128::from(size));
        im.cast_signed() - jn.cast_signed()
    }

    /// Takes note of the distance where i values of the reference and j current values are not greater.
    fn note(&mut self, i: usize, j: usize) {
        self.greatest = self.greatest.max(self.distance(i, j).unsigned_abs());
    }

    /// Blocks that may hold a greater distance, the most promising first.
    fn candidates(&self, counts: &[u64]) -> Vec<Candidate> {
        let ends = self.reference.blocks.starts.iter().skip(1);
        let mut counts = counts.iter();
        // Nothing of the reference is in the block below its first value, so the end of that block says it all.
        let mut below = length(counts.next().copied().unwrap_or_default());
        let blocks = self.reference.blocks.starts.iter().zip(ends).zip(counts).enumerate();
        let mut candidates: Vec<Candidate> = blocks
            .map(|(block, ((start, end), count))| {
                let first = below;
                below += length(*count);
                let bound = self.distance(*end, first).max(-self.distance(*start, below)).unsigned_abs();
                Candidate { block: block + 1, bound, reference: *start..*end, current: first..below }
            })
            .filter(|candidate| candidate.bound > self.greatest)
            .collect();
        candidates.sort_unstable_by_key(|candidate| Reverse(candidate.bound));
        candidates
    }

    fn look_into(&mut self, candidates: &[Candidate], blocks: &[u16], current: &(impl Values + ?Sized)) {
        let mut gathered = gathered(candidates, blocks, current);
        let mut rest = gathered.as_mut_slice();
        for candidate in candidates {
            let Some((values, others)) = rest.split_at_mut_checked(candidate.current.len()) else { return };
            rest = others;
            if candidate.bound > self.greatest {
                self.look_into_block(candidate, values);
            }
        }
    }

    /// Both distribution functions just below and at every value of the reference in the block. Where no current
    /// value lies between two of them, the distance goes one way only and is not looked at.
    fn look_into_block(&mut self, candidate: &Candidate, values: &mut [u64]) {
        let (mut i, mut j) = (candidate.reference.start, candidate.current.start);
        let reference = self.reference.sample.ordered.get(candidate.reference.clone()).unwrap_or_default();
        if reference.first() == reference.last() {
            let equal = values.iter().filter(|value| reference.first() == Some(value)).count();
            self.note(candidate.reference.end, j + equal);
            return;
        }
        values.sort_unstable();
        let mut values = values.iter().peekable();
        for (integer, times) in runs(reference) {
            let at_or_above = i + length(times);
            if values.peek().is_some_and(|value| **value <= integer) {
                self.note(i, j);
                while values.next_if(|value| **value < integer).is_some() {
                    j += 1;
                }
                self.note(i, j);
                while values.next_if(|value| **value == integer).is_some() {
                    j += 1;
                }
                self.note(at_or_above, j);
            }
            i = at_or_above;
        }
        self.note(i, j);
    }
}

/// The values of the candidates, in the order of the candidates.
fn gathered(candidates: &[Candidate], blocks: &[u16], current: &(impl Values + ?Sized)) -> Vec<u64> {
    if candidates.is_empty() {
        return Vec::new();
    }
    // Which blocks are wanted, and where the next value of each goes.
    let (mut wanted, mut next) = ([false; NODES], [0; NODES]);
    let mut total = 0;
    for candidate in candidates {
        if let (Some(wanted), Some(next)) = (wanted.get_mut(candidate.block), next.get_mut(candidate.block)) {
            (*wanted, *next) = (true, total);
        }
        total += candidate.current.len();
    }
    let mut gathered = vec![0; total];
    let mut places = [0; BLOCK];
    for (first, blocks) in (0..).step_by(BLOCK).zip(blocks.chunks(BLOCK)) {
        for place in those_wanted(&wanted, blocks, &mut places) {
            if let Some(block) = blocks.get(usize::from(*place))
                && let Some(next) = next.get_mut(usize::from(*block))
                && let Some(slot) = gathered.get_mut(*next)
            {
                *slot = ordered(current.at(first + usize::from(*place)));
                *next += 1;
            }
        }
    }
    gathered
}

/// The places of the wanted among these blocks.
#[expect(clippy::indexing_slicing, reason = "a remainder by the length of the array is an index of it")]
fn those_wanted<'places>(
    wanted: &[bool; NODES],
    blocks: &[u16],
    places: &'places mut [u16; BLOCK],
) -> &'places [u16] {
    // Every place is written and the length moves on only past those wanted: a branch on the data would be
    // guessed wrong too often.
    let mut length = 0;
    for (place, block) in (0..).zip(blocks) {
        places[length % BLOCK] = place;
        length += usize::from(wanted[usize::from(*block) % NODES]);
    }
    places.get(..length).unwrap_or_default()
}

/// A count of values in memory, as a length.
fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At every value of both samples.
    fn by_counting(reference: &[f64], current: &[f64]) -> u128 {
        let below = |sample: &[f64], at: f64| sample.iter().filter(|value| **value <= at).count() as i128;
        let both = reference.iter().chain(current);
        let distances = both.map(|at| {
            let (i, j) = (below(reference, *at), below(current, *at));
            (i * current.len() as i128 - j * reference.len() as i128).unsigned_abs()
        });
        distances.max().unwrap_or_default()
    }

    #[test]
    fn it_is_what_counting_gives() {
        let hashed = |i: u64, salt: u64| {
            crate::float::float((i * 2_654_435_761 + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40)
        };
        for (n, m) in [(1, 1), (1, 40), (40, 1), (17, 33), (100, 700), (700, 100), (900, 900)] {
            for coarse in [1.0, 1e3, 1e5, 3e6, 2e7] {
                for shift in [0.0, 1.0, 3.0] {
                    let sample = |n: u64, salt: u64, shift: f64| -> Vec<f64> {
                        (0..n).map(|i| (hashed(i, salt) / coarse).floor() + shift).collect()
                    };
                    let (reference, current) = (sample(n, 1, 0.0), sample(m, 2, shift));
                    let prepared = SortedReference::new(reference.clone());
                    let found = Deviation::between(&prepared, current.as_slice());
                    assert_eq!(
                        found.greatest,
                        by_counting(&reference, &current),
                        "{n}, {m}, {coarse}, {shift}"
                    );
                    assert_eq!((found.count, found.left_out), (m, 0));
                }
            }
        }
    }
}
