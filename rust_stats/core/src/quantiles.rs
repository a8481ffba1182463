//! Quantiles and ranks of numbers in about a kilobyte, by the KLL sketch in the bytes of Apache DataSketches.
//!
//! Karnin, Lang and Liberty, "Optimal quantile approximation in streams" (FOCS 2016). With k = 200 the rank of
//! a value is off by at most 1.33 % of the count with probability 99 %, whatever the values are and however
//! they came. Up to 200 values nothing is approximated.
//!
//! The sketch keeps single-precision numbers (`kll_floats_sketch`). A value is rounded to the nearest; beyond
//! about 3.4·10³⁸ it counts as infinite. Infinities are the least and the greatest values there are, so every
//! rank stays right; NaN has no rank and is left out. Negative zero counts as zero.
//!
//! Which values are kept is drawn by coin flips from a generator seeded anew in every thread. So the same
//! values give different bytes each time once there are more than 200, and comparisons are within the error.

mod block;
mod item;

use std::hash::{BuildHasher, RandomState};

use datasketches::common::SearchCriteria;
use datasketches::kll::KllSketch;

use crate::BLOCK;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use block::{WEIGHT, condensed};
use item::Item;

const VERSION: u8 = 1;

/// Beyond this the library could run out of levels; no stream reaches it, only forged bytes.
const LARGEST_COUNT: u64 = 1 << 53;

/// The quantiles of some values, in constant memory.
///
/// Merging has [`Quantiles::new`] as its identity, is commutative and associative within the rank error, and
/// never loses a count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantiles {
    sketch: KllSketch<Item>,
}

impl Quantiles {
    /// The quantiles of no values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The quantiles of `values`; NaN is left out.
    ///
    /// ```
    /// # use edge_aiops_stats_core::Quantiles;
    /// let quantiles = Quantiles::of(&[3.0, 1.0, 2.0, f64::NAN]);
    /// assert_eq!(quantiles.count(), 3);
    /// assert_eq!(quantiles.quantile(0.5)?, Some(2.0));
    /// assert_eq!(quantiles.rank(1.5)?, Some(1.0 / 3.0));
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut quantiles = Self::new();
        quantiles.update(values);
        quantiles
    }

    /// Adds values; NaN is left out.
    pub fn update(&mut self, values: &[f64]) {
        let coins = RandomState::new();
        let mut items = Vec::with_capacity(values.len().min(BLOCK));
        for (number, block) in values.chunks(BLOCK).enumerate() {
            items.clear();
            items.extend(block.iter().filter_map(|value| Item::of(*value)));
            let split = items.len() - items.len() % WEIGHT;
            let (most, rest) = items.split_at_mut(split);
            let condensed = condensed(most, coins.hash_one(number));
            if condensed.is_none_or(|sketch| self.sketch.merge(&sketch).is_err()) {
                self.add_each(most);
            }
            self.add_each(rest);
        }
    }

    /// Adds one value; NaN is left out.
    pub fn add(&mut self, value: f64) {
        if let Some(item) = Item::of(value) {
            self.sketch.update(item);
        }
    }

    fn add_each(&mut self, items: &[Item]) {
        for item in items {
            self.sketch.update(*item);
        }
    }

    /// Adds the values of another summary.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if there are more than 2⁵³ values together, which only forged bytes reach.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.check_mergeable(other)?;
        self.sketch.merge(&other.sketch).map_err(|error| Error::Incompatible { because: error.to_string() })
    }

    /// Whether [`Quantiles::merge`] will add this one.
    pub(crate) fn check_mergeable(&self, other: &Self) -> Result<(), Error> {
        let together = self.count().saturating_add(other.count());
        if together > LARGEST_COUNT {
            return Err(Error::Incompatible {
                because: format!("the summaries hold {together} values together; 2^53 are possible at most"),
            });
        }
        Ok(())
    }

    /// Number of values but NaN.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sketch.n()
    }

    /// Smallest value rounded to single precision, none without any.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        self.sketch.min_item().map(|item| item.value())
    }

    /// Largest value rounded to single precision, none without any.
    #[must_use]
    pub fn maximum(&self) -> Option<f64> {
        self.sketch.max_item().map(|item| item.value())
    }

    /// The bound that the error of a rank keeps with probability 99 %, as a share of the count: 0.0133.
    #[must_use]
    pub fn rank_error(&self) -> f64 {
        self.sketch.normalized_rank_error()
    }

    /// The smallest value kept whose rank is at least `q`, none without values. The first is the minimum, the
    /// last the maximum, both exact.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `q` is within 0 and 1.
    pub fn quantile(&self, q: f64) -> Result<Option<f64>, Error> {
        Ok(self.quantiles(&[q])?.and_then(|found| found.first().copied()))
    }

    /// The quantile of each of `qs`, none without values; quicker than one by one.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless all are within 0 and 1.
    pub fn quantiles(&self, qs: &[f64]) -> Result<Option<Vec<f64>>, Error> {
        check_shares(qs)?;
        let found = self.sketch.quantiles(qs, SearchCriteria::Inclusive);
        let found = found.map_err(|refusal| Error::argument("q", format!("is refused: {refusal}")))?;
        Ok(found.map(|items| items.into_iter().map(Item::value).collect()))
    }

    /// The share of values that are at most `value`, none without values.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for NaN, which has no rank.
    pub fn rank(&self, value: f64) -> Result<Option<f64>, Error> {
        let item = Item::of(value)
            .ok_or_else(|| Error::argument("value", "is NaN, which has no rank; pass a number"))?;
        Ok(self.sketch.rank(&item, SearchCriteria::Inclusive))
    }

    /// The bytes of a `kll_floats_sketch` of Apache DataSketches: 8 without values, 0.7 to 3 KiB with many.
    #[must_use]
    pub fn to_datasketches(&self) -> Vec<u8> {
        self.sketch.serialize()
    }

    /// The sketch in the bytes of a `kll_floats_sketch`, of any k, as other systems write them.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`] if they are not such bytes, [`Error::Impossible`] if they contradict themselves.
    pub fn from_datasketches(bytes: &[u8]) -> Result<Self, Error> {
        const FAMILY: u8 = 15;
        if bytes.get(2) != Some(&FAMILY) {
            return Err(Error::Foreign);
        }
        let sketch = KllSketch::deserialize(bytes)
            .map_err(|_| impossible("they are no whole sketch of KLL floats"))?;
        if sketch.n() > LARGEST_COUNT {
            return Err(impossible("there are more than 2^53 values"));
        }
        Ok(Self { sketch })
    }

    /// The summary as bytes with a version and a checksum around those of [`Quantiles::to_datasketches`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Quantiles, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    /// The summary that [`Quantiles::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Quantiles, VERSION)?;
        let quantiles = Self::read(&mut reader)?;
        reader.close()?;
        Ok(quantiles)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.blob(&self.to_datasketches());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let bytes = reader.blob()?;
        let read = match Self::from_datasketches(bytes) {
            Err(Error::Foreign) => return Err(impossible("they hold no sketch of KLL floats")),
            read => read?,
        };
        if read.to_datasketches() != bytes {
            return Err(impossible("the sketch is not in its one form"));
        }
        Ok(read)
    }
}

