//! How often each label came, exactly as long as there are not too many labels, and within bounds beyond.
//!
//! The labels known beforehand, those of a baseline, always have exact counts. Of the others up to `capacity`
//! are counted exactly. Once there are more, the frequent ones are kept with an error bound, by the summary of
//! Misra and Gries ("Finding repeated elements", 1982) in the mergeable form of Agarwal et al. ("Mergeable
//! summaries", PODS 2012): when the table overflows, the count of its (m+1)-th most frequent label, with
//! m = `capacity` / 2, is taken from all and those with nothing left are dropped. So at most one (m+1)-th of
//! the values of unknown labels is missing from any count. How many labels there were is then estimated by a
//! HyperLogLog sketch, which sees each label as it enters the table.
//!
//! Labels are compared byte by byte in UTF-8: no normal form is applied and the empty label is one as well.
//! Labels of more than [`Categories::LONGEST_LABEL`] bytes are texts rather than categories and are counted
//! together, apart from all labels.
//!
//! The table hashes with a key drawn anew for each summary, so labels made to collide do not.

mod bytes;
mod table;

use crate::distinct::{DistinctCount, DistinctEstimate};
use crate::error::Error;
use crate::float::float_len;
use table::Table;

/// A label with the bounds of its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share<'label> {
    /// The label.
    pub label: &'label str,
    /// It came at least so often.
    pub lower: u64,
    /// It came at most so often; the same where the count is exact.
    pub upper: u64,
}

/// The counts of some labels, in bounded memory.
///
/// Merging has [`Categories::empty_like`] as its identity and is commutative exactly. It is associative
/// exactly as long as counts are exact, and always in `total`, `missing`, the counts of known labels and
/// `distinct`; the other counts keep their bounds. No value is ever lost.
#[derive(Debug, Clone)]
pub struct Categories {
    capacity: usize,
    known: Table,
    others: Table,
    missing: u64,
    oversized: u64,
    total: u64,
    beyond: Option<Beyond>,
}

/// What there is once labels had to be dropped.
#[derive(Debug, Clone)]
struct Beyond {
    /// The number of values that were taken from counts.
    removed: u64,
    /// The most that was taken from any one count.
    error: u64,
    /// All labels that were not known beforehand.
    distinct: DistinctCount,
}

impl Categories {
    /// Longer labels, in bytes, are counted together.
    pub const LONGEST_LABEL: usize = 256;
    /// How many labels beside the known ones have exact counts unless said otherwise.
    pub const CAPACITY: usize = 256;
    /// The largest capacity, and the largest number of known labels.
    pub const LARGEST_CAPACITY: usize = 1 << 16;

    /// The counts of no labels. Those of the `known` are exact whatever comes, and in this order.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a known label comes twice or is too long, if there are too many of them, or if
    /// `capacity` is not from 2 to [`Categories::LARGEST_CAPACITY`].
    ///
    /// ```
    /// # use edge_aiops_stats_core::Categories;
    /// let mut colours = Categories::new(&["red", "green"], Categories::CAPACITY)?;
    /// for label in ["green", "blue", "green"] {
    ///     colours.add(label, 1);
    /// }
    /// assert_eq!(colours.known_counts(), [0, 2]);
    /// assert_eq!(colours.counts(), [("red", 0), ("green", 2), ("blue", 1)]);
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn new<Label: AsRef<str>>(known: &[Label], capacity: usize) -> Result<Self, Error> {
        let largest = Self::LARGEST_CAPACITY;
        if !(2..=largest).contains(&capacity) {
            return Err(Error::argument("capacity", format!("must be from 2 to {largest}, not {capacity}")));
        }
        if known.len() > largest {
            let problem = format!("must hold {largest} labels at most, not {}", known.len());
            return Err(Error::argument("known", problem));
        }
        let mut table = Table::new();
        for label in known.iter().map(AsRef::as_ref) {
            if label.len() > Self::LONGEST_LABEL {
                let problem = format!("holds a label of {} bytes; 256 are possible at most", label.len());
                return Err(Error::argument("known", problem));
            }
            if !table.add(label, 0) {
                return Err(Error::argument("known", format!("holds the label {label:?} twice")));
            }
        }
        Ok(Self {
            capacity,
            known: table,
            others: Table::new(),
            missing: 0,
            oversized: 0,
            total: 0,
            beyond: None,
        })
    }

