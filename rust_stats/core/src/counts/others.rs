//! Each of many samples against all others together.

use crate::error::Error;
use crate::result::TestResult;

/// Compares each sample with the sum of all others, which is the reference.
///
/// `counts` has the samples one after the other, each over the same `cells`.
///
/// # Errors
///
/// [`Error::Argument`] as `compare` gives it, or if there is no whole number of samples.
pub fn each_against_others(
    counts: &[u64],
    cells: usize,
    compare: impl Fn(&[u64], &[u64]) -> Result<TestResult, Error>,
) -> Result<Vec<TestResult>, Error> {
    if counts.len().checked_rem(cells).is_none_or(|left| left != 0) {
        let problem = format!("must have whole samples of {cells} cells, but has {} counts", counts.len());
        return Err(Error::argument("counts", problem));
    }
    let mut totals = vec![0_u128; cells];
    for sample in counts.chunks_exact(cells) {
        for (total, count) in totals.iter_mut().zip(sample) {
            *total += u128::from(*count);
        }
    }
    let mut others = vec![0; cells];
    let against = |sample: &[u64]| {
        for ((others, total), count) in others.iter_mut().zip(&totals).zip(sample) {
            *others = u64::try_from(total - u128::from(*count)).unwrap_or(u64::MAX);
        }
        compare(&others, sample)
    };
    counts.chunks_exact(cells).map(against).collect()
}

#[cfg(test)]
mod tests {
    use super::each_against_others;
    use crate::counts::psi;

    #[test]
    fn each_sample_meets_the_sum_of_the_others() {
        let counts = [5, 9, 1, 20, 40, 3];
        let found = each_against_others(&counts, 2, psi).unwrap();
        let by_hand = [psi(&[41, 23], &[5, 9]), psi(&[45, 12], &[1, 20]), psi(&[6, 29], &[40, 3])];
        assert_eq!(found, by_hand.map(Result::unwrap));
    }

    #[test]
    fn sums_beyond_the_range_stop_at_its_end() {
        let found = each_against_others(&[u64::MAX, u64::MAX, 3], 1, psi).unwrap();
        assert_eq!(found.last().map(|result| result.n_reference), Some(u64::MAX));
    }

    #[test]
    fn what_is_no_whole_number_of_samples_is_refused() {
        assert!(each_against_others(&[1, 2, 3], 2, psi).is_err());
        assert!(each_against_others(&[], 0, psi).is_err());
    }
}
