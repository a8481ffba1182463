//! What later values of a numeric feature are compared with: the counts of a reference on its own quantiles.

use crate::BLOCK;
use crate::bins::Bins;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::histogram::Histogram;
use crate::moments::Moments;
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u8 = 1;

/// Bins of a reference where nothing else is said: enough for the Kolmogorov-Smirnov test to lose little.
pub const DEFAULT_BINS: usize = 64;

/// Groups of bins for tests that need counts in every cell: with 64 they lose power.
pub const GROUPS: usize = 10;

/// A numeric reference: bins at its quantiles, its counts on them, and its moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    bins: Bins,
    histogram: Histogram,
    moments: Moments,
    /// A typical value of each bin, for distances in the unit of the feature.
    positions: Vec<f64>,
    /// For each bin, which group it belongs to; they ascend from 0.
    groups: Vec<usize>,
}

impl Reference {
    /// The reference of `values`, of which NaN are missing, with bins at their quantiles: `bins` of them, or
    /// one for each distinct value if those are fewer.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there are 2 to [`crate::MOST_BINS`] bins.
    ///
    /// ```
    /// # use edge_aiops_stats_core::Reference;
    /// let values: Vec<f64> = (0..1000).map(f64::from).collect();
    /// let reference = Reference::of(values, 10)?;
    /// assert_eq!(reference.histogram().present()[1..11], [100; 10]);
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn of(values: Vec<f64>, bins: usize) -> Result<Self, Error> {
        if !(2..=crate::MOST_BINS).contains(&bins) {
            let problem = format!("must be 2 to {}, not {bins}", crate::MOST_BINS);
            return Err(Error::argument("bins", problem));
        }
        let moments = Moments::of(&values);
        let mut sorted = values;
        let mut counts_apart = [0; 3];
        sorted.retain(|value| {
            let [under, over, missing] = &mut counts_apart;
            *under += u64::from(*value == f64::NEG_INFINITY);
            *over += u64::from(*value == f64::INFINITY);
            *missing += u64::from(value.is_nan());
            value.is_finite()
        });
        sorted.sort_unstable_by(f64::total_cmp);
        let bins = Bins::at_quantiles(&sorted, bins);
        let mut histogram = Histogram::empty(&bins, 0);
        for block in sorted.chunks(BLOCK) {
            histogram.add_block(&bins, block, None);
        }
        let positions = means(&sorted, &bins);
        let mut counts = histogram.counts().to_vec();
        if let [under, .., over, missing] = counts.as_mut_slice() {
            let [low, high, none] = counts_apart;
            *under += low;
            *over += high;
            *missing += none;
        }
        Ok(Self::new(bins, counts, moments, positions))
    }

    /// The same bins with the counts and moments of other values: how a span of production becomes a reference.
    /// The positions stay what they are.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if the histogram is on the bins of another reference, or a tenth of its finite
    /// values or more lies beyond the edges, where no bins tell them apart.
    pub fn recounted(&self, histogram: &Histogram, moments: Moments) -> Result<Self, Error> {
        Histogram::empty(&self.bins, self.digest()).add(histogram)?;
        let beyond = match histogram.present() {
            [under, .., over] => under.saturating_add(*over).saturating_sub(moments.infinite()),
            _ => 0,
        };
        if float(beyond) >= float(moments.count()) / 10.0 && beyond > 0 {
            let because = format!(
                "{beyond} of {} values lie beyond the edges of the reference, where its bins do not tell them \
                 apart; make a new reference of the values themselves",
                moments.count()
            );
            return Err(Error::Incompatible { because });
        }
        Ok(Self::new(self.bins.clone(), histogram.counts().to_vec(), moments, self.positions.clone()))
    }

    fn new(bins: Bins, counts: Vec<u64>, moments: Moments, positions: Vec<f64>) -> Self {
        let groups = grouped(&counts);
        let mut new = Self { bins, histogram: Histogram::of_counts(counts, 0), moments, positions, groups };
        let mut writer = Writer::new(Kind::Reference, VERSION);
        new.write(&mut writer);
        let digest = xxh3_64(writer.payload());
        new.histogram = Histogram::of_counts(new.histogram.counts().to_vec(), digest);
        new
    }

