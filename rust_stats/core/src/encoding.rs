//! How a summary travels: the envelope that every statistic shares.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | the mark `ES` |
//! | 1 | kind: which statistic |
//! | 1 | version of that statistic's layout |
//! | any | the payload, laid out by the statistic |
//! | 4 | CRC-32C of all that is before it, least significant byte first |
//!
//! Counts are LEB128: seven bits a byte, least significant first, the top bit set on all but the last.
//! Numbers are IEEE 754 binary64, ratios binary32, least significant byte first. Bytes and texts (UTF-8) have
//! their length as a count before them. Each summary has exactly one
//! encoding, so equal bytes mean equal summaries.

mod bits;

use crate::checksum::crc32c;
use crate::error::Error;

const MARK: &[u8] = b"ES";

const ENDS_EARLY: Error = impossible("it ends too early");

/// Which statistic some bytes hold. A number is given once and never reused.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    Moments = 1,
    Histogram = 2,
    Reference = 3,
    Profile = 4,
    Quantiles = 5,
    Categories = 6,
    Latency = 7,
    DriftEvidence = 8,
    MeanSequence = 9,
    RateSequence = 10,
    BoundedMeanSequence = 11,
    Adwin = 12,
    PageHinkley = 13,
    Kswin = 14,
    Ddm = 15,
    PcaReference = 16,
    MmdReference = 17,
    PerformanceEstimator = 18,
    LossEstimator = 19,
    DistinctCount = 20,
    Baseline = 22,
    DriftWatch = 23,
}

/// Builds an encoding.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(kind: Kind, version: u8) -> Self {
        let mut bytes = MARK.to_vec();
        bytes.extend([kind as u8, version]);
        Self { bytes }
    }

    pub(crate) fn count(&mut self, count: u64) {
        let mut rest = count;
        while rest > 0x7F {
            self.bytes.push(0x80 | low_seven_bits(rest));
            rest >>= 7;
        }
        self.bytes.push(low_seven_bits(rest));
    }

    /// Counts of which most are zero, at most eight: a byte that marks those that are not, then those.
    pub(crate) fn sparse<const N: usize>(&mut self, counts: [u64; N]) {
        let mark = counts.iter().rev().fold(0_u8, |mark, count| mark << 1 | u8::from(*count != 0));
        self.bytes.push(mark);
        for count in counts.into_iter().filter(|count| *count != 0) {
            self.count(count);
        }
    }

    pub(crate) fn number(&mut self, number: f64) {
        self.bytes.extend(number.to_le_bytes());
    }

    pub(crate) fn digest(&mut self, digest: u64) {
        self.bytes.extend(digest.to_le_bytes());
    }

    pub(crate) fn ratio(&mut self, ratio: f32) {
        self.bytes.extend(ratio.to_le_bytes());
    }

    /// Several counts of about the same size, see `bits.rs`, after how many they are.
    pub(crate) fn packed(&mut self, counts: &[u64]) {
        self.count(counts.len() as u64);
        self.bytes.extend(bits::pack(counts));
    }

    /// What has been written since the envelope's head.
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes.get(MARK.len() + 2..).unwrap_or_default()
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    pub(crate) fn seal(mut self) -> Vec<u8> {
        self.bytes.extend(crc32c(&self.bytes).to_le_bytes());
        self.bytes
    }
}

/// Takes an encoding apart, in the order in which it was written.
pub(crate) struct Reader<'bytes> {
    rest: &'bytes [u8],
}

impl<'bytes> Reader<'bytes> {
    /// Checks the envelope and gives the payload to read.
    pub(crate) fn open(bytes: &'bytes [u8], kind: Kind, version: u8) -> Result<Self, Error> {
        if !bytes.starts_with(MARK) {
            return Err(Error::Foreign);
        }
        let (content, checksum) = bytes.split_last_chunk().ok_or(Error::Damaged)?;
        if crc32c(content) != u32::from_le_bytes(*checksum) {
            return Err(Error::Damaged);
        }
        let [_, _, found_kind, found_version, rest @ ..] = content else {
            return Err(Error::Damaged);
        };
        if *found_kind != kind as u8 {
            return Err(Error::OtherKind { expected: kind as u8, found: *found_kind });
        }
        if *found_version != version {
            return Err(Error::OtherVersion { readable: version, found: *found_version });
        }
        Ok(Self { rest })
    }

    pub(crate) fn count(&mut self) -> Result<u64, Error> {
        const NOT_MINIMAL: Error = impossible("a count is not written in its shortest form");
        if let [byte @ ..=0x7F, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut count = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.take()?;
            let bits = u64::from(byte & 0x7F);
            if (bits << shift) >> shift != bits {
                return Err(impossible("a count does not fit into 64 bits"));
            }
            count |= bits << shift;
            if byte & 0x80 == 0 {
                let minimal = bits != 0 || shift == 0;
                return if minimal { Ok(count) } else { Err(NOT_MINIMAL) };
            }
        }
        Err(NOT_MINIMAL)
    }

