//! The bytes of an `hll_sketch` of Apache DataSketches, read whatever its type and written in one form.
//!
//! Few texts are a list of coupons, each the number of a register in 26 bits and a value in 6. Many are the
//! registers themselves, of 4, 6 or 8 bits. Which of the two follows from the number of coupons alone.

use datasketches::hll::HllSketch;

use crate::encoding::impossible;
use crate::error::Error;

const PREAMBLE: usize = 8;
const REGISTERS_AT: usize = 40;
const VERSION: u8 = 1;
const FAMILY: u8 = 7;
const LARGEST_VALUE: u8 = 63;
const SLOT_BITS: u32 = 26;

/// Flags of the sixth byte.
const EMPTY: u8 = 4;
const COMPACT: u8 = 8;
const OUT_OF_ORDER: u8 = 16;

/// What the last byte of the preamble says of the form, in bits 0 and 1.
const LIST: u8 = 0;
const SET: u8 = 1;
const REGISTERS: u8 = 2;
/// And of the target type, in bits 2 and 3.
const EIGHT_BITS: u8 = 2 << 2;

/// Coupons up to here are a list.
const LONGEST_LIST: usize = 7;

/// All that a sketch knows.
pub(super) struct Seen {
    lg_k: u8,
    form: Form,
}

enum Form {
    /// Ascending, without repeats.
    Coupons(Vec<u32>),
    Registers(Vec<u8>),
}

impl Seen {
    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let Some(([_, version, FAMILY, lg_k, lg_slots, flags, state, mode], rest)) =
            bytes.split_first_chunk::<PREAMBLE>()
        else {
            return Err(Error::Foreign);
        };
        if *version != VERSION {
            return Err(Error::OtherVersion { readable: VERSION, found: *version });
        }
        if !(4..=21).contains(lg_k) || *mode > 15 {
            return Err(impossible("it has no possible number or form of registers"));
        }
        let compact = flags & COMPACT != 0;
        let form = match mode & 3 {
            LIST => {
                let slots = if compact { usize::from(*state) } else { 8 };
                let slots = if flags & EMPTY == 0 { slots } else { 0 };
                Form::Coupons(coupons(rest, slots, usize::from(*state))?)
            }
            SET => {
                let (count, rest) = rest.split_first_chunk().ok_or(TOO_SHORT)?;
                let count = u32::from_le_bytes(*count) as usize;
                let slots = if compact { Some(count) } else { 1_usize.checked_shl(u32::from(*lg_slots)) };
                Form::Coupons(coupons(rest, slots.ok_or(TOO_SHORT)?, count)?)
            }
            REGISTERS => {
                let (header, rest) = rest.split_at_checked(REGISTERS_AT - PREAMBLE).ok_or(TOO_SHORT)?;
                let exceptions = header.last_chunk().copied().map_or(0, u32::from_le_bytes) as usize;
                let registers = match mode >> 2 {
                    0 => four_bits(rest, *lg_k, *state, if compact { exceptions } else { usize::MAX })?,
                    1 => six_bits(rest, *lg_k)?,
                    2 => rest.get(..1 << lg_k).ok_or(TOO_SHORT)?.to_vec(),
                    _ => return Err(impossible("it has no possible number or form of registers")),
                };
                if registers.iter().any(|value| *value > LARGEST_VALUE) {
                    return Err(impossible("a register is beyond any hash"));
                }
                Form::Registers(registers)
            }
            _ => return Err(impossible("it has no possible number or form of registers")),
        };
        Ok(Self { lg_k: *lg_k, form }.settled())
    }

    /// The one form of it as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let lg_k = self.lg_k;
        match &self.form {
            Form::Coupons(coupons) => {
                let count = u32::try_from(coupons.len()).unwrap_or(u32::MAX);
                let mut bytes = if coupons.len() <= LONGEST_LIST {
                    let flags = if coupons.is_empty() { EMPTY | COMPACT } else { COMPACT };
                    let [state, ..] = count.to_le_bytes();
                    vec![2, VERSION, FAMILY, lg_k, 3, flags, state, LIST | EIGHT_BITS]
                } else {
                    let mut bytes =
                        vec![3, VERSION, FAMILY, lg_k, lg_slots(coupons.len()), COMPACT, 0, SET | EIGHT_BITS];
                    bytes.extend(count.to_le_bytes());
                    bytes
                };
                bytes.extend(coupons.iter().flat_map(|coupon| coupon.to_le_bytes()));
                bytes
            }
            Form::Registers(registers) => {
                let mut bytes = vec![10, VERSION, FAMILY, lg_k, 0, OUT_OF_ORDER, 0, REGISTERS | EIGHT_BITS];
                let [upper, lower] = inverse_powers(registers);
                for number in [0.0, upper, lower] {
                    bytes.extend(number.to_le_bytes());
                }
                let zeros = registers.iter().map(|value| u32::from(*value == 0)).sum::<u32>();
                bytes.extend(zeros.to_le_bytes());
                bytes.extend(0_u32.to_le_bytes());
                bytes.extend(registers);
                bytes
            }
        }
    }

    pub(super) fn sketch(&self) -> Result<HllSketch, Error> {
        HllSketch::deserialize(&self.to_bytes()).map_err(|_| impossible("they are no whole HLL sketch"))
    }

    /// Makes registers of more coupons than a sketch with so many registers lists.
    fn settled(self) -> Self {
        let Form::Coupons(coupons) = &self.form else {
            return self;
        };
        let listed = if self.lg_k < 8 { LONGEST_LIST } else { 3 << (self.lg_k - 5) };
        if coupons.len() <= listed {
            return self;
        }
        let mut registers = vec![0; 1 << self.lg_k];
        let slots = (1_u32 << self.lg_k) - 1;
        for coupon in coupons {
            if let Some(register) = registers.get_mut((coupon & slots) as usize) {
                *register = value_of(*coupon).max(*register);
            }
        }
        Self { form: Form::Registers(registers), ..self }
    }
}

