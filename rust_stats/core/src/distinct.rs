//! How many different texts there were, by the HyperLogLog sketch in the bytes of Apache DataSketches.
//!
//! Flajolet, Fusy, Gandouet and Meunier, "HyperLogLog" (2007). Texts are hashed as their UTF-8 bytes by
//! Murmur hash 3 with seed 9001, as Java and C++ do, so sketches made there and here merge.
//!
//! The sketch is an 8-bit one and always gives the composite estimate, which depends on nothing but which
//! texts were seen. The estimate by history (HIP) would be a fifth more accurate, but depends on order and is
//! lost on the first merge. So merging is exact: however texts are split, ordered and repeated, the summary is
//! the same, bit for bit.

mod layout;

use datasketches::common::NumStdDev;
use datasketches::hash::value::raw_bytes;
use datasketches::hll::{HllSketch, HllType, HllUnion};

use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use layout::Seen;

const VERSION: u8 = 1;

/// An estimate with bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistinctEstimate {
    /// The estimate itself; equal to both bounds where it is exact.
    pub value: f64,
    /// Lower bound of the interval that holds the truth with probability 95 %.
    pub lower: f64,
    /// Upper bound of the same interval.
    pub upper: f64,
}

/// The number of different texts among some, in constant memory.
///
/// Merging is commutative, associative and idempotent exactly, with [`DistinctCount::new`] as its identity.
#[derive(Debug, Clone)]
pub struct DistinctCount {
    sketch: HllSketch,
}

impl DistinctCount {
    /// The count of no texts, with 2 to the power of `lg_k` registers: `lg_k` = 10 has a standard error of
    /// 3.3 % in 1 KiB, 12 has 1.6 % in 4 KiB.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `lg_k` is from 4 to 21.
    ///
    /// ```
    /// # use edge_aiops_stats_core::DistinctCount;
    /// let mut distinct = DistinctCount::new(12)?;
    /// for text in ["red", "green", "red", ""] {
    ///     distinct.add(text);
    /// }
    /// assert_eq!(distinct.estimate().value.round(), 3.0);
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn new(lg_k: u8) -> Result<Self, Error> {
        let sketch = HllSketch::new(lg_k, HllType::Hll8)
            .map_err(|_| Error::argument("lg_k", format!("must be from 4 to 21, not {lg_k}")))?;
        Ok(Self { sketch })
    }

    /// Base-2 logarithm of the number of registers.
    #[must_use]
    pub fn lg_k(&self) -> u8 {
        self.sketch.lg_config_k()
    }

    /// Adds a text. The empty text is one as well, which Apache's own updates pass over.
    #[inline]
    pub fn add(&mut self, text: &str) {
        self.sketch.update(raw_bytes::from_str(text));
    }

    /// Adds the texts of another summary.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if the other has another `lg_k`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let (ours, theirs) = (self.lg_k(), other.lg_k());
        let union = HllUnion::new(ours).ok().filter(|_| ours == theirs);
        let Some(mut union) = union else {
            return Err(Error::Incompatible {
                because: format!("the counts have lg_k {ours} and {theirs}; count both with the same"),
            });
        };
        union.update(&self.sketch);
        union.update(&other.sketch);
        self.sketch = union.to_sketch(HllType::Hll8);
        Ok(())
    }

    /// Whether no text was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sketch.is_empty()
    }

    /// The number of different texts with 95 % bounds. A handful is all but exact.
    #[must_use]
    pub fn estimate(&self) -> DistinctEstimate {
        // Read back from its canonical bytes the sketch knows nothing of its history.
        let settled = self.seen().and_then(|seen| seen.sketch());
        let settled = settled.as_ref().unwrap_or(&self.sketch);
        DistinctEstimate {
            value: settled.estimate(),
            lower: settled.lower_bound(NumStdDev::Two),
            upper: settled.upper_bound(NumStdDev::Two),
        }
    }

    /// The bytes of an `hll_sketch` of type `HLL_8` of Apache DataSketches, always in the same order.
    #[must_use]
    pub fn to_datasketches(&self) -> Vec<u8> {
        self.seen().map_or_else(|_| self.sketch.serialize(), |seen| seen.to_bytes())
    }

    /// The sketch in the bytes of an `hll_sketch` of any type, compact or not, as other systems write them.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`] if they are not such bytes, [`Error::Impossible`] if they contradict themselves.
    pub fn from_datasketches(bytes: &[u8]) -> Result<Self, Error> {
        // The library trusts what it reads so far as to panic later. So it only ever gets what we wrote.
        Ok(Self { sketch: Seen::of_bytes(bytes)?.sketch()? })
    }

    /// The summary as bytes with a version and a checksum around those of
    /// [`DistinctCount::to_datasketches`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::DistinctCount, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    /// The summary that [`DistinctCount::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::DistinctCount, VERSION)?;
        let distinct = Self::read(&mut reader)?;
        reader.close()?;
        Ok(distinct)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.blob(&self.to_datasketches());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let bytes = reader.blob()?;
        let read = match Self::from_datasketches(bytes) {
            Err(Error::Foreign) => return Err(impossible("they hold no HLL sketch")),
            read => read?,
        };
        if read.to_datasketches() != bytes {
            return Err(impossible("the sketch is not in its one form"));
        }
        Ok(read)
    }

    fn seen(&self) -> Result<Seen, Error> {
        Seen::of_bytes(&self.sketch.serialize())
    }
}

impl PartialEq for DistinctCount {
    fn eq(&self, other: &Self) -> bool {
        self.to_datasketches() == other.to_datasketches()
    }
}

#[cfg(test)]
mod tests {
    use super::{DistinctCount, Error};

    fn of(lg_k: u8, texts: impl IntoIterator<Item = u32>) -> DistinctCount {
        let mut distinct = DistinctCount::new(lg_k).unwrap();
        texts.into_iter().for_each(|text| distinct.add(&text.to_string()));
        distinct
    }

    #[test]
    fn parts_merge_to_the_very_sketch_of_the_whole() {
        for lg_k in [4, 7, 8, 10, 12, 21] {
            for count in [0, 1, 7, 8, 9, 23, 24, 25, 96, 97, 3000] {
                let whole = of(lg_k, 0..count);
                for split in [0, count / 3, count] {
                    let mut merged = of(lg_k, split..count);
                    merged.merge(&of(lg_k, (0..split).rev())).unwrap();
                    assert_eq!(merged.to_bytes(), whole.to_bytes(), "{lg_k} {count} {split}");
                    assert_eq!(merged.estimate(), whole.estimate());
                }
            }
        }
    }

    #[test]
    fn estimates_are_within_the_error() {
        for count in [10, 100, 1000, 100_000] {
            let estimate = of(12, 0..count).estimate();
            assert!((estimate.value / f64::from(count) - 1.0).abs() < 0.05);
            assert!(estimate.lower <= estimate.value && estimate.value <= estimate.upper);
        }
    }

    #[test]
    fn another_number_of_registers_is_refused() {
        assert!(matches!(DistinctCount::new(3), Err(Error::Argument { name: "lg_k", .. })));
        assert!(matches!(of(10, 0..3).merge(&of(11, 0..3)), Err(Error::Incompatible { .. })));
    }
}
