//! The summary of a numeric feature: its head, its histogram on the baseline's bins, and on demand its
//! quantile sketch.

use crate::BLOCK;
use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;
use crate::histogram::Histogram;
use crate::moments::Moments;
use crate::quantiles::Quantiles;
use crate::reference::Reference;

/// The finite values that a feature may have, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// What is known of the values of one numeric feature.
#[derive(Debug, Clone, PartialEq)]
pub struct NumericSummary {
    moments: Moments,
    out_of_range: u64,
    histogram: Histogram,
    quantiles: Option<Quantiles>,
}

impl NumericSummary {
    pub(crate) fn empty(reference: &Reference, with_quantiles: bool) -> Self {
        Self {
            moments: Moments::EMPTY,
            out_of_range: 0,
            histogram: Histogram::empty(reference.bins(), reference.digest()),
            quantiles: with_quantiles.then(Quantiles::new),
        }
    }

    /// Adds values, of which those marked in `missing` are not there; `missing` is as long as they.
    pub(crate) fn add(
        &mut self,
        reference: &Reference,
        range: Option<Range>,
        values: &[f64],
        missing: Option<&[bool]>,
    ) {
        let masks = missing.map(|missing| missing.chunks(BLOCK)).into_iter().flatten();
        let masks = masks.map(Some).chain(std::iter::repeat(None));
        for (block, mask) in values.chunks(BLOCK).zip(masks) {
            let mask = mask.filter(|mask| mask.contains(&true));
            let moments = match mask {
                Some(mask) => Moments::of_present_in_block(block, mask),
                None => Moments::of(block),
            };
            self.histogram.add_block(reference.bins(), block, mask);
            self.moments = self.moments.merge(&moments);
            if let Some(range) = range.filter(|range| !range.holds(&moments)) {
                self.out_of_range = self.out_of_range.saturating_add(range.outside(block, mask));
            }
            if let Some(quantiles) = &mut self.quantiles {
                add_quantiles(quantiles, block, mask);
            }
        }
    }

    /// Whether [`NumericSummary::merge`] will add this one.
    pub(crate) fn check_mergeable(&self, other: &Self) -> Result<(), Error> {
        match (&self.quantiles, &other.quantiles) {
            (Some(quantiles), Some(others)) => quantiles.check_mergeable(others),
            _ => Ok(()),
        }
    }

    /// Adds a summary that is on the same reference and has quantiles if this one has.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if let (Some(quantiles), Some(others)) = (&mut self.quantiles, &other.quantiles) {
            quantiles.merge(others)?;
        }
        self.moments = self.moments.merge(&other.moments);
        self.out_of_range = self.out_of_range.saturating_add(other.out_of_range);
        self.histogram.add_counts(&other.histogram);
        Ok(())
    }

    /// Counts, mean, variance, shape and extremes.
    #[must_use]
    pub const fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Number of finite values outside the range that the baseline gives, zero without one.
    #[must_use]
    pub const fn out_of_range(&self) -> u64 {
        self.out_of_range
    }

    /// Counts on the reference's bins.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The quantile sketch, if one was asked for.
    #[must_use]
    pub const fn quantiles(&self) -> Option<&Quantiles> {
        self.quantiles.as_ref()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.moments.write(writer);
        writer.count(self.out_of_range);
        writer.packed(self.histogram.counts());
        if let Some(quantiles) = &self.quantiles {
            quantiles.write(writer);
        }
    }

    /// Reads a summary on the same reference in the place of its own, with quantiles if this one has.
    pub(crate) fn reread(&mut self, reader: &mut Reader<'_>, with_range: bool) -> Result<(), Error> {
        let Self { moments, out_of_range, histogram, quantiles } = self;
        *moments = Moments::read(reader)?;
        *out_of_range = reader.count()?;
        histogram.reread(reader)?;
        if let Some(quantiles) = quantiles {
            *quantiles = Quantiles::read(reader)?;
        }
        let missing = moments.missing().saturating_add(moments.nan());
        if histogram.total() != moments.total() || histogram.missing() != missing {
            return Err(impossible("the counts of a feature do not fit its moments"));
        }
        if *out_of_range > moments.count() || *out_of_range > 0 && !with_range {
            return Err(impossible("more values are out of range than there can be"));
        }
        let ordered = moments.count().saturating_add(moments.infinite());
        if quantiles.as_ref().is_some_and(|quantiles| quantiles.count() != ordered) {
            return Err(impossible("a quantile sketch has not the values that there are"));
        }
        Ok(())
    }
}

impl Range {
    /// The range from `low` to `high`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `low` is at most `high`; infinities leave an end open.
    pub fn new(low: f64, high: f64) -> Result<Self, Error> {
        if low <= high {
            Ok(Self { low, high })
        } else {
            Err(Error::argument(
                "range",
                format!("must be (low, high) with low <= high, not ({low:?}, {high:?})"),
            ))
        }
    }

    /// Whether no finite value of these can be outside.
    fn holds(self, moments: &Moments) -> bool {
        moments.minimum().is_none_or(|minimum| self.low <= minimum)
            && moments.maximum().is_none_or(|maximum| maximum <= self.high)
    }

    fn outside(self, values: &[f64], missing: Option<&[bool]>) -> u64 {
        let masks = missing.unwrap_or_default().iter().copied().chain(std::iter::repeat(false));
        let outside = |value: f64| value.is_finite() && !(self.low <= value && value <= self.high);
        values.iter().zip(masks).map(|(value, missing)| u64::from(!missing && outside(*value))).sum()
    }
}

fn add_quantiles(quantiles: &mut Quantiles, values: &[f64], missing: Option<&[bool]>) {
    match missing {
        None => quantiles.update(values),
        Some(missing) => {
            for (value, _) in values.iter().zip(missing).filter(|(_, missing)| !**missing) {
                quantiles.add(*value);
            }
        }
    }
}
