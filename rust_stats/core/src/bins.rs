//! Bins cut at quantiles of a reference, and which of them each value falls into.
//!
//! With ascending edges e₀ < e₁ < … a value belongs to bin i when exactly i edges are at most the value. Bin 0
//! is what lies under all edges and the last one what lies over them; between them the bins hold about
//! equally many values of the reference. An edge stands halfway between two neighbouring values of the
//! reference, never on one, so that values which were rounded to 32 bits on their way stay in their bin.

mod finder;

use crate::error::Error;
use crate::float::float_len;
use finder::Finder;

/// Most bins that a reference may have.
pub const MOST_BINS: usize = 4096;

/// Ascending edges, and how to find a value between them.
#[derive(Debug, Clone)]
pub struct Bins {
    edges: Vec<f64>,
    finder: Finder,
}

impl PartialEq for Bins {
    fn eq(&self, other: &Self) -> bool {
        self.edges == other.edges
    }
}

impl Bins {
    /// Bins at the quantiles of `sorted`, an ascending reference without NaN and infinities: `wanted` of them,
    /// or fewer where it has few distinct values, which then have a bin each.
    ///
    /// Without any value there is a single edge at infinity, with all numbers under it.
    pub(crate) fn at_quantiles(sorted: &[f64], wanted: usize) -> Self {
        let (Some(&minimum), Some(&maximum)) = (sorted.first(), sorted.last()) else {
            return Self::new(vec![f64::INFINITY]);
        };
        let mut edges = vec![below(minimum)];
        let inner = each_value(sorted, wanted).unwrap_or_else(|| quantiles(sorted, wanted));
        edges.extend(inner);
        edges.push(above(maximum));
        Self::new(edges)
    }

    /// Bins between the given edges.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there is at least one edge and at most [`MOST_BINS`] bins, and the edges
    /// ascend strictly.
    pub fn between(edges: Vec<f64>) -> Result<Self, Error> {
        if edges.is_empty() || edges.len() > MOST_BINS + 1 {
            let problem = format!("must be 1 to {}, but are {}", MOST_BINS + 1, edges.len());
            return Err(Error::argument("edges", problem));
        }
        let ascend = |pair: &&[f64]| !matches!(pair, [left, right] if left < right);
        if edges.len() == 1 && edges.iter().any(|edge| edge.is_nan()) {
            return Err(Error::argument("edges", "must be numbers, but one is NaN"));
        }
        if let Some(pair) = edges.windows(2).find(ascend) {
            return Err(Error::argument("edges", format!("must ascend strictly, but {pair:?} do not")));
        }
        Ok(Self::new(edges))
    }

    fn new(edges: Vec<f64>) -> Self {
        let finder = Finder::of(&edges);
        Self { edges, finder }
    }

    /// The edges, ascending.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// Number of bins, with that under and that over all edges: one more than edges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edges.len() + 1
    }

    /// Always false: there is at least what lies under and over one edge.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Adds how many of `values` fall into each bin to the first [`Bins::len`] of `counts`. NaN falls into
    /// bin 0.
    pub(crate) fn count(&self, values: &[f64], counts: &mut [u64]) {
        self.finder.count(&self.edges, values, counts);
    }
}

/// Edges between every two neighbours of the distinct values, if those are at most `wanted`.
fn each_value(sorted: &[f64], wanted: usize) -> Option<Vec<f64>> {
    let mut edges = Vec::new();
    for pair in sorted.windows(2) {
        if let &[left, right] = pair
            && left < right
        {
            if edges.len() + 1 >= wanted {
                return None;
            }
            edges.push(between(left, right));
        }
    }
    Some(edges)
}

/// Edges that cut `sorted` into `wanted` parts of about equal size, without repetition.
fn quantiles(sorted: &[f64], wanted: usize) -> Vec<f64> {
    let step = float_len(sorted.len()) / float_len(wanted);
    let mut edges: Vec<f64> = Vec::with_capacity(wanted);
    for part in 1..wanted {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the slice")]
        let place = (step * float_len(part)).round() as usize;
        let Some(&value) = sorted.get(place) else { continue };
        // Edges stand before and, where it fills more than a part, after the values that equal it.
        let first = sorted.partition_point(|other| *other < value);
        let after = sorted.partition_point(|other| *other <= value);
        let edge = |right: usize| {
            let left = sorted.get(right.checked_sub(1)?)?;
            Some(between(*left, *sorted.get(right)?))
        };
        let beyond = |edge: &f64| edges.last().is_none_or(|last| last < edge);
        if let Some(edge) = edge(first).filter(beyond).or_else(|| edge(after).filter(beyond)) {
            edges.push(edge);
        }
    }
    edges
}

