//! Features as numbers of bins.

/// The bin of values that are missing.
pub(super) const MISSING: u8 = 0;
/// Bins of values that are there.
const BINS: usize = 255;

/// Rows of features, each with its bins.
pub(in crate::estimation) struct Binned {
    /// Row after row.
    pub(super) bins: Vec<u8>,
    pub(super) features: usize,
    /// For each feature the upper bounds of its bins but the last: a value at a bound belongs below it.
    pub(super) bounds: Vec<Vec<f64>>,
}

impl Binned {
    pub(in crate::estimation) fn new<Row: Iterator<Item = f64>>(
        rows: impl Iterator<Item = Row> + Clone,
        features: usize,
    ) -> Self {
        let count = rows.clone().count();
        let mut sorted = Vec::with_capacity(count);
        let bounds: Vec<_> = (0..features)
            .map(|feature| {
                sorted.clear();
                let values = rows.clone().filter_map(|mut row| row.nth(feature));
                sorted.extend(values.filter(|value| !value.is_nan()));
                bounds(&mut sorted)
            })
            .collect();
        let mut bins = Vec::with_capacity(count.saturating_mul(features));
        for row in rows {
            bins.extend(row.zip(&bounds).map(|(value, bounds)| {
                let below = bounds.partition_point(|bound| *bound < value);
                if value.is_nan() { MISSING } else { u8::try_from(below + 1).unwrap_or(u8::MAX) }
            }));
        }
        Self { bins, features, bounds }
    }

    /// Bins of a feature, that of missing values included.
    pub(super) fn count(&self, feature: usize) -> usize {
        self.bounds.get(feature).map_or(1, |bounds| bounds.len() + 2)
    }
}

/// Bounds halfway between values, such that bins have about as many rows; equal values stay together.
fn bounds(values: &mut [f64]) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let sorted = &*values;
    let distinct = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq());
    let enough = if distinct.clone().count() <= BINS { 1 } else { sorted.len().div_ceil(BINS) };
    let (mut bounds, mut rows, mut before) = (Vec::new(), 0, None);
    for tied in distinct {
        let Some(value) = tied.first() else { continue };
        if let Some(before) = before.filter(|_| rows >= enough && bounds.len() < BINS - 1) {
            let halfway = f64::midpoint(before, *value);
            // Of neighbours without a number between them, and of infinities, the lower one is the bound.
            bounds.push(if before <= halfway && halfway < *value { halfway } else { before });
            rows = 0;
        }
        rows += tied.len();
        before = Some(*value);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::Binned;

    #[test]
    fn few_values_have_a_bin_each_and_many_share() {
        let of_one = |values: &[f64]| Binned::new(values.iter().map(|value| std::iter::once(*value)), 1);
        let few = of_one(&[2.0, f64::NAN, 1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(few.bins, [3, 0, 2, 3, 4, 1]);
        let many: Vec<f64> = (0..10_000).map(f64::from).collect();
        let binned = of_one(&many);
        assert_eq!(binned.count(0), 251);
        let mut counts = [0; 256];
        binned.bins.iter().for_each(|bin| counts[usize::from(*bin)] += 1);
        assert!(counts[1..251].iter().all(|count| *count == 40), "{counts:?}");
    }
}
