//! The summaries of all features of a model over some span of time, updated in one call.

mod pending;

use std::sync::Arc;

use crate::baseline::{Baseline, CategoryReference, Feature};
use crate::categories::Categories;
use crate::cells::Cells;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::numeric::NumericSummary;
use pending::Pending;

pub use pending::MISSING;

const VERSION: u8 = 1;

/// The summary of one feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Summary {
    /// Of numbers.
    Numeric(NumericSummary),
    /// Of labels.
    Category(Categories),
}

impl Summary {
    /// All its counts, those that are missing last: before them those on the bins of the baseline, as
    /// [`Histogram::counts`](crate::Histogram::counts) has them, or those of the labels that the baseline knows
    /// and of all other ones together.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        match self {
            Self::Numeric(numbers) => numbers.histogram().counts().to_vec(),
            Self::Category(labels) => Cells::of_labels(labels).with_missing(),
        }
    }
}

/// The summaries of all features of a baseline.
///
/// Merging has [`Profile::new`] as its identity, and the laws of the summaries within.
#[derive(Debug, Clone)]
pub struct Profile {
    baseline: Arc<Baseline>,
    with_quantiles: bool,
    rows: u64,
    summaries: Vec<Summary>,
    /// The places of the features with labels.
    labelled: Vec<usize>,
    /// Events that are not in the summaries yet.
    pending: Pending,
}

impl Profile {
    /// The summaries of no values, with a quantile sketch for each numeric feature if asked for.
    #[must_use]
    pub fn new(baseline: Arc<Baseline>, with_quantiles: bool) -> Self {
        let empty = |feature: &Feature| match feature {
            Feature::Numeric { reference, .. } => {
                Summary::Numeric(NumericSummary::empty(reference, with_quantiles))
            }
            Feature::Category(reference) => Summary::Category(reference.counts().empty_like()),
        };
        let summaries: Vec<_> = baseline.features().iter().map(empty).collect();
        let places = summaries.iter().enumerate();
        let labelled = places.filter(|(_, summary)| matches!(summary, Summary::Category(_)));
        let labelled = labelled.map(|(place, _)| place).collect();
        let pending = Pending::new(summaries.len());
        Self { baseline, with_quantiles, rows: 0, summaries, labelled, pending }
    }

    /// What it is compared with.
    #[must_use]
    pub const fn baseline(&self) -> &Arc<Baseline> {
        &self.baseline
    }

    /// Whether numeric features have a quantile sketch.
    #[must_use]
    pub const fn with_quantiles(&self) -> bool {
        self.with_quantiles
    }

    /// Number of rows or events summarised.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The summaries in the order of the baseline's features.
    pub fn summaries(&mut self) -> &[Summary] {
        self.settle();
        &self.summaries
    }

    /// For each feature, it and its summary, to add columns to side by side. Afterwards
    /// [`Profile::count_rows`] must be told.
    pub fn columns(&mut self) -> impl Iterator<Item = Column<'_>> + use<'_> {
        self.settle();
        let pairs = self.baseline.features().iter().zip(&mut self.summaries);
        pairs.map(|(feature, summary)| Column { feature, summary })
    }

    /// Takes note of the rows whose columns were added.
    pub const fn count_rows(&mut self, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
    }

    /// Adds one event.
    ///
    /// `numbers` has an entry for each feature, in their order; [`MISSING`] where there is none, and for
    /// features with labels. `labels` has the places of such features with their labels; those that are not
    /// there are missing.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there are not as many numbers as features, or a value is not of the sort of its
    /// feature; nothing was added then.
    pub fn add_event(&mut self, numbers: &[f64], labels: &[(usize, &str)]) -> Result<(), Error> {
        self.check(numbers, labels)?;
        for place in &self.labelled {
            if let Some(Summary::Category(counts)) = self.summaries.get_mut(*place) {
                match labels.iter().find(|(of, _)| of == place) {
                    Some((_, label)) => counts.add(label, 1),
                    None => counts.add_missing(1),
                }
            }
        }
        self.push(numbers);
        self.count_rows(1);
        Ok(())
    }

    /// Adds events of a model that has numbers only, one after the other.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no whole number of events, or a feature has labels; nothing was added then.
    pub fn add_rows(&mut self, numbers: &[f64]) -> Result<(), Error> {
        let features = self.summaries.len();
        if numbers.is_empty() {
            return Ok(());
        }
        self.check(numbers.get(..features).unwrap_or(numbers), &[])?;
        if !numbers.len().is_multiple_of(features) {
            let problem =
                format!("must have a number for each of the {features} features, but the last has not");
            return Err(Error::argument("rows", problem));
        }
        self.push(numbers);
        self.count_rows(numbers.len().checked_div(features).unwrap_or_default() as u64);
        Ok(())
    }