/// A number above `left` and at most `right`, halfway if there is one.
fn between(left: f64, right: f64) -> f64 {
    let middle = f64::midpoint(left, right);
    if middle > left { middle } else { right }
}

/// The largest 32 bit number that is at most `value`; `value` where there is none.
#[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is meant")]
fn below(value: f64) -> f64 {
    let nearest = value as f32;
    let lower = f64::from(if f64::from(nearest) > value { nearest.next_down() } else { nearest });
    // Adding zero turns negative zero into zero, so that equal references have equal edges.
    (if lower.is_finite() { lower } else { value }) + 0.0
}

/// A 32 bit number above `value` and above what rounding to 32 bits makes of it; where there is none, the next of
/// 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is meant")]
fn above(value: f64) -> f64 {
    let nearest = value as f32;
    let upper = f64::from(nearest.next_up());
    if upper.is_finite() { upper } else { value.next_up() }
}

#[cfg(test)]
mod tests {
    use super::Bins;

    fn counted(bins: &Bins, values: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; bins.len()];
        bins.count(values, &mut counts);
        counts
    }

    #[test]
    fn few_distinct_values_have_a_bin_each() {
        let bins = Bins::at_quantiles(&[1.0, 1.0, 1.0, 2.0, 7.0], 64);
        assert_eq!(counted(&bins, &[1.0, 1.0, 2.0, 7.0, 7.0]), [0, 2, 1, 2, 0]);
        assert_eq!(counted(&bins, &[f64::from(1.0_f32), 0.9, 7.1, 4.0]), [1, 1, 1, 0, 1]);
    }

    #[test]
    fn many_values_are_cut_into_equal_parts() {
        let values: Vec<f64> = (0..6400).map(|i| f64::from(i).sqrt()).collect();
        let bins = Bins::at_quantiles(&values, 64);
        let counts = counted(&bins, &values);
        assert_eq!((counts.len(), counts[0], counts[65]), (66, 0, 0));
        assert!(counts[1..65].iter().all(|count| *count == 100), "{counts:?}");
    }

    #[test]
    fn a_heavy_value_takes_one_bin_and_the_rest_keep_theirs() {
        let mut values = vec![5.0; 500];
        values.extend((0..500).map(f64::from));
        values.sort_by(f64::total_cmp);
        let bins = Bins::at_quantiles(&values, 10);
        let counts = counted(&bins, &values);
        assert!(bins.edges().windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(counts.iter().sum::<u64>(), 1000);
        assert!(counts.iter().any(|count| (501..=505).contains(count)), "{counts:?}");
    }

    #[test]
    fn values_rounded_to_32_bits_stay_in_their_bin() {
        let values: Vec<f64> = (1..=8).map(|i| f64::from(i) / 10.0).collect();
        #[expect(clippy::cast_possible_truncation, reason = "that is the test")]
        let rounded: Vec<f64> = values.iter().map(|value| f64::from(*value as f32)).collect();
        for wanted in [3, 10, 64] {
            let bins = Bins::at_quantiles(&values, wanted);
            assert_eq!(counted(&bins, &values), counted(&bins, &rounded));
        }
    }

    #[test]
    fn no_values_leave_one_edge() {
        let bins = Bins::at_quantiles(&[], 64);
        assert_eq!(counted(&bins, &[1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]), [3, 1]);
    }

    #[test]
    fn extreme_values_have_edges() {
        for value in [f64::MAX, -f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), 0.0, 1e300, -1e300] {
            let bins = Bins::at_quantiles(&[value], 64);
            assert_eq!(counted(&bins, &[value]), [0, 1, 0], "{value}");
        }
        let bins = Bins::at_quantiles(&[-f64::MAX, f64::MAX], 64);
        assert_eq!(counted(&bins, &[-f64::MAX, f64::MAX, f64::INFINITY]), [0, 1, 1, 1]);
    }

    #[test]
    fn edges_must_ascend() {
        for wrong in [vec![], vec![1.0, 1.0], vec![2.0, 1.0], vec![f64::NAN], vec![0.0, f64::NAN]] {
            assert!(Bins::between(wrong).is_err());
        }
    }
}