const TOO_SHORT: Error = impossible("it ends too early");

/// The coupons in so many slots, of which `count` are taken.
fn coupons(bytes: &[u8], slots: usize, count: usize) -> Result<Vec<u32>, Error> {
    let (slots, _) = bytes.as_chunks::<4>().0.split_at_checked(slots).ok_or(TOO_SHORT)?;
    let mut coupons: Vec<u32> =
        slots.iter().map(|slot| u32::from_le_bytes(*slot)).filter(|coupon| *coupon != 0).collect();
    coupons.sort_unstable();
    coupons.dedup();
    if coupons.len() != count {
        return Err(impossible("it has repeated or missing coupons"));
    }
    if coupons.iter().any(|coupon| value_of(*coupon) == 0) {
        return Err(impossible("a coupon has no value"));
    }
    Ok(coupons)
}

fn value_of(coupon: u32) -> u8 {
    (coupon >> SLOT_BITS) as u8
}

/// Two registers a byte, the lower first, each less by `base`; 15 stands for a coupon that follows.
fn four_bits(bytes: &[u8], lg_k: u8, base: u8, exceptions: usize) -> Result<Vec<u8>, Error> {
    const EXCEPTION: u8 = 15;
    let (packed, rest) = bytes.split_at_checked(1 << (lg_k - 1)).ok_or(TOO_SHORT)?;
    let nibbles = packed.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    let mut registers: Vec<u8> = nibbles
        .map(|nibble| if nibble == EXCEPTION { u8::MAX } else { nibble.saturating_add(base) })
        .collect();
    let slots = (1_u32 << lg_k) - 1;
    let least = base.saturating_add(EXCEPTION);
    for slot in rest.as_chunks::<4>().0.iter().take(exceptions) {
        let coupon = u32::from_le_bytes(*slot);
        if coupon == 0 {
            continue;
        }
        let register = registers.get_mut((coupon & slots) as usize);
        let register = register.filter(|register| **register == u8::MAX && value_of(coupon) >= least);
        *register.ok_or(impossible("a coupon is of a register that needs none"))? = value_of(coupon);
    }
    Ok(registers)
}

/// Registers of six bits one after the other, the least significant bits first.
fn six_bits(bytes: &[u8], lg_k: u8) -> Result<Vec<u8>, Error> {
    let packed = bytes.get(..(3 << lg_k) / 4).ok_or(TOO_SHORT)?;
    let fours = packed
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|[a, b, c]| [a & 63, (a >> 6) | (b & 15) << 2, (b >> 4) | (c & 3) << 4, c >> 2]);
    Ok(fours.collect())
}

/// The sums of 2^-value over the registers with values below 32, and over the others. Both are exact, since a
/// double has the digits for 2²¹ times 2⁻³¹ as well as for one.
fn inverse_powers(registers: &[u8]) -> [f64; 2] {
    registers.iter().fold([0.0, 0.0], |[upper, lower], value| {
        let term = f64::from_bits((1023 - u64::from(*value)) << 52);
        if *value < 32 { [upper + term, lower] } else { [upper, lower + term] }
    })
}

/// Base-2 logarithm of the slots of a set: at least 32, of which at most three quarters are taken.
fn lg_slots(coupons: usize) -> u8 {
    let slots = (coupons * 4).div_ceil(3).next_power_of_two().max(32);
    u8::try_from(slots.ilog2()).unwrap_or(u8::MAX)
}
