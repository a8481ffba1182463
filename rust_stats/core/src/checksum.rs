//! CRC-32C, the checksum at the end of every encoded summary.
//!
//! Source: Castagnoli, Bräuer and Herrmann, "Optimization of cyclic redundancy-check codes with 24 and 32
//! parity bits", IEEE Transactions on Communications 41 (1993); parameters as in RFC 3720, section 12.1. It
//! finds every error that is confined to 32 consecutive bits, so every changed byte, and any five flipped
//! bits within 655 bytes. It guards against accidents, not against an author who computes it anew.

/// The polynomial 0x1EDC6F41, least significant bit first.
const POLYNOMIAL: u32 = 0x82F6_3B78;

const TABLE: [u32; 256] = table();

/// The CRC-32C of `bytes`.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ entry(low ^ byte)
    })
}

#[expect(clippy::indexing_slicing, reason = "a byte is always below 256, the length of the table")]
fn entry(byte: u8) -> u32 {
    TABLE[usize::from(byte)]
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs at compile time, where a wrong index does not compile; the index is below 256"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
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
