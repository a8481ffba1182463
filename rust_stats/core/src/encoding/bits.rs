//! Counts of about the same size, packed by the bit.
//!
//! Exponential-Golomb codes of order k (Teuhola, "A compression method for clustered bit-vectors", Information
//! Processing Letters 7, 1978): with w = ⌊count / 2ᵏ⌋ + 1 of b binary digits, b − 1 zeros, then w, then the k
//! lowest digits of the count. Up to 2ᵏ − 1 takes k + 1 bits, ever more takes two bits a doubling.
//!
//! The order stands first, in a byte: the number of binary digits of the mean count. The last byte is filled
//! with zeros. The 67 counts of 64 bins take some 36 bytes at 300 values, some 90 at 30,000.

use super::impossible;
use crate::error::Error;

pub(super) fn pack(counts: &[u64]) -> Vec<u8> {
    let order = order_of(counts);
    let mut bits = Bits { bytes: vec![order], free: 0 };
    for count in counts {
        let whole = u128::from(count >> order) + 1;
        bits.write(0, digits(whole) - 1);
        bits.write(whole, digits(whole));
        bits.write(u128::from(*count), u32::from(order));
    }
    bits.bytes
}

/// Puts `length` counts from the start of `bytes` in the place of `counts`; gives how many bytes they took.
pub(super) fn unpack(bytes: &[u8], length: usize, counts: &mut Vec<u64>) -> Result<usize, Error> {
    let (order, rest) = bytes.split_first().ok_or(impossible("it ends too early"))?;
    if *order >= 64 {
        return Err(impossible("a count does not fit into 64 bits"));
    }
    let mut bits = Taken { bytes: rest, at: 0 };
    counts.clear();
    for _ in 0..length {
        counts.push(bits.next(u32::from(*order))?);
    }
    if order_of(counts) != *order || !bits.padded() {
        return Err(impossible("counts are not packed as they should be"));
    }
    Ok(1 + bits.at.div_ceil(8))
}

/// The number of binary digits of the mean count.
fn order_of(counts: &[u64]) -> u8 {
    let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    let mean = total / (counts.len() as u128).max(1);
    // Below 2⁶⁴, so at most 64; one less leaves room for the shift.
    u8::try_from(digits(mean)).unwrap_or(63).min(63)
}

const fn digits(number: u128) -> u32 {
    u128::BITS - number.leading_zeros()
}

struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are still free.
    free: u32,
}

impl Bits {
    /// The lowest `length` bits of `number`, highest first.
    fn write(&mut self, number: u128, length: u32) {
        for place in (0..length).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(number >> place & 1 == 1) << self.free;
            }
        }
    }
}

struct Taken<'bytes> {
    bytes: &'bytes [u8],
    /// Number of bits taken.
    at: usize,
}

impl Taken<'_> {
    fn next(&mut self, order: u32) -> Result<u64, Error> {
        match self.short(order) {
            Some(count) => Ok(count),
            None => self.count(order),
        }
    }

    /// The count if it takes no more bits than fit into a word, and the bytes do not end before the word does: as
    /// nearly all do. It reads what [`Taken::count`] reads, many times as fast.
    fn short(&mut self, order: u32) -> Option<u64> {
        let word = self.bytes.get(self.at / 8..)?.first_chunk()?;
        let used = u32::try_from(self.at % 8).ok()?;
        let bits = u64::from_be_bytes(*word) << used;
        let length = 2 * bits.leading_zeros() + 1 + order;
        if length > u64::BITS - used {
            return None;
        }
        self.at += usize::try_from(length).ok()?;
        Some((bits >> (u64::BITS - length)) - (1 << order))
    }

    fn bit(&mut self) -> Result<u64, Error> {
        let byte = self.bytes.get(self.at / 8).ok_or(impossible("it ends too early"))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(u64::from(bit))
    }

    fn number(&mut self, start: u128, length: u32) -> Result<u128, Error> {
        (0..length).try_fold(start, |number, _| Ok(number << 1 | u128::from(self.bit()?)))
    }

    fn count(&mut self, order: u32) -> Result<u64, Error> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 64 {
                return Err(impossible("a count does not fit into 64 bits"));
            }
        }
        let whole = self.number(1, zeros)? - 1;
        let count = self.number(whole, order)?;
        u64::try_from(count).map_err(|_| impossible("a count does not fit into 64 bits"))
    }

    fn padded(&self) -> bool {
        let last = self.bytes.get(self.at / 8).copied().unwrap_or_default();
        self.at.is_multiple_of(8) || last << (self.at % 8) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Taken, pack};

    fn unpack(bytes: &[u8], length: usize) -> Result<(Vec<u64>, usize), Error> {
        let mut counts = vec![7];
        super::unpack(bytes, length, &mut counts).map(|taken| (counts, taken))
    }

    #[test]
    fn counts_of_every_size_come_back() {
        let every: Vec<u64> = (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).collect();
        for counts in [vec![], vec![0; 9], vec![u64::MAX; 3], vec![0, u64::MAX], vec![1], every] {
            let bytes = pack(&counts);
            assert_eq!(unpack(&bytes, counts.len()), Ok((counts, bytes.len())));
        }
    }

    #[test]
    fn a_word_at_a_time_is_the_same_as_a_bit_at_a_time() {
        let bytes: Vec<u8> = (0..40_u8).map(|at| at.wrapping_mul(at).wrapping_mul(113) & at).collect();
        let mut compared = 0;
        for (at, order) in (0..bytes.len() * 8).flat_map(|at| (0..64).map(move |order| (at, order))) {
            let [mut words, mut bits] = [at, at].map(|at| Taken { bytes: &bytes, at });
            if let Some(count) = words.short(order) {
                assert_eq!((Ok(count), words.at), (bits.count(order), bits.at));
                compared += 1;
            }
        }
        assert!(compared > 1_000, "{compared}");
    }

    #[test]
    fn few_values_in_many_bins_take_half_a_byte_each() {
        let counts: Vec<u64> = (0..67).map(|bin| 3 + bin % 4).collect();
        assert!(pack(&counts).len() < 38);
    }

    #[test]
    fn another_packing_of_the_same_counts_is_refused() {
        let bytes = pack(&[5, 5, 6]);
        assert!(unpack(&[bytes[0] + 1, 0x55, 0x55, 0x55], 3).is_err());
        let last = bytes.len() - 1;
        let padded = [&bytes[..last], &[bytes[last] | 1]].concat();
        assert!(unpack(&padded, 3).is_err());
        assert!(unpack(&[64, 0xFF], 1).is_err());
        assert!(unpack(&[0; 12], 1).is_err());
        assert!(unpack(&[], 0).is_err());
    }
}
