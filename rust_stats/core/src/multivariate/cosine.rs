//! Do embeddings point the same way on average?
//!
//! Every row is divided by its length. The distance is 1 - cos of the angle between the two means; the p-value
//! that of a permutation test: the share of random divisions of all rows into parts of the same sizes, with a
//! distance at least as large, the division found counted in: (1 + found) / (1 + permutations). It is exact at
//! every sample size (Phipson and Smyth 2010), and not below 1 / (1 + permutations).

use nalgebra::{DMatrix, DVector};

use super::matrix::{Matrix, usable};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::random::Random;
use crate::result::{Side, TestResult, Warning};

const METHOD: &str = "mean cosine shift, permutation";
const EFFECT: &str = "cosine distance";
/// Rows, and permutations, that are worked on at a time.
const ROWS: usize = 256;
const BATCH: usize = 500;
const MOST_PERMUTATIONS: usize = 100_000;
/// Two distances that differ by less are equal, and rounded differently.
const ROUNDING: f64 = 1e-12;
/// Below this there are too few divisions for a small p-value.
const LARGE: u64 = 4;

/// Compares the mean directions of two samples of vectors.
///
/// `statistic` and `effect_size` are the cosine distance: 0 for the same direction, 1 for a right angle or where
/// a mean has no direction, 2 for opposite ones. Rows with a value that is not usable, and rows of zeros, have
/// no direction and are left out. The tables are worked in, which saves a copy.
///
/// # Errors
///
/// [`Error::Argument`] for different numbers of columns, or for no or too many permutations.
pub fn cosine_shift_test(
    mut reference: Matrix,
    mut current: Matrix,
    permutations: usize,
    seed: u64,
) -> Result<TestResult, Error> {
    current.must_have(reference.columns())?;
    if !(1..=MOST_PERMUTATIONS).contains(&permutations) {
        let problem = format!("must be from 1 to {MOST_PERMUTATIONS}, but is {permutations}");
        return Err(Error::argument("permutations", problem));
    }
    let sides =
        [(Side::Reference, Directions::of(&mut reference)), (Side::Current, Directions::of(&mut current))];
    let warnings: Vec<Warning> = sides.iter().flat_map(|(side, found)| found.warnings(*side)).collect();
    let [(_, left), (_, right)] = &sides;
    let n = [left.positions.len() as u64, right.positions.len() as u64];
    let least = n[0].min(n[1]);
    if least == 0 {
        return Ok(TestResult::without_data(METHOD, EFFECT, n, 1).warned(warnings));
    }
    let blocks = || blocks(&reference, &left.positions).chain(blocks(&current, &right.positions));
    let columns = reference.columns();
    let of_reference = sum(columns, self::blocks(&reference, &left.positions));
    let of_current = sum(columns, self::blocks(&current, &right.positions));
    let distance = cosine_distance(&of_reference, &of_current);
    let all = of_reference + of_current;
    let mut random = Random::seeded(seed);
    let mut as_far = 0;
    for first in (0..permutations).step_by(BATCH) {
        let batch = BATCH.min(permutations - first);
        let parts = random_parts(&mut random, blocks(), columns, n, batch);
        let distances = parts.column_iter().map(|part| cosine_distance(&part.into_owned(), &(&all - part)));
        as_far += distances.filter(|permuted| *permuted >= distance - ROUNDING).count() as u64;
    }
    let small = Warning::SmallSample { n: float(least), wanted: float(LARGE) };
    Ok(TestResult {
        method: METHOD,
        statistic: Some(distance),
        p_value: Some(float(as_far + 1) / (float_len(permutations) + 1.0)),
        effect_size: Some(distance),
        effect: EFFECT,
        n_reference: n[0],
        n_current: n[1],
        warnings: warnings.into_iter().chain((least < LARGE).then_some(small)).collect(),
    })
}

/// The rows that have a direction, of length 1 now.
struct Directions {
    positions: Vec<usize>,
    incomplete: u64,
    zeros: u64,
}

impl Directions {
    fn of(table: &mut Matrix) -> Self {
        let mut found = Self { positions: Vec::new(), incomplete: 0, zeros: 0 };
        for (position, row) in table.rows_mut().enumerate() {
            // The largest first, so that no square over- or underflows.
            let largest = row.iter().fold(0.0, |largest: f64, part| largest.max(part.abs()));
            if !row.iter().copied().all(usable) {
                found.incomplete += 1;
            } else if largest == 0.0 {
                found.zeros += 1;
            } else {
                for part in row.iter_mut() {
                    *part /= largest;
                }
                let length = row.iter().map(|part| *part * *part).sum::<f64>().sqrt();
                for part in row.iter_mut() {
                    *part /= length;
                }
                found.positions.push(position);
            }
        }
        found
    }

    fn warnings(&self, side: Side) -> impl Iterator<Item = Warning> {
        let incomplete = (self.incomplete > 0).then_some(Warning::LeftOut { side, n: self.incomplete });
        let zeros = (self.zeros > 0).then(|| Warning::Other {
            code: "zero_vectors",
            message: format!("{} rows of {side} are zero, have no direction, and were left out", self.zeros),
        });
        incomplete.into_iter().chain(zeros)
    }
}

/// The rows at `positions`, each a column of a block.
fn blocks<'table>(
    table: &'table Matrix,
    positions: &'table [usize],
) -> impl Iterator<Item = DMatrix<f64>> + 'table {
    positions.chunks(ROWS).map(|positions| {
        let rows = table.rows_at(positions).flatten().copied();
        DMatrix::from_iterator(table.columns(), positions.len(), rows)
    })
}

fn sum(columns: usize, blocks: impl Iterator<Item = DMatrix<f64>>) -> DVector<f64> {
    blocks.fold(DVector::zeros(columns), |sum, block| sum + block.column_sum())
}

/// The sums, one a column, of as many random parts of all rows as `batch`, each of the reference's size.
fn random_parts(
    random: &mut Random,
    blocks: impl Iterator<Item = DMatrix<f64>>,
    columns: usize,
    n: [u64; 2],
    batch: usize,
) -> DMatrix<f64> {
    let [part, rest] = n;
    let mut sums = DMatrix::zeros(columns, batch);
    // Rows are met one after the other: each is taken with the chance that leaves all parts equally likely.
    let mut wanted = vec![part; batch];
    let mut left = part + rest;
    for block in blocks {
        let mut taken = DMatrix::zeros(block.ncols(), batch);
        for mut row in taken.row_iter_mut() {
            for (taken, wanted) in row.iter_mut().zip(&mut wanted) {
                if random.below_count(left) < *wanted {
                    *wanted -= 1;
                    *taken = 1.0;
                }
            }
            left -= 1;
        }
        sums.gemm(1.0, &block, &taken, 1.0);
    }
    sums
}

/// 1 - cos of the angle, from the distance of the ends of the unit vectors: exact for small angles as well.
fn cosine_distance(one: &DVector<f64>, other: &DVector<f64>) -> f64 {
    let (one_length, other_length) = (one.norm(), other.norm());
    if one_length == 0.0 || other_length == 0.0 {
        return 1.0;
    }
    (one / one_length).metric_distance(&(other / other_length)).powi(2) / 2.0
}
