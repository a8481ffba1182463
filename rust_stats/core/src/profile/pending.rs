//! Events that wait to be summarised together.
//!
//! A summary takes a column of values at a tenth of what as many single values cost. So the numbers of a few
//! events are kept, column by column, until there are enough or somebody looks.

/// How many events wait at the most.
const MOST: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// A column of [`MOST`] values for each feature.
    values: Vec<f64>,
    missing: Vec<bool>,
    events: usize,
}

impl Pending {
    pub(super) fn new(features: usize) -> Self {
        Self { values: vec![0.0; features * MOST], missing: vec![false; features * MOST], events: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(super) const fn is_full(&self) -> bool {
        self.events == MOST
    }

    /// The value of one feature in the event that is being added.
    #[inline]
    pub(super) fn set(&mut self, feature: usize, value: f64, missing: bool) {
        let place = feature * MOST + self.events;
        if let (Some(slot), Some(mark)) = (self.values.get_mut(place), self.missing.get_mut(place)) {
            (*slot, *mark) = (value, missing);
        }
    }

    /// Ends the event that is being added.
    pub(super) const fn next(&mut self) {
        self.events += 1;
    }

    pub(super) fn column(&self, feature: usize) -> (&[f64], &[bool]) {
        let places = feature * MOST..feature * MOST + self.events;
        let values = self.values.get(places.clone()).unwrap_or_default();
        (values, self.missing.get(places).unwrap_or_default())
    }

    pub(super) const fn clear(&mut self) {
        self.events = 0;
    }
}