    /// The counts of no labels, with the same known ones and capacity.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        Self {
            capacity: self.capacity,
            known: self.known.emptied(),
            others: Table::new(),
            missing: 0,
            oversized: 0,
            total: 0,
            beyond: None,
        }
    }

    /// Counts a label so many times.
    #[inline]
    pub fn add(&mut self, label: &str, times: u64) {
        if !self.count_in(times) {
            return;
        }
        if label.len() > Self::LONGEST_LABEL {
            self.oversized += times;
        } else if !self.known.add_present(label, times) && self.enter(label, times) {
            self.shrink();
        }
    }

    /// Counts so many values that are not there.
    pub fn add_missing(&mut self, times: u64) {
        if self.count_in(times) {
            self.missing += times;
        }
    }

    /// Adds the counts of another summary.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if the known labels or the capacity differ, or if there are 2⁶⁴ values or more
    /// together, which only forged bytes reach.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.check_mergeable(other)?;
        self.total += other.total;
        self.missing += other.missing;
        self.oversized += other.oversized;
        self.known.add_all(&other.known);
        if let Some(theirs) = &other.beyond {
            let ours = self.beyond.take();
            let mut ours = ours.map_or_else(|| Beyond::of(&self.others), Ok)?;
            ours.removed += theirs.removed;
            ours.error += theirs.error;
            ours.distinct.merge(&theirs.distinct)?;
            self.beyond = Some(ours);
        }
        let mut full = false;
        for counted in other.others.iter() {
            full = self.enter(&counted.label, counted.count);
        }
        if full {
            self.shrink();
        }
        Ok(())
    }

    /// The same values without the names of labels that were not known beforehand, unless `keeps` says so of
    /// one: they are counted together, as those that are too long. So are all of the unknown where their counts
    /// are not exact. What merges with this one merges with it afterwards.
    ///
    /// ```
    /// # use edge_aiops_stats_core::Categories;
    /// let mut names = Categories::new(&["anne"], Categories::CAPACITY)?;
    /// for name in ["anne", "zoe", "zoe", "yves"] {
    ///     names.add(name, 1);
    /// }
    /// let pooled = names.pooled(|label| label == "yves");
    /// assert_eq!(pooled.counts(), [("anne", 1), ("yves", 1)]);
    /// assert_eq!((pooled.oversized(), pooled.total()), (2, 4));
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    #[must_use]
    pub fn pooled(&self, keeps: impl Fn(&str) -> bool) -> Self {
        let mut others = Table::new();
        if self.is_exact() {
            for counted in self.others.iter().filter(|counted| keeps(&counted.label)) {
                others.add(&counted.label, counted.count);
            }
        }
        let removed = self.beyond.as_ref().map_or(0, |beyond| beyond.removed);
        let pooled = self.others.total() - others.total() + removed;
        Self {
            capacity: self.capacity,
            known: self.known.clone(),
            others,
            missing: self.missing,
            oversized: self.oversized + pooled,
            total: self.total,
            beyond: None,
        }
    }

    /// How many labels beside the known ones have exact counts.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The known labels, in their order.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|counted| counted.label.as_ref())
    }

    /// The counts of the known labels, in their order; always exact.
    #[must_use]
    pub fn known_counts(&self) -> Vec<u64> {
        self.known.iter().map(|counted| counted.count).collect()
    }

    /// Number of all values seen, those without a label included.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Number of values with a label: `total` without `missing` and `oversized`.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.total - self.missing - self.oversized
    }

    /// Number of values that are not there.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.missing
    }

    /// Number of values with a label that is too long for a category.
    #[must_use]
    pub const fn oversized(&self) -> u64 {
        self.oversized
    }

    /// Whether all counts are exact: no more than `capacity` labels beside the known ones have come.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.beyond.is_none()
    }

    /// By how much at most the count of a label is too low; zero as long as counts are exact.
    #[must_use]
    pub fn error(&self) -> u64 {
        self.beyond.as_ref().map_or(0, |beyond| beyond.error)
    }

    /// The largest share of the values with unknown labels that `error` can be: 1 / (`capacity` / 2 + 1).
    #[must_use]
    pub fn error_share(&self) -> f64 {
        1.0 / float_len(self.capacity / 2 + 1)
    }

    /// All counts that are exact: those of the known labels in their order and, as long as they are exact,
    /// those of the others, the most frequent first. With `other` they add up to `count`.
    #[must_use]
    pub fn counts(&self) -> Vec<(&str, u64)> {
        let known = self.known.iter().map(|counted| (counted.label.as_ref(), counted.count));
        let others = if self.is_exact() { self.others.by_count() } else { Vec::new() };
        known.chain(others.into_iter().map(|counted| (counted.label.as_ref(), counted.count))).collect()
    }

    /// Number of values with a label that is not in `counts`; zero as long as counts are exact.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.beyond.as_ref().map_or(0, |beyond| self.others.total() + beyond.removed)
    }

    /// The `n` labels with the highest lower bounds, the highest first and equal ones in alphabetical order.
    /// A label that is not among all of them came at most `error` times.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<Share<'_>> {
        let error = self.error();
        let share = |counted: &'_ table::Counted, error| (counted.count, counted.count + error);
        let known = self.known.iter().map(|counted| (&counted.label, share(counted, 0)));
        let others = self.others.iter().map(|counted| (&counted.label, share(counted, error)));
        let mut shares: Vec<_> = known
            .chain(others)
            .filter(|(_, (lower, _))| *lower > 0)
            .map(|(label, (lower, upper))| Share { label, lower, upper })
            .collect();
        shares.sort_unstable_by(|a, b| b.lower.cmp(&a.lower).then(a.label.cmp(b.label)));
        shares.truncate(n);
        shares
    }

    /// The number of different labels that came, with 95 % bounds; exact as long as counts are.
    #[must_use]
    pub fn distinct(&self) -> DistinctEstimate {
        let known = float_len(self.known.iter().filter(|counted| counted.count > 0).count());
        let others = match &self.beyond {
            None => {
                let exact = float_len(self.others.len());
                DistinctEstimate { value: exact, lower: exact, upper: exact }
            }
            Some(beyond) => {
                let (least, found) = (float_len(self.capacity + 1), beyond.distinct.estimate());
                DistinctEstimate {
                    value: found.value.max(least),
                    lower: found.lower.max(least),
                    upper: found.upper.max(least),
                }
            }
        };
        DistinctEstimate {
            value: others.value + known,
            lower: others.lower + known,
            upper: others.upper + known,
        }
    }

    /// Takes `times` into the total, unless the total would pass 2⁶⁴ − 1.
    fn count_in(&mut self, times: u64) -> bool {
        let total = self.total.checked_add(times).filter(|_| times > 0);
        self.total = total.unwrap_or(self.total);
        total.is_some()
    }

    /// Counts a label that is not known, and says whether there are too many now.
    fn enter(&mut self, label: &str, times: u64) -> bool {
        if self.others.add(label, times)
            && let Some(beyond) = &mut self.beyond
        {
            beyond.distinct.add(label);
        }
        self.others.len() > self.capacity
    }

    #[cold]
    fn shrink(&mut self) {
        let beyond = self.beyond.take();
        let Ok(mut beyond) = beyond.map_or_else(|| Beyond::of(&self.others), Ok) else {
            return;
        };
        let [error, removed] = self.others.reduce(self.capacity / 2);
        beyond.error += error;
        beyond.removed += removed;
        self.beyond = Some(beyond);
    }

    /// Whether [`Categories::merge`] will add this one.
    pub(crate) fn check_mergeable(&self, other: &Self) -> Result<(), Error> {
        let refuse = |because: String| Err(Error::Incompatible { because });
        if !self.known().eq(other.known()) {
            return refuse("the summaries know different labels; count both with the same baseline".into());
        }
        if self.capacity != other.capacity {
            return refuse(format!(
                "the summaries have the capacities {} and {}; count both with the same",
                self.capacity, other.capacity
            ));
        }
        if self.total.checked_add(other.total).is_none() {
            return refuse("the summaries hold more than 2^64 values together; one must be forged".into());
        }
        Ok(())
    }
}

