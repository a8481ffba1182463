//! Labels with their counts, found by a keyed hash.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A label and how often it came.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) label: Box<str>,
    pub(super) count: u64,
}

/// Labels in the order in which they came, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    counted: Vec<Counted>,
    /// Where in `counted` a label is, by its hash. Labels are never as many as 2³².
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Table {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The same labels without counts.
    pub(super) fn emptied(&self) -> Self {
        let mut table = self.clone();
        table.counted.iter_mut().for_each(|counted| counted.count = 0);
        table
    }

    pub(super) fn len(&self) -> usize {
        self.counted.len()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Counted> {
        self.counted.iter()
    }

    pub(super) fn total(&self) -> u64 {
        self.counted.iter().map(|counted| counted.count).sum()
    }

    /// The most frequent first, equal ones in alphabetical order.
    pub(super) fn by_count(&self) -> Vec<&Counted> {
        let mut ordered: Vec<_> = self.counted.iter().collect();
        ordered.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        ordered
    }

    pub(super) fn by_label(&self) -> Vec<&Counted> {
        let mut ordered: Vec<_> = self.counted.iter().collect();
        ordered.sort_unstable_by(|a, b| a.label.cmp(&b.label));
        ordered
    }

    pub(super) fn contains(&self, label: &str) -> bool {
        !self.counted.is_empty() && self.place(self.hasher.hash_one(label), label).is_some()
    }

    /// Counts a label if it is there.
    #[inline]
    pub(super) fn add_present(&mut self, label: &str, times: u64) -> bool {
        if self.counted.is_empty() {
            return false;
        }
        self.add_hashed(self.hasher.hash_one(label), label, times)
    }

    /// Counts a label, and says whether it is new.
    #[inline]
    pub(super) fn add(&mut self, label: &str, times: u64) -> bool {
        let hash = self.hasher.hash_one(label);
        let new = !self.add_hashed(hash, label, times);
        if new {
            self.insert(hash, Counted { label: label.into(), count: times });
        }
        new
    }

    /// Adds the counts of a table of the same labels in the same order.
    pub(super) fn add_all(&mut self, other: &Self) {
        for (counted, added) in self.counted.iter_mut().zip(&other.counted) {
            counted.count += added.count;
        }
    }

    /// Takes the count of the most frequent label but `keep` from all and drops those with nothing left. Gives
    /// that count, and how much was taken from all together.
    pub(super) fn reduce(&mut self, keep: usize) -> [u64; 2] {
        let mut counts: Vec<u64> = self.counted.iter().map(|counted| counted.count).collect();
        if keep >= counts.len() {
            return [0, 0];
        }
        let (_, taken, _) = counts.select_nth_unstable_by(keep, |a, b| b.cmp(a));
        let (taken, before) = (*taken, self.total());
        let kept = std::mem::take(&mut self.counted);
        self.places.clear();
        for Counted { label, count } in kept {
            if count > taken {
                let hash = self.hasher.hash_one(&*label);
                self.insert(hash, Counted { label, count: count - taken });
            }
        }
        [taken, before - self.total()]
    }

    #[inline]
    fn place(&self, hash: u64, label: &str) -> Option<usize> {
        let counted = &self.counted;
        let same = |place: &u32| counted.get(*place as usize).is_some_and(|it| *it.label == *label);
        self.places.find(hash, same).map(|place| *place as usize)
    }

    #[inline]
    fn add_hashed(&mut self, hash: u64, label: &str, times: u64) -> bool {
        let Some(counted) = self.place(hash, label).and_then(|place| self.counted.get_mut(place)) else {
            return false;
        };
        counted.count += times;
        true
    }

    fn insert(&mut self, hash: u64, new: Counted) {
        let Ok(place) = u32::try_from(self.counted.len()) else {
            return;
        };
        self.counted.push(new);
        let (counted, hasher) = (&self.counted, &self.hasher);
        self.places.insert_unique(hash, place, |place| {
            counted.get(*place as usize).map_or(0, |it| hasher.hash_one(&*it.label))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn a_reduced_table_finds_what_it_kept() {
        let mut table = Table::new();
        (1..=9_u64).for_each(|label| assert!(table.add(&label.to_string(), label)));
        assert_eq!(table.reduce(3), [6, 1 + 2 + 3 + 4 + 5 + 4 * 6]);
        assert!(!table.add("9", 1) && table.add("6", 1));
        assert_eq!(table.total(), 1 + 2 + 4 + 1);
        assert_eq!(table.reduce(4), [0, 0]);
    }
}