    /// What identifies it: XXH3 (64 bits) of its bins, counts, moments and positions.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.histogram.digest()
    }

    /// Its bins.
    #[must_use]
    pub const fn bins(&self) -> &Bins {
        &self.bins
    }

    /// Its own values on its bins.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The moments of its values.
    #[must_use]
    pub const fn moments(&self) -> &Moments {
        &self.moments
    }

    /// `values` counted on its bins, of which NaN are missing.
    #[must_use]
    pub fn count(&self, values: &[f64]) -> Histogram {
        let mut counted = Histogram::empty(&self.bins, self.digest());
        for block in values.chunks(BLOCK) {
            counted.add_block(&self.bins, block, None);
        }
        counted
    }

    /// Adds at most [`BLOCK`] values to a histogram on its bins; those marked in `missing`, which is as long,
    /// are not there.
    pub fn count_block(&self, counted: &mut Histogram, values: &[f64], missing: Option<&[bool]>) {
        counted.add_block(&self.bins, values, missing);
    }

    /// A typical value of each bin between the lowest and the highest edge, ascending: the mean of the
    /// reference's values in it.
    #[must_use]
    pub fn positions(&self) -> &[f64] {
        &self.positions
    }

    /// `counts` on its bins, without the missing ones: those under all edges, at most [`GROUPS`] groups of bins
    /// that hold about equally many values of the reference, and those over all edges.
    #[must_use]
    pub fn in_groups(&self, counts: &[u64]) -> Vec<u64> {
        let mut groups = vec![0_u64; self.groups.last().map_or(0, |last| last + 1)];
        for (group, count) in self.groups.iter().zip(counts) {
            if let Some(sum) = groups.get_mut(*group) {
                *sum = sum.saturating_add(*count);
            }
        }
        groups
    }

    /// The reference as bytes with a version and a checksum: some 1,200 for 64 bins.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Reference, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.bins.edges().len() as u64);
        for edge in self.bins.edges() {
            writer.number(*edge);
        }
        for position in &self.positions {
            writer.number(*position);
        }
        writer.packed(self.histogram.counts());
        self.moments.write(writer);
    }

    /// The reference that [`Reference::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Reference, VERSION)?;
        let read = Self::read(&mut reader)?;
        reader.close()?;
        Ok(read)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let length = reader.length()?;
        let edges = (0..length).map(|_| reader.number()).collect::<Result<Vec<_>, _>>()?;
        let bins = Bins::between(edges).map_err(|_| impossible("its edges do not ascend"))?;
        let positions = (1..length).map(|_| reader.number()).collect::<Result<Vec<_>, _>>()?;
        let counts = reader.packed(crate::MOST_BINS + 3)?;
        let moments = Moments::read(reader)?;
        let ascend = positions.is_sorted_by(|left, right| left <= right);
        if !ascend || positions.iter().any(|position| !position.is_finite()) {
            return Err(impossible("its positions do not ascend"));
        }
        let [under, .., over, missing] = counts.as_slice() else {
            return Err(impossible("it has no counts"));
        };
        let fits = counts.len() == bins.len() + 1
            && *missing == moments.missing().saturating_add(moments.nan())
            && under.saturating_add(*over) >= moments.infinite()
            && counts.iter().fold(0_u64, |total, count| total.saturating_add(*count)) == moments.total();
        if !fits {
            return Err(impossible("its counts do not fit its moments"));
        }
        Ok(Self::new(bins, counts, moments, positions))
    }
}

/// The mean of the values in each bin; the middle of a bin that has none.
fn means(sorted: &[f64], bins: &Bins) -> Vec<f64> {
    let mut rest = sorted;
    let middles = bins.edges().windows(2).map(|edges| match edges {
        [lower, upper] => (f64::midpoint(*lower, *upper), *upper),
        _ => (0.0, 0.0),
    });
    middles
        .map(|(middle, upper)| {
            let (within, after) = rest.split_at(rest.partition_point(|value| *value < upper));
            rest = after;
            Moments::of(within).mean().unwrap_or(middle)
        })
        .collect()
}

/// For each bin without the missing one, its group: by the middle of its share in the cumulative counts.
fn grouped(counts: &[u64]) -> Vec<usize> {
    let between = counts.get(1..counts.len().saturating_sub(2)).unwrap_or_default();
    let total = between.iter().map(|count| float(*count)).sum::<f64>().max(1.0);
    let (mut below, mut last, mut group) = (0.0, None, 0);
    // What lies under all edges and what lies over them are groups of their own.
    let mut groups = vec![0];
    for count in between {
        let middle = (below + float(*count) / 2.0) / total;
        below += float(*count);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to GROUPS")]
        let place = ((middle * float_len(GROUPS)) as usize).min(GROUPS - 1);
        group += usize::from(last != Some(place));
        last = Some(place);
        groups.push(group);
    }
    groups.push(group + 1);
    groups
}

#[cfg(test)]
mod tests {
    use super::{Reference, grouped};

    #[test]
    fn groups_hold_about_equally_many() {
        let counts: Vec<u64> = [vec![0], vec![10; 64], vec![0, 7]].concat();
        let groups = grouped(&counts);
        assert_eq!((groups.len(), groups[0], groups[1], groups[64], groups[65]), (66, 0, 1, 10, 11));
        for group in 1..=10 {
            assert!((6..=7).contains(&groups[1..65].iter().filter(|of| **of == group).count()));
        }
    }

    #[test]
    fn few_values_are_groups_of_their_own_and_so_is_what_lies_beyond() {
        assert_eq!(grouped(&[0, 70, 20, 10, 0, 3]), [0, 1, 2, 3, 4]);
        assert_eq!(grouped(&[0, 70, 20, 0, 0, 0, 3]), [0, 1, 2, 3, 3, 4]);
        assert_eq!(grouped(&[4, 0, 3]), [0, 1]);
    }

    #[test]
    fn what_is_not_finite_is_counted_beyond_the_edges() {
        let values = vec![1.0, 2.0, 3.0, f64::NAN, f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY];
        let reference = Reference::of(values, 64).unwrap();
        assert_eq!(reference.histogram().counts(), [1, 1, 1, 1, 2, 1]);
        assert_eq!(reference.positions(), [1.0, 2.0, 3.0]);
        assert_eq!(Reference::from_bytes(&reference.to_bytes()), Ok(reference));
    }

    #[test]
    fn no_values_are_a_reference_too() {
        let reference = Reference::of(vec![f64::NAN; 3], 64).unwrap();
        assert_eq!(reference.histogram().counts(), [0, 0, 3]);
        assert_eq!(Reference::from_bytes(&reference.to_bytes()), Ok(reference));
    }
}
