//! What the features of a model are compared with: a reference for each, in the order of the model.

use std::collections::HashMap;

use crate::categories::Categories;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::numeric::Range;
use crate::random::Random;
use crate::reference::Reference;
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u8 = 1;

/// How often each of the known labels came, and other ones and none.
///
/// Which labels are known must not depend on the counts that they are then compared by: labels chosen because
/// they came in the reference came there more often than they will again, and what they displace comes more
/// often later. So where labels are rare, a tenth of the reference, drawn at random, chooses the known ones, and
/// the other nine tenths are what later counts are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryReference {
    counts: Categories,
    /// Of each known label, then of all other ones together.
    cells: Vec<u64>,
}

impl CategoryReference {
    /// Most labels that are known; rarer ones are other ones.
    pub const MOST_LABELS: usize = 1024;

    /// A label that came so often would come in any tenth of the reference, so that nothing is chosen.
    const FREQUENT: u64 = 60;

    /// The share of the reference that chooses the known labels.
    const CHOOSING: f64 = 0.1;

    /// The reference of counted labels: those that were known before, and the frequent ones among the others if
    /// those are counted exactly. There may be none.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if more than [`CategoryReference::MOST_LABELS`] were known before.
    pub fn of(counted: &Categories) -> Result<Self, Error> {
        let before = counted.known().count();
        if before > Self::MOST_LABELS {
            let problem =
                format!("must be {} at the most where they are known, not {before}", Self::MOST_LABELS);
            return Err(Error::argument("labels", problem));
        }
        let shares = counted.counts();
        let (known, others) = shares.split_at_checked(before).unwrap_or((&shares, &[]));
        let rare = others.len() > Self::MOST_LABELS - before
            || others.iter().any(|(_, count)| *count < Self::FREQUENT);
        let mut random = Random::seeded(0);
        let mut chosen = |count: u64| if rare { random.binomial(count, Self::CHOOSING) } else { 0 };
        let mut kept: Vec<_> = known.iter().map(|(label, count)| (*label, *count, chosen(*count))).collect();
        let mut new: Vec<_> = others.iter().map(|(label, count)| (*label, *count, chosen(*count))).collect();
        let uncounted = counted.other().saturating_add(counted.oversized());
        let mut other = uncounted - chosen(uncounted);
        // The most chosen first; of equally many the order of the others, by their counts, may stand.
        new.sort_by_key(|(_, _, chosen)| std::cmp::Reverse(*chosen));
        for (place, (label, count, chosen)) in new.into_iter().enumerate() {
            if (chosen > 0 || !rare) && before + place < Self::MOST_LABELS {
                kept.push((label, count, chosen));
            } else {
                other = other.saturating_add(count - chosen);
            }
        }
        // Not by what is compared: cells that are pooled with their neighbours would be full ones here, empty there.
        let place = |count: u64, chosen: u64| std::cmp::Reverse(if rare { chosen } else { count });
        kept.sort_by(|a, b| place(a.1, a.2).cmp(&place(b.1, b.2)).then(a.0.cmp(b.0)));
        let labels: Vec<&str> = kept.iter().map(|(label, ..)| *label).collect();
        let mut counts = Categories::new(&labels, counted.capacity().min(Categories::CAPACITY))?;
        for (label, count, _) in &kept {
            counts.add(label, *count);
        }
        counts.add_missing(counted.missing());
        let cells = kept.iter().map(|(_, count, chosen)| count - chosen).chain([other]).collect();
        Ok(Self { counts, cells })
    }

    /// How often the known labels came in all of the reference; nothing else but what was missing.
    #[must_use]
    pub const fn counts(&self) -> &Categories {
        &self.counts
    }

    /// What later counts are compared with: for each known label, then for all other ones together, how often
    /// they came in the part of the reference that did not choose the known ones.
    #[must_use]
    pub fn cells(&self) -> &[u64] {
        &self.cells
    }
}

/// What one feature is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Feature {
    /// Numbers.
    Numeric {
        /// Their bins, counts and moments.
        reference: Reference,
        /// The values that they may have, if that is known.
        range: Option<Range>,
    },
    /// Labels.
    Category(CategoryReference),
}

/// The references of all features of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    names: Vec<String>,
    features: Vec<Feature>,
    places: HashMap<String, usize>,
    digest: u64,
}

impl Baseline {
    /// The baseline of named features, in this order.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a name comes twice.
    pub fn new(pairs: Vec<(String, Feature)>) -> Result<Self, Error> {
        let (names, features): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut places = HashMap::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            if places.insert(name.clone(), place).is_some() {
                return Err(Error::argument("features", format!("has two of the name {name:?}")));
            }
        }
        let mut baseline = Self { names, features, places, digest: 0 };
        let mut writer = Writer::new(Kind::Baseline, VERSION);
        baseline.write(&mut writer);
        baseline.digest = xxh3_64(writer.payload());
        Ok(baseline)
    }

    /// The names of the features, in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The features, in their order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Where a feature stands.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// What identifies it: XXH3 (64 bits) of everything in it.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The baseline as bytes with a version and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Baseline, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    fn write(&self, writer: &mut Writer) {
        writer.count(self.names.len() as u64);
        for (name, feature) in self.names.iter().zip(&self.features) {
            writer.text(name);
            match feature {
                Feature::Numeric { reference, range } => {
                    writer.count(u64::from(range.is_some()));
                    if let Some(Range { low, high }) = range {
                        writer.number(*low);
                        writer.number(*high);
                    }
                    reference.write(writer);
                }
                Feature::Category(reference) => {
                    writer.count(2);
                    reference.counts.write(writer);
                    writer.packed(&reference.cells);
                }
            }
        }
    }

    /// The baseline that [`Baseline::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Baseline, VERSION)?;
        let length = reader.length()?;
        let mut pairs = Vec::new();
        for _ in 0..length {
            pairs.push((reader.text()?.to_owned(), read_feature(&mut reader)?));
        }
        reader.close()?;
        Self::new(pairs).map_err(|_| impossible("two of its features have the same name"))
    }
}

fn read_feature(reader: &mut Reader<'_>) -> Result<Feature, Error> {
    let sort = reader.count()?;
    let range = if sort == 1 {
        let range = Range::new(reader.number()?, reader.number()?);
        Some(range.map_err(|_| impossible("a range has its ends in the wrong order"))?)
    } else {
        None
    };
    match sort {
        0 | 1 => Ok(Feature::Numeric { reference: Reference::read(reader)?, range }),
        2 => read_category(reader).map(Feature::Category),
        _ => Err(impossible("a feature is of no known sort")),
    }
}

fn read_category(reader: &mut Reader<'_>) -> Result<CategoryReference, Error> {
    let counts = Categories::read(reader)?;
    let known = counts.known_counts();
    let in_known = known.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    if known.len() > CategoryReference::MOST_LABELS || in_known != counts.count() {
        return Err(impossible("a reference of labels has other labels than the known ones"));
    }
    let cells = reader.packed(known.len() + 1)?;
    if cells.len() != known.len() + 1 || known.iter().zip(&cells).any(|(count, cell)| cell > count) {
        return Err(impossible("the cells of a reference do not fit its counts"));
    }
    Ok(CategoryReference { counts, cells })
}
