//! Events that wait to be summarised together.
//!
//! A summary takes a column of values at a tenth of what as many single values cost. So the numbers of a few
//! events are kept, column by column, until there are enough or somebody looks.

/// How many events wait at the most.
const MOST: usize = 64;

/// Where a number stands that is not there: a NaN that no computation gives.
pub const MISSING: f64 = f64::from_bits(0x7FF8_0000_4D49_5353);

#[derive(Debug)]
pub(super) struct Pending {
    features: usize,
    /// A column of [`MOST`] values for each feature; none before the first event.
    values: Vec<f64>,
    events: usize,
}

impl Pending {
    pub(super) const fn new(features: usize) -> Self {
        Self { features, values: Vec::new(), events: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// How many more events there is room for.
    pub(super) const fn room(&self) -> usize {
        MOST - self.events
    }

    /// Adds events, each with a number for each feature, one after the other. There must be room.
    pub(super) fn push(&mut self, rows: &[f64]) {
        self.values.resize(self.features * MOST, 0.0);
        for row in rows.chunks_exact(self.features.max(1)) {
            for (column, number) in self.values.chunks_exact_mut(MOST).zip(row) {
                if let Some(slot) = column.get_mut(self.events) {
                    *slot = *number;
                }
            }
            self.events += 1;
        }
    }

    /// The numbers of a feature, and which of them are not there.
    pub(super) fn column(&self, feature: usize) -> (&[f64], Option<[bool; MOST]>) {
        let first = feature * MOST;
        let values = self.values.get(first..first + self.events).unwrap_or_default();
        let is_missing = |value: &f64| value.to_bits() == MISSING.to_bits();
        // Looked at to the end, since that takes several at a time.
        if !values.iter().fold(false, |any, value| any | is_missing(value)) {
            return (values, None);
        }
        let mut missing = [false; MOST];
        for (mark, value) in missing.iter_mut().zip(values) {
            *mark = is_missing(value);
        }
        (values, Some(missing))
    }

    pub(super) const fn clear(&mut self) {
        self.events = 0;
    }
}

impl Clone for Pending {
    /// Where no event waits, there is nothing to copy.
    fn clone(&self) -> Self {
        let values = if self.is_empty() { Vec::new() } else { self.values.clone() };
        Self { features: self.features, values, events: self.events }
    }
}
