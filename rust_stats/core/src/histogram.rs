//! Counts on the bins of a reference: the primary summary of a numeric feature.
//!
//! Merging is integer addition: exact, in any order, over any tree of hubs. The tests on summaries, the
//! distances and the always-valid evidence all come from it.

use pulp::{Arch, Simd, WithSimd};

use crate::BLOCK;
use crate::bins::Bins;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;

const VERSION: u8 = 1;

/// Counts on the bins of one reference, which `digest` identifies: under, each bin, over, missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    digest: u64,
    counts: Vec<u64>,
}

impl Histogram {
    /// No values yet, on `bins` of the reference with this digest.
    pub(crate) fn empty(bins: &Bins, digest: u64) -> Self {
        Self { digest, counts: vec![0; bins.len() + 1] }
    }

    /// Counts as a reference itself has them.
    pub(crate) const fn of_counts(counts: Vec<u64>, digest: u64) -> Self {
        Self { digest, counts }
    }

    /// Reads counts on the same bins in the place of its own.
    pub(crate) fn reread(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let length = self.counts.len();
        reader.packed_into(&mut self.counts, length)?;
        if self.counts.len() == length {
            Ok(())
        } else {
            Err(impossible("a feature has another number of bins than its reference"))
        }
    }

    /// Counts `values`, at most [`BLOCK`] of them, on `bins`, which are those of the reference. NaN is missing.
    pub(crate) fn add_block(&mut self, bins: &Bins, values: &[f64], missing: Option<&[bool]>) {
        match missing {
            Some(missing) => self.add_present(bins, values, missing),
            None => self.add_values(bins, values),
        }
    }

    fn add_present(&mut self, bins: &Bins, values: &[f64], missing: &[bool]) {
        let mut present = [f64::NAN; BLOCK];
        for ((slot, value), missing) in present.iter_mut().zip(values).zip(missing) {
            *slot = if *missing { f64::NAN } else { *value };
        }
        self.add_values(bins, present.get(..values.len()).unwrap_or(values));
    }

    fn add_values(&mut self, bins: &Bins, values: &[f64]) {
        bins.count(values, &mut self.counts);
        let nan = values.iter().map(|value| u64::from(value.is_nan())).sum();
        if let [under, .., missing] = self.counts.as_mut_slice() {
            // There is where NaN was counted.
            *under = under.saturating_sub(nan);
            *missing = missing.saturating_add(nan);
        }
    }

    /// The counts of both together.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if they are on the bins of different references.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        let mut merged = self.clone();
        merged.add(other)?;
        Ok(merged)
    }

    /// As [`Histogram::merge`], into this one.
    ///
    /// # Errors
    ///
    /// As [`Histogram::merge`]; nothing was added then.
    pub fn add(&mut self, other: &Self) -> Result<(), Error> {
        self.same_reference(other)?;
        self.add_counts(other);
        Ok(())
    }

    /// As [`Histogram::add`] where the references are known to be the same.
    pub(crate) fn add_counts(&mut self, other: &Self) {
        Arch::new().dispatch(Adding { counts: &mut self.counts, added: &other.counts });
    }

    fn same_reference(&self, other: &Self) -> Result<(), Error> {
        if self.digest == other.digest && self.counts.len() == other.counts.len() {
            return Ok(());
        }
        let because = format!(
            "these histograms are on the bins of different references, {:016x} and {:016x}; \
             summarise both on the same baseline",
            self.digest, other.digest
        );
        Err(Error::Incompatible { because })
    }

    /// Which reference's bins these are.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// All counts: under the lowest edge, of each bin, over the highest edge, and missing or NaN.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The counts without the missing ones.
    #[must_use]
    pub fn present(&self) -> &[u64] {
        self.counts.split_last().map_or(&[], |(_, present)| present)
    }

    /// Number of values that are missing or NaN.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.counts.last().copied().unwrap_or_default()
    }

    /// Number of all values.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// The histogram as bytes with a version and a checksum: for 64 bins some 50 at 300 values.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Histogram, VERSION);
        writer.digest(self.digest);
        writer.packed(&self.counts);
        writer.seal()
    }

    /// The histogram that [`Histogram::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Histogram, VERSION)?;
        let read = Self { digest: reader.digest()?, counts: reader.packed(crate::MOST_BINS + 3)? };
        reader.close()?;
        if read.counts.len() < 3 {
            return Err(impossible("it has fewer counts than one edge makes"));
        }
        Ok(read)
    }
}

struct Adding<'all> {
    counts: &'all mut [u64],
    added: &'all [u64],
}

impl WithSimd for Adding<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined is it compiled for the processor it runs on")]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        for (count, added) in self.counts.iter_mut().zip(self.added) {
            *count = count.saturating_add(*added);
        }
    }
}