    pub(crate) fn sparse<const N: usize>(&mut self) -> Result<[u64; N], Error> {
        let [mark] = self.take()?;
        if u32::from(mark) >> N != 0 {
            return Err(impossible("it marks a count that there is not"));
        }
        let mut counts = [0; N];
        for (_, count) in counts.iter_mut().enumerate().filter(|(place, _)| mark >> place & 1 == 1) {
            *count = self.count()?;
            if *count == 0 {
                return Err(impossible("a count is marked but zero"));
            }
        }
        Ok(counts)
    }

    pub(crate) fn number(&mut self) -> Result<f64, Error> {
        self.take().map(f64::from_le_bytes)
    }

    pub(crate) fn digest(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }

    pub(crate) fn ratio(&mut self) -> Result<f32, Error> {
        self.take().map(f32::from_le_bytes)
    }

    /// At most so many packed counts.
    pub(crate) fn packed(&mut self, most: usize) -> Result<Vec<u64>, Error> {
        let mut counts = Vec::new();
        self.packed_into(&mut counts, most)?;
        Ok(counts)
    }

    /// At most so many packed counts, in the place of `counts`.
    pub(crate) fn packed_into(&mut self, counts: &mut Vec<u64>, most: usize) -> Result<(), Error> {
        let length = self.length()?;
        if length > most {
            return Err(impossible("it has more counts than it can have"));
        }
        let taken = bits::unpack(self.rest, length, counts)?;
        self.rest = self.rest.get(taken..).unwrap_or_default();
        Ok(())
    }

    /// How many things follow. Each takes a bit at least, so that no few bytes can claim many.
    pub(crate) fn length(&mut self) -> Result<usize, Error> {
        let length = self.count()?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.rest.len().saturating_mul(8))
            .ok_or(impossible("it says to have more than it is long"))
    }

    pub(crate) fn blob(&mut self) -> Result<&'bytes [u8], Error> {
        let length = self.count()?;
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (blob, rest) = split.ok_or(ENDS_EARLY)?;
        self.rest = rest;
        Ok(blob)
    }

    pub(crate) fn text(&mut self) -> Result<&'bytes str, Error> {
        str::from_utf8(self.blob()?).map_err(|_| impossible("a text is not UTF-8"))
    }

    /// Refuses a payload that goes on.
    pub(crate) fn close(self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(impossible("something follows its end")) }
    }

    fn take<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Error> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(ENDS_EARLY);
        };
        self.rest = rest;
        Ok(*taken)
    }
}

pub(crate) const fn impossible(because: &'static str) -> Error {
    Error::Impossible { because }
}

fn low_seven_bits(number: u64) -> u8 {
    (number & 0x7F) as u8
}

#[cfg(test)]
mod tests {
    use super::{Error, Kind, Reader, Writer, impossible};

    fn sealed(payload: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Moments, 1);
        writer.bytes.extend(payload);
        writer.seal()
    }

    fn count_in(payload: &[u8]) -> Result<u64, Error> {
        Reader::open(&sealed(payload), Kind::Moments, 1)?.count()
    }

    #[test]
    fn counts_of_every_size_come_back() {
        let sizes = (0..u64::BITS).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for count in sizes.chain([u64::MAX]) {
            let mut writer = Writer::new(Kind::Moments, 1);
            writer.count(count);
            let bytes = writer.seal();
            let mut reader = Reader::open(&bytes, Kind::Moments, 1).unwrap();
            assert_eq!(reader.count(), Ok(count));
            assert_eq!(reader.close(), Ok(()));
        }
    }

    #[test]
    fn a_count_in_a_longer_form_than_needed_is_refused() {
        let refusal = Err(impossible("a count is not written in its shortest form"));
        assert_eq!(count_in(&[0x80, 0x00]), refusal);
        assert_eq!(count_in(&[0x80; 11]), refusal);
    }

    #[test]
    fn a_count_beyond_64_bits_is_refused() {
        let bytes = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        let refusal = Err(impossible("a count does not fit into 64 bits"));
        assert_eq!(count_in(&bytes), refusal);
    }

    #[test]
    fn a_payload_that_ends_early_or_goes_on_is_refused() {
        assert_eq!(count_in(&[]), Err(impossible("it ends too early")));
        let bytes = sealed(&[7, 7]);
        let mut reader = Reader::open(&bytes, Kind::Moments, 1).unwrap();
        assert_eq!(reader.count(), Ok(7));
        assert_eq!(reader.close(), Err(impossible("something follows its end")));
    }

    #[test]
    fn another_statistic_is_named() {
        let mut writer = Writer::new(Kind::Moments, 1);
        writer.bytes[2] = 9;
        let refusal = Error::OtherKind { expected: 1, found: 9 };
        assert_eq!(Reader::open(&writer.seal(), Kind::Moments, 1).err(), Some(refusal));
    }

    #[test]
    fn another_version_is_named() {
        let bytes = Writer::new(Kind::Moments, 2).seal();
        let refusal = Error::OtherVersion { readable: 1, found: 2 };
        assert_eq!(Reader::open(&bytes, Kind::Moments, 1).err(), Some(refusal));
    }
}
