//! What a forger writes is refused by name or is a summary that works, with every check of a test build on.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as promised")]

use edge_aiops_stats_core::{Categories, DistinctCount, Error, Latency, Quantiles};
use proptest::collection::vec;
use proptest::prelude::*;

/// CRC-32C, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 })
    })
}

/// Bytes put over others, in between, or taken out.
fn changed(bytes: &[u8], from: usize, edits: &[(usize, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, how, piece) in edits {
        let at = from.min(bytes.len()) + place % (bytes.len().saturating_sub(from) + 1);
        let end = match how % 3 {
            0 => (at + piece.len()).min(bytes.len()),
            1 => at,
            _ => (at + 2 * piece.len()).min(bytes.len()),
        };
        let piece = if how % 3 == 2 { &[] } else { piece.as_slice() };
        bytes.splice(at..end, piece.iter().copied());
    }
    bytes
}

fn forged(bytes: &[u8], edits: &[(usize, u8, Vec<u8>)]) -> Vec<u8> {
    let (content, _) = bytes.split_last_chunk::<4>().unwrap();
    let mut content = changed(content, 4, edits);
    content.extend(checksum(&content).to_le_bytes());
    content
}

fn assert_named(refusal: &Error) {
    assert!(matches!(refusal, Error::Impossible { .. } | Error::OtherVersion { .. }), "{refusal}");
}

fn edits() -> impl Strategy<Value = Vec<(usize, u8, Vec<u8>)>> {
    let piece = prop_oneof![vec(any::<u8>(), 1..9), vec(prop_oneof![Just(0), Just(0xFF)], 1..9)];
    vec((any::<usize>(), any::<u8>(), piece), 1..4)
}

fn quantiles(count: u32) -> Quantiles {
    let mut quantiles = Quantiles::new();
    (0..count).for_each(|value| quantiles.add(f64::from(value % 1000) - 300.0));
    quantiles
}

fn distinct(lg_k: u8, count: u32) -> DistinctCount {
    let mut distinct = DistinctCount::new(lg_k).unwrap();
    (0..count).for_each(|text| distinct.add(&text.to_string()));
    distinct
}

fn use_quantiles(mut read: Quantiles) {
    let found = read.quantiles(&[0.0, 0.01, 0.5, 1.0]).unwrap();
    assert_eq!(found.is_some(), read.count() > 0);
    let again = read.clone();
    let _ = read.merge(&again);
    let _ = read.merge(&quantiles(700));
    read.update(&vec![0.5; 3000]);
    assert_eq!(Quantiles::from_bytes(&read.to_bytes()).unwrap(), read);
}

fn use_distinct(mut read: DistinctCount) {
    let found = read.estimate();
    assert!(found.value.is_finite() && found.lower <= found.value && found.value <= found.upper);
    let other = distinct(read.lg_k(), 500);
    let (mut there, mut back) = (read.clone(), other.clone());
    there.merge(&other).unwrap();
    back.merge(&read).unwrap();
    assert_eq!(there, back);
    (0..500).for_each(|text: u32| read.add(&text.to_string()));
    assert_eq!(DistinctCount::from_bytes(&read.to_bytes()).unwrap(), read);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn forged_quantiles(count in prop_oneof![0_u32..30, 180_u32..3000], edits in edits()) {
        let ours = quantiles(count);
        match Quantiles::from_bytes(&forged(&ours.to_bytes(), &edits)) {
            Ok(read) => use_quantiles(read),
            Err(refusal) => assert_named(&refusal),
        }
        if let Ok(read) = Quantiles::from_datasketches(&changed(&ours.to_datasketches(), 0, &edits)) {
            use_quantiles(read);
        }
    }

    #[test]
    fn forged_distinct_counts(lg_k in 4_u8..11, count in prop_oneof![0_u32..30, 50_u32..3000], edits in edits()) {
        let ours = distinct(lg_k, count);
        match DistinctCount::from_bytes(&forged(&ours.to_bytes(), &edits)) {
            Ok(read) => use_distinct(read),
            Err(refusal) => assert_named(&refusal),
        }
        if let Ok(read) = DistinctCount::from_datasketches(&changed(&ours.to_datasketches(), 0, &edits)) {
            use_distinct(read);
        }
    }

    #[test]
    fn forged_registers_of_four_and_six_bits(
        lg_k in 4_u8..9,
        mode in prop_oneof![Just(2_u8), Just(6), Just(10), Just(14)],
        flags in any::<u8>(),
        state in 0_u8..60,
        exceptions in 0_u8..4,
        registers in vec(any::<u8>(), 8..300),
    ) {
        let mut bytes = vec![10, 1, 7, lg_k, 0, flags, state, mode];
        bytes.extend([0; 28]);
        bytes.extend([exceptions, 0, 0, 0]);
        bytes.extend(registers);
        if let Ok(read) = DistinctCount::from_datasketches(&bytes) {
            use_distinct(read);
        }
    }

    #[test]
    fn forged_latencies(durations in vec(0.0..1e6_f64, 0..40), edits in edits()) {
        match Latency::from_bytes(&forged(&Latency::of(&durations).to_bytes(), &edits)) {
            Ok(mut read) => {
                let found = read.quantiles(&[0.0, 0.01, 0.5, 1.0]).unwrap();
                prop_assert_eq!(found.is_some(), read.count() > 0);
                let again = read.clone();
                let _ = read.merge(&again);
                read.update(&durations);
                prop_assert_eq!(Latency::from_bytes(&read.to_bytes()).unwrap(), read);
            }
            Err(refusal) => assert_named(&refusal),
        }
    }

    #[test]
    fn forged_categories(labels in vec(0_u8..30, 0..90), edits in edits()) {
        let mut ours = Categories::new(&["1", "two"], 8).unwrap();
        for label in &labels {
            ours.add(&label.to_string(), 1);
        }
        match Categories::from_bytes(&forged(&ours.to_bytes(), &edits)) {
            Ok(mut read) => {
                let exact: u64 = read.counts().iter().map(|(_, count)| count).sum();
                prop_assert_eq!(exact + read.other(), read.count());
                prop_assert!(read.top(3).iter().all(|share| share.lower <= share.upper));
                let again = read.clone();
                let _ = read.merge(&again);
                for label in &labels {
                    read.add(&format!("new {label}"), 1);
                }
                prop_assert_eq!(Categories::from_bytes(&read.to_bytes()).unwrap(), read);
            }
            Err(refusal) => assert_named(&refusal),
        }
    }
}
