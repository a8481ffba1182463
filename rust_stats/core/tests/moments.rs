//! What moments promise, by example.
#![expect(clippy::cast_precision_loss, reason = "the counts of tests are small")]

use edge_aiops_stats_core::{BLOCK, Error, Moments};

fn assert_close(found: Option<f64>, expected: f64) {
    let close = found.is_some_and(|found| (found - expected).abs() <= 1e-13 * expected.abs());
    assert!(close, "{found:?} instead of {expected}");
}

#[test]
fn no_values_have_counts_and_nothing_else() {
    let empty = Moments::of(&[]);
    assert_eq!(empty, Moments::EMPTY);
    assert_eq!(empty, Moments::default());
    assert_eq!(empty.total(), 0);
    let described = [empty.mean(), empty.variance(), empty.minimum(), empty.maximum()];
    assert_eq!(described, [None; 4]);
}

#[test]
fn one_value_has_a_mean_but_no_variance() {
    let one = Moments::of(&[-7.5]);
    assert_eq!([one.mean(), one.minimum(), one.maximum()], [Some(-7.5); 3]);
    assert_eq!((one.variance(), one.standard_deviation()), (None, None));
}

#[test]
fn two_values_have_the_unbiased_variance() {
    let two = Moments::of(&[1.0, 4.0]);
    assert_eq!(two.variance(), Some(4.5));
    assert_eq!(two.standard_deviation(), Some(4.5_f64.sqrt()));
}

#[test]
fn every_length_around_the_lanes_and_blocks_is_right() {
    for n in (1..40).chain(BLOCK - 9..BLOCK + 9).chain([3 * BLOCK]) {
        let values: Vec<f64> = (1..=n).map(|value| value as f64).collect();
        let moments = Moments::of(&values);
        assert_eq!(moments.count(), n as u64);
        let n = n as f64;
        assert_close(moments.mean(), f64::midpoint(1.0, n));
        assert_eq!((moments.minimum(), moments.maximum()), (Some(1.0), Some(n)));
        if n > 1.0 {
            assert_close(moments.variance(), n * (n + 1.0) / 12.0);
        }
    }
}

#[test]
fn a_constant_is_its_own_mean_without_variance() {
    let moments = Moments::of(&vec![0.1; 3 * BLOCK + 5]);
    assert_eq!(moments.mean(), Some(0.1));
    assert_eq!(moments.variance(), Some(0.0));
}

#[test]
fn a_large_offset_costs_the_variance_no_digits() {
    let offset: Vec<f64> = (0..100_000).map(|i| 1e9 + f64::from(i % 4)).collect();
    let moments = Moments::of(&offset);
    assert_close(moments.mean(), 1e9 + 1.5);
    assert_close(moments.variance(), 1.25 * 100_000.0 / 99_999.0);
}

#[test]
fn merging_many_parts_at_a_large_offset_costs_the_variance_no_digits() {
    // The mean of seven values is one that no f64 holds.
    let values: Vec<f64> = (0..70_000).map(|i| 1e9 + f64::from(i % 5) / 1024.0).collect();
    let merged = values.chunks(7).map(Moments::of).reduce(|a, b| a.merge(&b)).unwrap();
    assert_close(merged.variance(), 2.0 * 70_000.0 / 69_999.0 / 1024.0 / 1024.0);
}

#[test]
fn nan_and_infinities_are_counted_and_do_not_poison() {
    let mut values = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN];
    values.extend([1.0, 2.0, 3.0]);
    let moments = Moments::of(&values);
    assert_eq!((moments.count(), moments.nan(), moments.infinite()), (3, 2, 2));
    assert_eq!(moments.total(), 7);
    assert_eq!((moments.mean(), moments.variance()), (Some(2.0), Some(1.0)));
    assert_eq!((moments.minimum(), moments.maximum()), (Some(1.0), Some(3.0)));
}

