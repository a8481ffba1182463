//! A sorted sample, and two of them walked through together.

use crate::float::{float, float_len};
use crate::order::{NOT_A_NUMBER, number, ordered};
use crate::result::{Side, Warning};

/// The numbers of a sample in ascending order, in the form of [`ordered`].
#[derive(Debug, Clone)]
pub struct Sample {
    pub ordered: Vec<u64>,
    /// How many values were not a number.
    pub left_out: u64,
}

impl Sample {
    /// Sorts in the memory of `values`.
    pub fn new(values: Vec<f64>) -> Self {
        let total = values.len();
        let mut integers: Vec<u64> =
            values.into_iter().map(ordered).filter(|integer| *integer != NOT_A_NUMBER).collect();
        integers.sort_unstable();
        let left_out = (total - integers.len()) as u64;
        Self { ordered: integers, left_out }
    }

    pub fn count(&self) -> u64 {
        self.ordered.len() as u64
    }

    pub fn size(&self) -> f64 {
        float_len(self.ordered.len())
    }

    pub fn left_out(&self, side: Side) -> Option<Warning> {
        left_out(side, self.left_out)
    }

    pub fn is_finite(&self) -> bool {
        let is_finite = |integer: Option<&u64>| integer.is_none_or(|integer| number(*integer).is_finite());
        is_finite(self.ordered.first()) && is_finite(self.ordered.last())
    }
}

pub fn left_out(side: Side, n: u64) -> Option<Warning> {
    (n > 0).then_some(Warning::LeftOut { side, n })
}

/// One value that occurs in either of two samples.
pub struct Place {
    pub value: f64,
    /// How often it occurs in the reference and in the current sample.
    pub here: [u64; 2],
    /// How many values are less, in the reference and in the current sample.
    pub below: [u64; 2],
}

impl Place {
    pub fn tied(&self) -> u64 {
        self.here[0] + self.here[1]
    }

    /// How many values are not greater.
    pub fn reached(&self) -> [u64; 2] {
        [self.below[0] + self.here[0], self.below[1] + self.here[1]]
    }
}

/// Every value that occurs in either sample, ascending.
pub fn places<'samples>(reference: &'samples Sample, current: &'samples Sample) -> Places<'samples> {
    Places { left: [&reference.ordered, &current.ordered], below: [0, 0] }
}

pub struct Places<'samples> {
    left: [&'samples [u64]; 2],
    below: [u64; 2],
}

impl Iterator for Places<'_> {
    type Item = Place;

    #[inline]
    fn next(&mut self) -> Option<Place> {
        let [reference, current] = &mut self.left;
        let next = match (reference.first(), current.first()) {
            (Some(left), Some(right)) => *left.min(right),
            (Some(only), None) | (None, Some(only)) => *only,
            (None, None) => return None,
        };
        let here = [take(reference, next), take(current, next)];
        let place = Place { value: number(next), here, below: self.below };
        self.below = place.reached();
        Some(place)
    }
}

/// Takes what is equal to `integer` from the front, and says how many that was.
#[inline]
fn take(sorted: &mut &[u64], integer: u64) -> u64 {
    let mut taken = 0;
    while let Some((first, rest)) = sorted.split_first()
        && *first == integer
    {
        *sorted = rest;
        taken += 1;
    }
    taken
}

/// The distinct values of a sorted slice, each with how often it occurs.
pub fn runs(sorted: &[u64]) -> impl Iterator<Item = (u64, u64)> + '_ {
    sorted.chunk_by(|left, right| left == right).filter_map(|run| Some((*run.first()?, run.len() as u64)))
}

/// From one value of two samples to the next.
pub struct Stretch {
    /// Share of the reference and share of the current sample that are not greater than the values in between.
    pub shares: [f64; 2],
    /// How far it is, times the scale.
    pub width: f64,
}

/// Scales the widths between values, so that none overflows.
pub struct Stretches {
    /// A power of two, so nothing is rounded.
    pub scale: f64,
}

impl Stretches {
    pub fn new(reference: &Sample, current: &Sample) -> Self {
        let ends = [&reference.ordered, &current.ordered].into_iter().flat_map(|it| [it.first(), it.last()]);
        let finite = ends.flatten().map(|integer| number(*integer).abs()).filter(|end| end.is_finite());
        let largest = finite.fold(0.0, f64::max);
        Self { scale: if largest > 1e300 { 0.125 } else { 1.0 } }
    }

    /// Every stretch between the least and the greatest value of both samples.
    pub fn between<'samples>(
        &self,
        reference: &'samples Sample,
        current: &'samples Sample,
    ) -> impl Iterator<Item = Stretch> + use<'samples> {
        let (scale, n, m) = (self.scale, reference.size(), current.size());
        let mut places = places(reference, current);
        let mut next = places.next();
        std::iter::from_fn(move || {
            let place = next.take()?;
            next = places.next();
            let width = next.as_ref()?.value * scale - place.value * scale;
            let [left, right] = place.reached().map(float);
            Some(Stretch { shares: [left / n, right / m], width })
        })
    }
}