    /// Adds events, which have been checked.
    fn push(&mut self, mut rows: &[f64]) {
        let features = self.summaries.len();
        while !rows.is_empty() {
            if self.pending.room() == 0 {
                self.settle();
            }
            let (fitting, others) = rows.split_at(rows.len().min(self.pending.room() * features));
            self.pending.push(fitting);
            rows = others;
        }
    }

    fn check(&self, numbers: &[f64], labels: &[(usize, &str)]) -> Result<(), Error> {
        let (features, names) = (self.summaries.len(), self.baseline.names());
        let problem = if numbers.len() != features {
            format!("must have a number for each of the {features} features, not {}", numbers.len())
        } else if let Some((name, number)) = self.labelled.iter().find_map(|place| {
            let number = numbers.get(*place).filter(|number| number.to_bits() != MISSING.to_bits())?;
            names.get(*place).zip(Some(number))
        }) {
            format!("has the number {number:?} for {name:?}, which has labels; pass a text")
        } else if let Some((place, label)) = labels.iter().find(|(place, _)| !self.labelled.contains(place)) {
            let name = names.get(*place).map_or("", String::as_str);
            format!("has the label {label:?} for {name:?}, which has numbers; pass a number or nothing")
        } else {
            return Ok(());
        };
        Err(Error::argument("event", problem))
    }

    /// Brings events that wait into the summaries.
    fn settle(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let features = self.baseline.features().iter().zip(&mut self.summaries).enumerate();
        for (place, (feature, summary)) in features {
            if let (Feature::Numeric { reference, range }, Summary::Numeric(numbers)) = (feature, summary) {
                let (values, missing) = self.pending.column(place);
                let missing = missing.as_ref().and_then(|missing| missing.get(..values.len()));
                numbers.add(reference, *range, values, missing);
            }
        }
        self.pending.clear();
    }