#[test]
fn only_nan_leaves_nothing_to_describe() {
    let moments = Moments::of(&vec![f64::NAN; 2 * BLOCK]);
    assert_eq!(moments.nan(), 2 * BLOCK as u64);
    assert_eq!((moments.count(), moments.mean()), (0, None));
}

#[test]
fn what_is_missing_is_nothing_else() {
    let values = [f64::NAN, f64::INFINITY, -999.0, 5.0];
    let moments = Moments::of_present(&values, &[true, true, true, false]).unwrap();
    assert_eq!((moments.missing(), moments.nan(), moments.infinite()), (3, 0, 0));
    assert_eq!((moments.count(), moments.mean()), (1, Some(5.0)));
}

#[test]
fn a_mask_that_marks_nothing_changes_nothing() {
    let values: Vec<f64> = (0..3000).map(f64::from).collect();
    let masked = Moments::of_present(&values, &[false; 3000]);
    assert_eq!(masked, Ok(Moments::of(&values)));
}

#[test]
fn a_mask_of_another_length_is_refused() {
    let refusal = Error::LengthsDiffer { values: 2, missing: 1 };
    assert_eq!(Moments::of_present(&[1.0, 2.0], &[true]), Err(refusal));
}

#[test]
fn a_mean_near_the_largest_number_does_not_overflow() {
    let same = Moments::of(&vec![f64::MAX; 5000]);
    assert_eq!((same.mean(), same.variance()), (Some(f64::MAX), Some(0.0)));
    let falling: Vec<f64> = (0..4096).map(|i| f64::MAX * (1.0 - f64::from(i) / 8192.0)).collect();
    let falling = Moments::of(&falling);
    assert_close(falling.mean(), f64::MAX * (1.0 - 4095.0 / 16384.0));
    assert_eq!(falling.variance(), Some(f64::INFINITY));
}

#[test]
fn opposite_extremes_have_a_finite_mean_and_an_infinite_variance() {
    let whole = Moments::of(&[f64::MAX, -f64::MAX, f64::MAX, -f64::MAX]);
    let merged = Moments::of(&[f64::MAX, f64::MAX]).merge(&Moments::of(&[-f64::MAX, -f64::MAX]));
    for moments in [whole, merged] {
        assert_eq!(moments.mean(), Some(0.0));
        assert_eq!(moments.variance(), Some(f64::INFINITY));
        assert_eq!(moments.merge(&moments).mean(), Some(0.0));
    }
}

#[test]
fn the_smallest_numbers_are_told_apart() {
    let tiny = f64::from_bits(1);
    let moments = Moments::of(&[tiny, 3.0 * tiny]);
    assert_eq!(moments.mean(), Some(2.0 * tiny));
    assert_eq!((moments.minimum(), moments.maximum()), (Some(tiny), Some(3.0 * tiny)));
}

#[test]
fn negative_zero_counts_as_zero() {
    assert_eq!(Moments::of(&[-0.0, -0.0]).to_bytes(), Moments::of(&[0.0, 0.0]).to_bytes());
    assert_eq!(Moments::of(&[-0.0, 1.0]).to_bytes(), Moments::of(&[1.0, 0.0]).to_bytes());
}

#[test]
fn blocks_merged_in_order_are_the_whole_bit_for_bit() {
    let values: Vec<f64> = (0..5 * BLOCK + 77).map(|i| (i as f64).sin() * 1e6).collect();
    let merged =
        values.chunks(BLOCK).map(Moments::of).fold(Moments::EMPTY, |so_far, block| so_far.merge(&block));
    assert_eq!(merged.to_bytes(), Moments::of(&values).to_bytes());
}

