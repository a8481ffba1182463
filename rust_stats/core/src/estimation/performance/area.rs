//! The expected area under the ROC curve.

/// The area for rows of a score and the probability of being positive; none if nothing is expected to be
/// positive, or nothing negative.
pub(super) fn expected_area(mut rows: Vec<(f64, f64)>) -> Option<f64> {
    rows.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut positives, mut negatives, mut pairs) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|(a, _), (b, _)| a.total_cmp(b).is_eq()) {
        let tied_positives: f64 = tied.iter().map(|(_, probability)| probability).sum();
        let tied_negatives: f64 = tied.iter().map(|(_, probability)| 1.0 - probability).sum();
        pairs += tied_negatives * (positives + tied_positives / 2.0);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    (positives > 0.0 && negatives > 0.0).then(|| pairs / positives / negatives)
}
