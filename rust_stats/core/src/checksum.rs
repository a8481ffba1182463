//! CRC-32C, the checksum at the end of every encoded summary.
//!
//! Source: Castagnoli, Bräuer and Herrmann, "Optimization of cyclic redundancy-check codes with 24 and 32
//! parity bits", IEEE Transactions on Communications 41 (1993); parameters as in RFC 3720, section 12.1. It
//! finds every error that is confined to 32 consecutive bits, so every changed byte, and any five flipped
//! bits within 655 bytes. It guards against accidents, not against an author who computes it anew.

/// The polynomial 0x1EDC6F41, least significant bit first.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// What a byte adds that has as many bytes behind it as the place of the table says.
static TABLES: [[u32; 256]; 8] = tables();

/// The CRC-32C of `bytes`, eight at a time (Kounavis and Berry, "A systematic approach to building high performance
/// software-based CRC generators", ISCC 2005).
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(!0_u32, |crc, eight| {
        // What the checksum is so far goes into the first four.
        let eight = (u64::from_le_bytes(*eight) ^ u64::from(crc)).to_le_bytes();
        (0..8).rev().zip(eight).fold(0, |crc, (behind, byte)| crc ^ entry(behind, byte))
    });
    !rest.iter().fold(crc, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ entry(0, low ^ byte)
    })
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte is always below 256, and there are eight tables")]
fn entry(behind: usize, byte: u8) -> u32 {
    TABLES[behind][usize::from(byte)]
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs at compile time, where a wrong index does not compile; the index is below 256"
)]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        tables[0][index] = crc;
        index += 1;
    }
    let mut behind = 1;
    while behind < tables.len() {
        let mut index = 0;
        while index < 256 {
            let crc = tables[behind - 1][index];
            tables[behind][index] = (crc >> 8) ^ tables[0][(crc & 0xFF) as usize];
            index += 1;
        }
        behind += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn agrees_with_the_published_values() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
    }
}
