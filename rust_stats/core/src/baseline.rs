//! What the features of a model are compared with: a reference for each, in the order of the model.

use std::collections::HashMap;

use crate::categories::Categories;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::numeric::Range;
use crate::reference::Reference;
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u8 = 1;

/// How often each of the known labels came, and other ones and none.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryReference {
    counts: Categories,
    other: u64,
}

impl CategoryReference {
    /// The reference of counted labels. All labels that have an exact count become known ones, the most
    /// frequent first.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there are too many of them.
    pub fn of(counted: &Categories) -> Result<Self, Error> {
        let mut shares = counted.counts();
        shares.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let labels: Vec<&str> = shares.iter().map(|(label, _)| *label).collect();
        let mut counts = Categories::new(&labels, counted.capacity())?;
        for (label, count) in &shares {
            counts.add(label, *count);
        }
        counts.add_missing(counted.missing());
        Ok(Self { counts, other: counted.other().saturating_add(counted.oversized()) })
    }

    /// Number of values with a label that is not known.
    #[must_use]
    pub const fn other(&self) -> u64 {
        self.other
    }

    /// The counts of each known label, then of all other ones together.
    #[must_use]
    pub fn cells(&self) -> Vec<u64> {
        self.counts.known_counts().into_iter().chain([self.other]).collect()
    }

    /// The same cells of a later summary with these known labels.
    #[must_use]
    pub fn cells_of(later: &Categories) -> Vec<u64> {
        let known = later.known_counts();
        let in_known = known.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let other = later.total().saturating_sub(later.missing()).saturating_sub(in_known);
        known.into_iter().chain([other]).collect()
    }

    /// The counts of the reference itself, with its labels as the known ones.
    #[must_use]
    pub const fn counts(&self) -> &Categories {
        &self.counts
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
                    writer.count(reference.other);
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
        2 => Ok(Feature::Category(CategoryReference {
            counts: Categories::read(reader)?,
            other: reader.count()?,
        })),
        _ => Err(impossible("a feature is of no known sort")),
    }
}
