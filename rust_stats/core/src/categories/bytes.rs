//! The bytes of counted labels.

use super::{Beyond, Categories};
use crate::distinct::DistinctCount;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;

const VERSION: u8 = 1;

impl Categories {
    /// The summary as bytes with a version and a checksum: the labels themselves with 2 to 3 bytes for each
    /// count, and 1 KiB more once labels had to be dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Categories, VERSION);
        self.write(&mut writer);
        writer.seal()
    }

    /// The summary that [`Categories::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::Categories, VERSION)?;
        let categories = Self::read(&mut reader)?;
        reader.close()?;
        Ok(categories)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.capacity as u64);
        writer.count(self.known.len() as u64);
        for counted in self.known.iter() {
            writer.text(&counted.label);
        }
        self.write_counts(writer);
    }

    /// What is left where the capacity and the known labels are those of a baseline that the reader has.
    pub(crate) fn write_counts(&self, writer: &mut Writer) {
        writer.packed(&self.known_counts());
        writer.sparse([self.missing, self.oversized]);
        writer.count(self.others.len() as u64);
        for counted in self.others.by_label() {
            writer.text(&counted.label);
            writer.count(counted.count);
        }
        // Nothing is dropped without an error, so zero says that nothing was.
        writer.count(self.error());
        if let Some(beyond) = &self.beyond {
            writer.count(beyond.removed);
            beyond.distinct.write(writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let capacity = usize::try_from(reader.count()?).unwrap_or(usize::MAX);
        let known = (0..reader.length()?).map(|_| reader.text()).collect::<Result<Vec<_>, _>>()?;
        let empty = Self::new(&known, capacity);
        empty.map_err(|_| impossible("its capacity or known labels are not possible"))?.read_counts(reader)
    }

    /// What [`Categories::write_counts`] wrote, with the capacity and the known labels of this one.
    pub(crate) fn read_counts(&self, reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut read = self.empty_like();
        let counts = reader.packed(self.known.len())?;
        if counts.len() != read.known.len() {
            return Err(impossible("it has not a count for each known label"));
        }
        for (label, count) in self.known().zip(counts) {
            read.known.add_present(label, count);
        }
        [read.missing, read.oversized] = reader.sparse()?;
        read.read_others(reader)?;
        read.read_beyond(reader)?;
        let removed = read.beyond.as_ref().map_or(0, |beyond| beyond.removed);
        let counts = read.known.iter().chain(read.others.iter()).map(|counted| counted.count);
        let mut parts = counts.chain([read.missing, read.oversized, removed]);
        let total = parts.try_fold(0_u64, u64::checked_add);
        drop(parts);
        read.total = total.ok_or(impossible("there are more than 2^64 values"))?;
        Ok(read)
    }

    fn read_others(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let mut previous = None;
        for _ in 0..reader.count()? {
            let (label, count) = (label(reader)?, reader.count()?);
            if previous.is_some_and(|previous| previous >= label) {
                return Err(impossible("its labels are not in order"));
            }
            if count == 0 || self.known.contains(label) {
                return Err(impossible("a label has no place among the others"));
            }
            if self.others.len() == self.capacity {
                return Err(impossible("there are more labels than its capacity"));
            }
            self.others.add(label, count);
            previous = Some(label);
        }
        Ok(())
    }

    fn read_beyond(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let error = reader.count()?;
        if error == 0 {
            return Ok(());
        }
        let removed = reader.count()?;
        let distinct = DistinctCount::read(reader)?;
        let losers = self.capacity as u64 / 2 + 1;
        if error.checked_mul(losers).is_none_or(|least| removed < least) {
            return Err(impossible("its error is larger than what was taken from counts allows"));
        }
        if distinct.lg_k() != Beyond::LG_K || distinct.is_empty() {
            return Err(impossible("its labels are not counted as they should be"));
        }
        self.beyond = Some(Beyond { removed, error, distinct });
        Ok(())
    }
}

fn label<'bytes>(reader: &mut Reader<'bytes>) -> Result<&'bytes str, Error> {
    let label = reader.text()?;
    if label.len() > Categories::LONGEST_LABEL {
        return Err(impossible("a label is too long"));
    }
    Ok(label)
}

#[cfg(test)]
mod tests {
    use super::Categories;

    #[test]
    fn bytes_do_not_depend_on_the_order_of_labels() {
        let mut there = Categories::new(&["b", ""], 4).unwrap();
        let mut back = there.clone();
        let labels = ["", "\u{e9}", "e\u{301}", "b", "a", "a"];
        for label in labels {
            there.add(label, 1);
        }
        for label in labels.iter().rev() {
            back.add(label, 1);
        }
        assert_eq!(there.to_bytes(), back.to_bytes());
        let read = Categories::from_bytes(&there.to_bytes()).unwrap();
        assert_eq!(read, there);
        assert_eq!(read.counts().len(), 5);
    }
}