/// Bytes once written are read for ever: these may never change.
#[test]
fn the_layout_stays_as_it_is() {
    let values = [1.0, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY, 0.0];
    let written = Moments::of_present(&values, &[false, false, false, false, true]).unwrap();
    let layout = [
        &b"ES\x01\x02"[..],
        b"\x02",                   // count
        b"\x07\x01\x01\x01",       // three of the other counts are not zero: missing, NaN, infinite
        b"\0\0\0\0\0\0\xF0\x3F",   // mean, rounded to 1
        b"\0\0\0\x25",             // 2^-53 of it was rounded off
        b"\0\0\0\0\0\0\x60\x39",   // M2, 2^-105
        b"\0\0\0\0\0\0\0\0",       // M3, 0
        b"\0\0\0\0\0\0\xC0\x32",   // M4, 2^-211
        b"\0\0\0\0\0\0\xF0\x3F",   // minimum, 1
        b"\x01\0\0\0\0\0\xF0\x3F", // maximum, 1 + 2^-52
        b"\x98\x82\xB4\x42",       // CRC-32C
    ];
    assert_eq!(written.to_bytes(), layout.concat());
    assert_eq!(Moments::from_bytes(&layout.concat()), Ok(written));
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!(Moments::EMPTY.to_bytes().len(), 10);
    let values: Vec<f64> = (0..300).map(f64::from).collect();
    assert_eq!(Moments::of(&values).to_bytes().len(), 64);
}

#[test]
fn foreign_bytes_are_called_foreign() {
    for foreign in [&b""[..], b"E", b"PK\x03\x04", b"\x80\x04\x95.", &[0; 50]] {
        assert_eq!(Moments::from_bytes(foreign), Err(Error::Foreign));
    }
}

#[test]
fn every_truncated_or_extended_encoding_is_refused() {
    let bytes = Moments::of(&[1.0, 2.0]).to_bytes();
    for length in 0..bytes.len() {
        assert!(Moments::from_bytes(&bytes[..length]).is_err());
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(Moments::from_bytes(&longer), Err(Error::Damaged));
}

#[test]
fn bytes_that_contradict_themselves_are_refused() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (count, mean, rest, others) in [
        (2, 5.0, 0.0, [1.0, 1.0, 4.0]),
        (2, nan, 0.0, [1.0, 1.0, 4.0]),
        (2, 2.0, 0.0, [1.0, nan, 4.0]),
        (2, 2.0, 0.0, [1.0, 1.0, inf]),
        (2, -inf, 0.0, [1.0, -inf, 4.0]),
        (2, 2.0, 0.0, [-1.0, 1.0, 4.0]),
        (2, 2.0, 0.0, [nan, 1.0, 4.0]),
        (2, 2.0, 0.0, [1.0, 2.0, 2.0]),
        (1, 2.0, 0.0, [0.0, 1.0, 4.0]),
        (2, 2.0, 1e-15, [1.0, 1.0, 4.0]),
        (2, 2.0, f32::NAN, [1.0, 1.0, 4.0]),
        (2, 2.0, -0.0, [1.0, 1.0, 4.0]),
        (2, 2.0, 0.0, [-0.0, 1.0, 4.0]),
        (2, -0.0, 0.0, [1.0, -1.0, 1.0]),
    ] {
        let refusal = Moments::from_bytes(&sealed(count, mean, rest, others)).unwrap_err();
        assert!(matches!(refusal, Error::Impossible { .. }), "{count} {mean} {rest} {others:?}");
    }
    assert!(Moments::from_bytes(&sealed(2, 2.0, 1e-16, [inf, 1.0, 4.0])).is_ok());
}