    /// Adds the summaries of another profile on the same baseline.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if the baselines differ, or only one has quantile sketches; nothing was added
    /// then.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), Error> {
        if self.baseline.digest() != other.baseline.digest() {
            let because = format!(
                "these profiles are on different baselines, {:016x} and {:016x}; \
                 summarise both on the same one",
                self.baseline.digest(),
                other.baseline.digest()
            );
            return Err(Error::Incompatible { because });
        }
        if self.with_quantiles != other.with_quantiles {
            let because = "only one of these profiles has quantile sketches; make both with or both without";
            return Err(Error::Incompatible { because: because.into() });
        }
        self.settle();
        other.settle();
        let mut pairs = self.summaries.iter().zip(&other.summaries);
        pairs.try_for_each(|pair| match pair {
            (Summary::Numeric(numbers), Summary::Numeric(added)) => numbers.check_mergeable(added),
            (Summary::Category(labels), Summary::Category(added)) => labels.check_mergeable(added),
            _ => Ok(()),
        })?;
        for (summary, added) in self.summaries.iter_mut().zip(&other.summaries) {
            match (summary, added) {
                (Summary::Numeric(numbers), Summary::Numeric(added)) => numbers.merge(added)?,
                (Summary::Category(labels), Summary::Category(added)) => labels.merge(added)?,
                _ => {}
            }
        }
        self.count_rows(other.rows);
        Ok(())
    }

    /// The same profile without the names of labels that the baseline does not have, unless `keeps` says so of a
    /// feature and its label: see [`Categories::pooled`].
    #[must_use]
    pub fn pooled(&self, keeps: impl Fn(&str, &str) -> bool) -> Self {
        let mut pooled = self.clone();
        for (feature, summary) in self.baseline.names().iter().zip(&mut pooled.summaries) {
            if let Summary::Category(labels) = summary {
                *labels = labels.pooled(|label| keeps(feature, label));
            }
        }
        pooled
    }

    /// A baseline with the same bins and the counts of this profile.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a feature has too many labels.
    pub fn as_baseline(&mut self) -> Result<Baseline, Error> {
        self.settle();
        let features = self.baseline.features().iter().zip(&self.summaries).map(|pair| match pair {
            (Feature::Numeric { reference, range }, Summary::Numeric(numbers)) => {
                let reference = reference.recounted(numbers.histogram(), *numbers.moments())?;
                Ok(Feature::Numeric { reference, range: *range })
            }
            (_, Summary::Category(labels)) => CategoryReference::of(labels).map(Feature::Category),
            (feature, Summary::Numeric(_)) => Ok(feature.clone()),
        });
        let features = features.collect::<Result<Vec<_>, _>>()?;
        Baseline::new(self.baseline.names().iter().cloned().zip(features).collect())
    }

    /// The profile as bytes with a version and a checksum, some 90 for each numeric feature at 300 events. The
    /// baseline is named by its digest only.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.settle();
        let mut writer = Writer::new(Kind::Profile, VERSION);
        writer.digest(self.baseline.digest());
        writer.count(u64::from(self.with_quantiles));
        writer.count(self.rows);
        for summary in &self.summaries {
            match summary {
                Summary::Numeric(numbers) => numbers.write(&mut writer),
                Summary::Category(labels) => labels.write_counts(&mut writer),
            }
        }
        writer.seal()
    }

    /// The profile that [`Profile::to_bytes`] wrote of the same baseline.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if it is on another baseline; a named [`Error`] if the bytes are foreign,
    /// damaged, of another statistic or version, or contradict themselves.
    pub fn from_bytes(bytes: &[u8], baseline: Arc<Baseline>) -> Result<Self, Error> {
        let mut read = Self::new(baseline, false);
        read.reread(bytes)?;
        Ok(read)
    }

    /// Reads a profile on the same baseline in the place of its own; after an error it holds neither.
    fn reread(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut reader = Reader::open(bytes, Kind::Profile, VERSION)?;
        let digest = reader.digest()?;
        if digest != self.baseline.digest() {
            let because = format!(
                "this profile is on the baseline {digest:016x}, not on {:016x}; pass the one it was made with",
                self.baseline.digest()
            );
            return Err(Error::Incompatible { because });
        }
        let with_quantiles = match reader.count()? {
            0 => false,
            1 => true,
            _ => return Err(impossible("it neither has quantile sketches nor has none")),
        };
        if with_quantiles != self.with_quantiles {
            *self = Self::new(self.baseline.clone(), with_quantiles);
        }
        self.pending.clear();
        self.rows = reader.count()?;
        for (feature, summary) in self.baseline.features().iter().zip(&mut self.summaries) {
            match (feature, summary) {
                (Feature::Numeric { range, .. }, Summary::Numeric(numbers)) => {
                    numbers.reread(&mut reader, range.is_some())?;
                }
                (Feature::Category(reference), Summary::Category(labels)) => {
                    *labels = reference.counts().read_counts(&mut reader)?;
                }
                _ => {}
            }
        }
        reader.close()?;
        let totals = self.summaries.iter().map(|summary| match summary {
            Summary::Numeric(numbers) => numbers.moments().total(),
            Summary::Category(labels) => labels.total(),
        });
        if totals.into_iter().any(|total| total != self.rows) {
            return Err(impossible("a feature has another number of values than there are rows"));
        }
        Ok(())
    }

    /// What [`Profile::to_bytes`] wrote of many profiles of the same baseline, together; of none, no values.
    ///
    /// # Errors
    ///
    /// As [`Profile::from_bytes`] and [`Profile::merge`].
    pub fn merge_bytes<'bytes>(
        all: impl IntoIterator<Item = &'bytes [u8]>,
        baseline: &Arc<Baseline>,
    ) -> Result<Self, Error> {
        let mut all = all.into_iter();
        let mut merged = Self::new(baseline.clone(), false);
        if let Some(first) = all.next() {
            merged.reread(first)?;
        }
        let mut added = Self::new(baseline.clone(), merged.with_quantiles);
        for bytes in all {
            added.reread(bytes)?;
            merged.merge(&mut added)?;
        }
        Ok(merged)
    }
}

/// One feature and its summary, to add a column to.
pub struct Column<'profile> {
    feature: &'profile Feature,
    summary: &'profile mut Summary,
}

impl Column<'_> {
    /// The summary of labels, none for numbers.
    pub fn labels(&mut self) -> Option<&mut Categories> {
        match self.summary {
            Summary::Category(labels) => Some(labels),
            Summary::Numeric(_) => None,
        }
    }

    /// Adds a block of numbers, of which those marked in `missing` are not there.
    ///
    /// # Errors
    ///
    /// [`Error::LengthsDiffer`] unless `missing` has one entry for each value; [`Error::Argument`] if the
    /// feature has labels.
    pub fn add_numbers(&mut self, values: &[f64], missing: Option<&[bool]>) -> Result<(), Error> {
        if let Some(missing) = missing.filter(|missing| missing.len() != values.len()) {
            return Err(Error::LengthsDiffer { values: values.len(), missing: missing.len() });
        }
        match (self.feature, &mut *self.summary) {
            (Feature::Numeric { reference, range }, Summary::Numeric(numbers)) => {
                numbers.add(reference, *range, values, missing);
                Ok(())
            }
            _ => Err(Error::argument("columns", "has numbers for a feature of labels; pass texts")),
        }
    }
}