/// Refuses what is no share of a whole.
pub(crate) fn check_shares(qs: &[f64]) -> Result<(), Error> {
    match qs.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        Some(q) => Err(Error::argument("q", format!("must be within 0 and 1, not {q:?}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Quantiles;
    use crate::error::Error;
    use crate::float::float;

    fn many(count: u64) -> Quantiles {
        let mut quantiles = Quantiles::new();
        (0..count).for_each(|value| quantiles.add(float(value)));
        quantiles
    }

    #[test]
    fn ranks_of_many_values_are_within_a_few_times_the_error() {
        let quantiles = many(100_000);
        for value in (0..100_000).step_by(997) {
            let rank = quantiles.rank(float(value)).unwrap().unwrap();
            assert!((rank - float(value) / 1e5).abs() < 3.0 * quantiles.rank_error());
        }
    }

    #[test]
    fn infinities_and_what_single_precision_cannot_hold_keep_their_order() {
        let quantiles = Quantiles::of(&[f64::INFINITY, -1e300, f64::NAN, 0.0, f64::NEG_INFINITY, 1e300]);
        assert_eq!(quantiles.count(), 5);
        assert_eq!(quantiles.minimum(), Some(f64::NEG_INFINITY));
        assert_eq!(quantiles.maximum(), Some(f64::INFINITY));
        assert_eq!(quantiles.quantile(0.5), Ok(Some(0.0)));
        assert_eq!(quantiles.rank(-0.0), Ok(Some(0.6)));
    }

    #[test]
    fn a_forged_count_beyond_what_streams_reach_is_refused() {
        let mut bytes = many(10_000).to_datasketches();
        bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(Quantiles::from_datasketches(&bytes), Err(Error::Impossible { .. })));
    }

    #[test]
    fn what_was_read_back_goes_on() {
        let mut read = Quantiles::from_bytes(&many(10_000).to_bytes()).unwrap();
        read.merge(&many(10_000)).unwrap();
        read.update(&[1.0; 1000]);
        assert_eq!(read.count(), 21_000);
    }
}