#[test]
fn a_shape_that_contradicts_itself_is_refused() {
    let inf = f64::INFINITY;
    let refused = [
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, f64::NAN, 1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, 0.0, f64::NAN, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, 0.0, -1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, 3.0, inf, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, inf, 1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [1.0, -0.0, 1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0], 2.0, 0.0, [0.0, 1.0, 1.0, 2.0, 2.0]),
        sealed_shape(&[2, 0x08, 3], 2.0, 0.0, [1.0, 0.0, 1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0x08, 0], 2.0, 0.0, [1.0, 0.0, 1.0, 1.0, 4.0]),
        sealed_shape(&[2, 0x10, 1], 2.0, 0.0, [1.0, 0.0, 1.0, 1.0, 4.0]),
        with_checksum(b"ES\x01\x02\x00\x08\x01".to_vec()),
    ];
    for bytes in refused {
        let refusal = Moments::from_bytes(&bytes).unwrap_err();
        assert!(matches!(refusal, Error::Impossible { .. }), "{bytes:?}");
    }
    let overflowed = sealed_shape(&[2, 0x08, 1], 2.0, 0.0, [1.0, 0.0, inf, 0.0, 4.0]);
    assert_eq!(Moments::from_bytes(&overflowed).map(|moments| moments.skewness()), Ok(None));
}

#[test]
fn a_forged_count_does_not_overflow() {
    let forged: Vec<u8> = [0xFF; 9].into_iter().chain([1]).collect();
    let counts = [&forged[..], b"\x0F", &forged, &forged, &forged, &forged].concat();
    let bytes = with_checksum([&b"ES\x01\x02"[..], &counts, &[0; 52]].concat());
    let full = Moments::from_bytes(&bytes).unwrap();
    let merged = full.merge(&full);
    assert_eq!((merged.count(), merged.total()), (u64::MAX, u64::MAX));
    assert_eq!(merged.mean(), Some(0.0));
}

#[test]
fn refusals_say_what_to_do() {
    let message = Moments::from_bytes(b"PK").unwrap_err().to_string();
    assert!(message.contains("pass what to_bytes gave"), "{message}");
}

/// With a fourth moment that fits the second.
fn sealed(count: u8, mean: f64, rest: f32, [m2, minimum, maximum]: [f64; 3]) -> Vec<u8> {
    sealed_shape(&[count, 0], mean, rest, [m2, 0.0, m2.max(0.0), minimum, maximum])
}

fn sealed_shape(counts: &[u8], mean: f64, rest: f32, others: [f64; 5]) -> Vec<u8> {
    let (mean, rest, others) =
        (mean.to_le_bytes(), rest.to_le_bytes(), others.map(f64::to_le_bytes).concat());
    with_checksum([b"ES\x01\x02", counts, &mean, &rest, &others].concat())
}

/// CRC-32C bit by bit, so that the library's table is checked against another way to compute it.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 * (crc & 1)))
    });
    bytes.extend(checksum.to_le_bytes());
    bytes
}

#[test]
fn skewness_and_kurtosis_are_those_of_the_definition() {
    let values = [1.0, 2.0, 2.0, 3.0, 9.0, -4.0, 0.0];
    let n = 7.0;
    let mean = values.iter().sum::<f64>() / n;
    let power = |k: i32| values.iter().map(|value| (value - mean).powi(k)).sum::<f64>() / n;
    let whole = Moments::of(&values);
    let merged = Moments::of(&values[..2]).merge(&Moments::of(&values[2..]));
    for moments in [whole, merged] {
        assert_close(moments.skewness(), power(3) / power(2).powf(1.5));
        assert_close(moments.kurtosis(), power(4) / power(2).powi(2) - 3.0);
        assert_eq!(moments.zeros(), 1);
    }
}

#[test]
fn a_shape_needs_a_spread_that_has_a_fourth_power() {
    for values in [&[][..], &[1.0], &[2.0; 9], &[0.0, 1e200]] {
        let moments = Moments::of(values);
        assert_eq!((moments.skewness(), moments.kurtosis()), (None, None));
    }
    let overflowed = Moments::of(&[0.0, 1e200]).merge(&Moments::of(&[1.0, 2.0, 3.0]));
    assert_eq!(overflowed.skewness(), None);
    assert_eq!(Moments::from_bytes(&overflowed.to_bytes()), Ok(overflowed));
}