impl Beyond {
    /// Registers, as a power of two: a standard error of 3.3 % in 1 KiB.
    const LG_K: u8 = 10;

    fn of(labels: &Table) -> Result<Self, Error> {
        let mut distinct = DistinctCount::new(Self::LG_K)?;
        labels.iter().for_each(|counted| distinct.add(&counted.label));
        Ok(Self { removed: 0, error: 0, distinct })
    }
}

impl PartialEq for Categories {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Categories, Error};
    use crate::float::float;

    fn counted(labels: impl IntoIterator<Item = u64>, capacity: usize) -> Categories {
        let mut categories = Categories::new::<&str>(&[], capacity).unwrap();
        labels.into_iter().for_each(|label| categories.add(&label.to_string(), 1));
        categories
    }

    #[test]
    fn frequent_labels_keep_their_bounds_among_many_rare_ones() {
        let stream = (0..60_000_u64).map(|at| if at % 3 == 0 { at % 5 } else { 1000 + at });
        let categories = counted(stream.clone(), 64);
        assert!(!categories.is_exact());
        assert!(float(categories.error()) <= 60_000.0 * categories.error_share());
        for label in 0..5 {
            let truth = stream.clone().filter(|other| *other == label).count() as u64;
            let label = label.to_string();
            let share = categories.top(64).into_iter().find(|share| share.label == label).unwrap();
            assert!(share.lower <= truth && truth <= share.upper);
        }
        assert_eq!(categories.other(), categories.count());
        let distinct = categories.distinct();
        assert!((distinct.value / 40_005.0 - 1.0).abs() < 0.15 && distinct.lower < distinct.upper);
    }

    #[test]
    fn known_labels_stay_exact_among_many_others() {
        let mut categories = Categories::new(&["1", "7", "never"], 8).unwrap();
        (0..10_000_u64).for_each(|at| categories.add(&(at % 1000).to_string(), 1));
        assert_eq!(categories.known_counts(), [10, 10, 0]);
        assert_eq!(categories.counts(), [("1", 10), ("7", 10), ("never", 0)]);
        assert_eq!(categories.other(), 9980);
    }

    #[test]
    fn long_labels_are_counted_apart_and_never_taken_for_each_other() {
        let mut categories = counted([], 8);
        for label in ["x".repeat(256), "x".repeat(257), format!("{}y", "x".repeat(256))] {
            categories.add(&label, 1);
        }
        assert_eq!((categories.count(), categories.oversized(), categories.total()), (1, 2, 3));
    }

    #[test]
    fn pooled_labels_leave_nothing_of_themselves_and_every_value() {
        for capacity in [4, 512] {
            let mut categories = Categories::new(&["1", "never"], capacity).unwrap();
            (0..300_u64).for_each(|at| categories.add(&(at % 100).to_string(), 1));
            categories.add_missing(5);
            let pooled = categories.pooled(|_| false);
            assert_eq!(pooled.counts(), [("1", 3), ("never", 0)]);
            assert_eq!((pooled.oversized(), pooled.missing(), pooled.total()), (297, 5, 305));
            assert!(pooled.is_exact() && pooled.to_bytes().len() < 32);
            let mut twice = pooled.clone();
            twice.merge(&pooled).unwrap();
            let mut both = categories.clone();
            both.merge(&categories).unwrap();
            assert_eq!(twice, both.pooled(|_| false));
        }
    }

    #[test]
    fn counts_never_pass_the_end() {
        let mut categories = counted([], 8);
        categories.add("a", u64::MAX);
        categories.add("b", 1);
        categories.add_missing(1);
        assert_eq!((categories.total(), categories.count()), (u64::MAX, u64::MAX));
        assert!(matches!(categories.merge(&counted([1], 8)), Err(Error::Incompatible { .. })));
    }

    #[test]
    fn summaries_of_different_baselines_are_refused() {
        let mut categories = Categories::new(&["a", "b"], 8).unwrap();
        for other in [Categories::new(&["b", "a"], 8), Categories::new(&["a", "b"], 9)] {
            assert!(matches!(categories.merge(&other.unwrap()), Err(Error::Incompatible { .. })));
        }
        for refused in [Categories::new(&["a", "a"], 8), Categories::new(&["a"], 1)] {
            assert!(matches!(refused, Err(Error::Argument { .. })));
        }
    }
}
