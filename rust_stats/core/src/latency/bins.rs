//! Bins of durations whose edges grow by two percent, placed by arithmetic that is the same on every machine.
//!
//! The place of a duration x = 2ᵉ (1 + s) is ⌊35 (e + p(s))⌋ with the cubic
//! p(s) = 6/35 s³ − 3/5 s² + 10/7 s in place of log₂(1 + s): the cubically interpolated mapping of DDSketch.
//! The slope of p by ln x is nowhere below 10/7, so no bin is wider than a ratio of
//! γ = exp(7/10 · 1/35) = e^0.02, and the harmonic mean of its edges is within (γ − 1)/(γ + 1) = tanh 0.01,
//! just below 1 %, of everything in it. A logarithm would save 1 % of the bins but is rounded differently from
//! system to system.

/// Bins in an octave.
const FINENESS: f64 = 35.0;
const LOWEST_EXPONENT: i64 = -20;
const HIGHEST_EXPONENT: i64 = 30;

/// Place of the last bin, 50 octaves above the first, which is at 0.
pub(super) const LAST: u16 = 35 * 50 - 1;

/// The bin of a duration in milliseconds, none unless it is positive and below 2³⁰. All below 2⁻²⁰ share the
/// first.
#[inline]
pub(super) fn place(duration: f64) -> Option<u16> {
    const MANTISSA: u64 = (1 << 52) - 1;
    // Written so that a NaN fails the comparison.
    if !(duration > 0.0 && duration < exp2(HIGHEST_EXPONENT)) {
        return None;
    }
    let bits = duration.to_bits();
    let exponent = (bits >> 52).cast_signed() - 1023;
    if exponent < LOWEST_EXPONENT {
        return Some(0);
    }
    let significand = f64::from_bits(bits & MANTISSA | 1.0_f64.to_bits()) - 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 35 and to 1,750")]
    let place = 35 * (exponent - LOWEST_EXPONENT) as u16 + (FINENESS * cubic(significand)) as u16;
    Some(place.min(LAST))
}

/// A duration of at most 2³⁰ ms in whole picoseconds.
#[inline]
pub(super) fn picoseconds(duration: f64) -> u128 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^60")]
    let picoseconds = (duration * 1e9).round() as u64;
    u128::from(picoseconds)
}

/// Within 1 % of every duration in the bin.
fn middle(place: u16) -> f64 {
    let (low, high) = (edge(place), edge(place + 1));
    2.0 * low * (high / (low + high))
}

/// The smallest duration of a bin.
fn edge(place: u16) -> f64 {
    let (octave, within) = (i64::from(place / 35), f64::from(place % 35) / FINENESS);
    exp2(octave + LOWEST_EXPONENT) * (1.0 + inverse(within))
}

fn cubic(s: f64) -> f64 {
    ((6.0 / 35.0 * s - 3.0 / 5.0) * s + 10.0 / 7.0) * s
}

/// Where the cubic, which climbs throughout from 0 to 1, has a value. Newton's method, from close by.
fn inverse(value: f64) -> f64 {
    (0..6).fold(value, |s, _| {
        let slope = (18.0 / 35.0 * s - 6.0 / 5.0) * s + 10.0 / 7.0;
        s - (cubic(s) - value) / slope
    })
}

const fn exp2(exponent: i64) -> f64 {
    f64::from_bits((exponent + 1023).cast_unsigned() << 52)
}

/// Counts by place, from the first occupied place to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bins {
    first: u16,
    counts: Vec<u64>,
}

impl Bins {
    pub(super) const EMPTY: Self = Self { first: 0, counts: Vec::new() };

    /// Adds a count that is not zero, of which the caller sees to it that all together fit into 64 bits.
    #[inline]
    pub(super) fn add(&mut self, place: u16, count: u64) {
        let offset = usize::from(place.wrapping_sub(self.first));
        if let Some(bin) = self.counts.get_mut(offset) {
            *bin = bin.saturating_add(count);
        } else {
            self.add_outside(place, count);
        }
    }

    #[cold]
    fn add_outside(&mut self, place: u16, count: u64) {
        if self.counts.is_empty() {
            self.first = place;
        }
        if let Some(before) = self.first.checked_sub(place) {
            let before = std::iter::repeat_n(0, usize::from(before));
            self.counts.splice(0..0, before);
            self.first = place;
        }
        let offset = usize::from(place - self.first);
        if offset >= self.counts.len() {
            self.counts.resize(offset + 1, 0);
        }
        if let Some(bin) = self.counts.get_mut(offset) {
            *bin = bin.saturating_add(count);
        }
    }

    /// The places that have counts, ascending, with their counts.
    pub(super) fn occupied(&self) -> impl Iterator<Item = (u16, u64)> {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// The first and the last occupied place; the first of all twice if there is none.
    pub(super) fn ends(&self) -> [u16; 2] {
        let mut places = self.occupied().map(|(place, _)| place);
        let first = places.next().unwrap_or_default();
        [first, places.last().unwrap_or(first)]
    }

    /// The middle of the bin in which the duration with `rank` others before it lies.
    pub(super) fn duration_at(&self, rank: u64) -> f64 {
        let mut before = 0_u64;
        let found = self.occupied().find(|(_, count)| {
            before = before.saturating_add(*count);
            before > rank
        });
        found.map_or(0.0, |(place, _)| middle(place))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bins, LAST, edge, exp2, middle, place};

    #[test]
    fn the_middle_of_a_bin_is_within_a_percent_of_its_edges() {
        for bin in 0..=LAST {
            let (low, high) = (edge(bin), edge(bin + 1));
            assert!(high > low && (middle(bin) - low) / low < 0.01 && (high - middle(bin)) / high < 0.01);
        }
    }

    #[test]
    fn what_lies_between_the_edges_of_a_bin_is_placed_in_it() {
        for bin in 0..=LAST {
            let (low, high) = (edge(bin), edge(bin + 1));
            for share in [1e-9, 0.25, 0.5, 0.75, 1.0 - 1e-9] {
                assert_eq!(place(low + (high - low) * share), Some(bin));
            }
        }
    }

    #[test]
    fn the_outermost_durations_have_places() {
        assert_eq!(place(5e-324), Some(0));
        assert_eq!(place(exp2(-20)), Some(0));
        assert_eq!(place(exp2(30).next_down()), Some(LAST));
        assert_eq!([0.0, -1.0, f64::NAN, exp2(30), f64::INFINITY].map(place), [None; 5]);
    }

    #[test]
    fn counts_grow_to_both_sides() {
        let mut bins = Bins::EMPTY;
        for place in [700, LAST, 0, 700] {
            bins.add(place, 2);
        }
        assert_eq!(bins.occupied().collect::<Vec<_>>(), [(0, 2), (700, 4), (LAST, 2)]);
        assert_eq!(bins.ends(), [0, LAST]);
    }
}
