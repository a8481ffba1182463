//! What moments promise, for any values.

use edge_aiops_stats_core::Moments;
use proptest::collection::vec;
use proptest::num::f64::ANY;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// Any values at all, or values that lie close together, where cancellation would show.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let offset = (-1e9..1e9, vec(-1.0..1.0, 0..1500));
    let close = offset.prop_map(|(offset, values)| values.into_iter().map(|value| offset + value).collect());
    prop_oneof![vec(ANY, 0..50), vec(-1e150..1e150, 0..50), close]
}

fn counts(moments: &Moments) -> [u64; 4] {
    [moments.count(), moments.missing(), moments.nan(), moments.infinite()]
}

/// Same counts and extremes exactly; mean and standard deviation up to rounding of the largest magnitude.
fn agree(a: &Moments, b: &Moments) -> bool {
    let largest = a.minimum().map_or(0.0, f64::abs).max(a.maximum().map_or(0.0, f64::abs));
    let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
        // Once the sum of squares is near the largest number, rounding decides whether it is infinite.
        (Some(a), Some(b)) if a.max(b) > 1e150 => a.min(b) > 1e140,
        (Some(a), Some(b)) => (a - b).abs() <= 1e-20 * largest + 1e-10 * a.abs() + 1e-150,
        (a, b) => a == b,
    };
    let means = match (a.mean(), b.mean()) {
        (Some(a), Some(b)) => (a / 2.0 - b / 2.0).abs() <= 1e-15 * largest,
        (a, b) => a == b,
    };
    counts(a) == counts(b)
        && (a.minimum(), a.maximum()) == (b.minimum(), b.maximum())
        && means
        && close(a.standard_deviation(), b.standard_deviation())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn parts_merged_are_the_whole(values in values(), at in any::<prop::sample::Index>()) {
        let (left, right) = values.split_at(at.index(values.len() + 1));
        let merged = Moments::of(left).merge(&Moments::of(right));
        let whole = Moments::of(&values);
        prop_assert!(agree(&whole, &merged), "{whole:?} {merged:?}");
    }

    #[test]
    fn merging_is_commutative_to_the_bit(a in values(), b in values()) {
        let (a, b) = (Moments::of(&a), Moments::of(&b));
        prop_assert_eq!(a.merge(&b).to_bytes(), b.merge(&a).to_bytes());
    }

    #[test]
    fn merging_is_associative_up_to_rounding(a in values(), b in values(), c in values()) {
        let (a, b, c) = (Moments::of(&a), Moments::of(&b), Moments::of(&c));
        let (left, right) = (a.merge(&b).merge(&c), a.merge(&b.merge(&c)));
        prop_assert!(agree(&left, &right), "{left:?} {right:?}");
    }

    #[test]
    fn the_empty_summary_is_the_identity(values in values()) {
        let moments = Moments::of(&values);
        prop_assert_eq!(moments.merge(&Moments::EMPTY), moments);
        prop_assert_eq!(Moments::EMPTY.merge(&moments), moments);
    }

    #[test]
    fn the_mean_lies_between_the_extremes(values in values()) {
        let moments = Moments::of(&values);
        // All three are none together, and none equals none.
        prop_assert!(moments.minimum() <= moments.mean());
        prop_assert!(moments.mean() <= moments.maximum());
        prop_assert!(moments.variance().is_none_or(|variance| variance >= 0.0));
    }

    #[test]
    fn what_is_marked_missing_has_no_influence(marked in vec((ANY, any::<bool>()), 0..1500)) {
        let (values, missing): (Vec<f64>, Vec<bool>) = marked.iter().copied().unzip();
        let present: Vec<f64> = marked.iter().filter(|it| !it.1).map(|it| it.0).collect();
        let (masked, plain) = (Moments::of_present(&values, &missing).unwrap(), Moments::of(&present));
        prop_assert_eq!(masked.total(), values.len() as u64);
        prop_assert_eq!(plain.total(), present.len() as u64);
        prop_assert_eq!(masked.missing() + plain.total(), masked.total());
        prop_assert_eq!((masked.count(), masked.nan()), (plain.count(), plain.nan()));
        prop_assert_eq!((masked.minimum(), masked.maximum()), (plain.minimum(), plain.maximum()));
    }

    #[test]
    fn reading_gives_back_what_was_written(values in values()) {
        let moments = Moments::of(&values);
        prop_assert_eq!(Moments::from_bytes(&moments.to_bytes()), Ok(moments));
    }

    #[test]
    fn a_changed_byte_is_always_noticed(
        values in values(),
        at in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
    ) {
        let mut bytes = Moments::of(&values).to_bytes();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        prop_assert!(Moments::from_bytes(&bytes).is_err());
    }

    #[test]
    fn no_bytes_bring_the_reader_down(bytes in vec(any::<u8>(), 0..100)) {
        prop_assert!(Moments::from_bytes(&bytes).is_err());
        prop_assert!(Moments::from_bytes(&[b"ES\x01\x01", &bytes[..]].concat()).is_err());
    }
}
