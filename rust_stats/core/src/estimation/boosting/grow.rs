//! Growing a tree leaf by leaf: the split that gains most, wherever it is, comes next.

use super::binned::{Binned, MISSING};
use super::tree::{Node, Split, Tree};
use crate::float::float_len;

const LEAVES: usize = 31;
const FEWEST_ROWS: usize = 20;
/// A split must gain more than this share of the sum of squares, so that rounding never splits constants.
const LEAST_SHARE: f64 = 1e-12;

/// How many rows, and the sum of their residuals.
#[derive(Clone, Copy, Default)]
struct Sum {
    rows: usize,
    residuals: f64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, residuals: self.residuals + other.residuals }
    }

    fn minus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_sub(other.rows), residuals: self.residuals - other.residuals }
    }

    /// By how much the sum of squares is less if these rows have a mean of their own.
    fn gain(self) -> f64 {
        self.residuals * self.residuals / float_len(self.rows)
    }
}

/// For each feature the sums of its bins.
type Histograms = Vec<Vec<Sum>>;

/// A leaf that may still be split.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    total: Sum,
    histograms: Histograms,
    best: Option<Candidate>,
}

#[derive(Clone, Copy)]
struct Candidate {
    gain: f64,
    feature: usize,
    /// The last bin that goes left.
    bin: usize,
    missing_left: bool,
}

/// A tree whose leaves are `rate` times the mean residual of their rows, which is taken off the residuals;
/// none if no split gains.
pub(super) fn grow(binned: &Binned, residuals: &mut [f64], rate: f64) -> Option<Tree> {
    let least_gain = LEAST_SHARE * residuals.iter().map(|residual| residual * residual).sum::<f64>();
    let rows: Vec<u32> = (0..).take(residuals.len()).collect();
    let histograms = histograms(binned, residuals, &rows);
    let mut leaves = vec![Leaf::new(0, rows, histograms, least_gain)];
    let mut nodes = vec![Node::Leaf(0.0)];
    while leaves.len() < LEAVES {
        let Some((index, best)) = most_gain(&leaves) else { break };
        let leaf = leaves.swap_remove(index);
        let left = nodes.len();
        put(&mut nodes, leaf.node, Node::Split(best.split(binned, left)));
        nodes.extend([Node::Leaf(0.0); 2]);
        leaves.extend(leaf.split(best, binned, residuals, left, least_gain));
    }
    if leaves.len() < 2 {
        return None;
    }
    for leaf in leaves {
        let value = rate * leaf.total.residuals / float_len(leaf.rows.len());
        put(&mut nodes, leaf.node, Node::Leaf(value));
        for row in leaf.rows {
            if let Some(residual) = residuals.get_mut(row as usize) {
                *residual -= value;
            }
        }
    }
    Some(Tree { nodes })
}

fn put(nodes: &mut [Node], at: usize, node: Node) {
    if let Some(place) = nodes.get_mut(at) {
        *place = node;
    }
}

fn most_gain(leaves: &[Leaf]) -> Option<(usize, Candidate)> {
    let candidates =
        leaves.iter().enumerate().filter_map(|(index, leaf)| leaf.best.map(|best| (index, best)));
    candidates.reduce(|most, next| if next.1.gain > most.1.gain { next } else { most })
}

impl Candidate {
    fn split(self, binned: &Binned, left: usize) -> Split {
        let bounds = binned.bounds.get(self.feature);
        // After the last bin there is no bound: all that is there goes left.
        let bound = bounds.and_then(|bounds| bounds.get(self.bin.wrapping_sub(1))).copied();
        let (feature, missing_left) = (self.feature, self.missing_left);
        Split { feature, bound: bound.unwrap_or(f64::INFINITY), missing_left, left }
    }

    fn goes_left(self, bin: u8) -> bool {
        if bin == MISSING { self.missing_left } else { usize::from(bin) <= self.bin }
    }
}

impl Leaf {
    fn new(node: usize, rows: Vec<u32>, histograms: Histograms, least_gain: f64) -> Self {
        let of_a_feature = histograms.first().into_iter().flatten();
        let total = of_a_feature.fold(Sum::default(), |total, sum| total.plus(*sum));
        let candidates = histograms
            .iter()
            .enumerate()
            .filter_map(|(feature, sums)| best_of_feature(feature, sums, total))
            .filter(|candidate| candidate.gain > least_gain);
        let best = candidates.reduce(|most, next| if next.gain > most.gain { next } else { most });
        Self { node, rows, total, histograms, best }
    }

    /// The leaf's two parts. Only the smaller part's rows are summed; the larger part is the difference.
    fn split(
        self,
        best: Candidate,
        binned: &Binned,
        residuals: &[f64],
        node: usize,
        least_gain: f64,
    ) -> [Self; 2] {
        let bin = |row: u32| binned.bins.get(row as usize * binned.features + best.feature).copied();
        let (mut left, mut right) = (self.rows, Vec::new());
        left.retain(|row| {
            let goes_left = best.goes_left(bin(*row).unwrap_or(MISSING));
            if !goes_left {
                right.push(*row);
            }
            goes_left
        });
        left.shrink_to_fit();
        let left_is_smaller = left.len() < right.len();
        let smaller = histograms(binned, residuals, if left_is_smaller { &left } else { &right });
        let mut larger = self.histograms;
        for (sum, taken) in larger.iter_mut().flatten().zip(smaller.iter().flatten()) {
            *sum = sum.minus(*taken);
        }
        let (of_left, of_right) = if left_is_smaller { (smaller, larger) } else { (larger, smaller) };
        [Self::new(node, left, of_left, least_gain), Self::new(node + 1, right, of_right, least_gain)]
    }
}

fn best_of_feature(feature: usize, sums: &[Sum], total: Sum) -> Option<Candidate> {
    let (missing, there) = sums.split_first()?;
    let mut best: Option<Candidate> = None;
    for missing_left in [false, true] {
        let mut left = if missing_left { *missing } else { Sum::default() };
        for (before, sum) in there.iter().enumerate() {
            left = left.plus(*sum);
            let right = total.minus(left);
            if left.rows < FEWEST_ROWS || right.rows < FEWEST_ROWS || sum.rows == 0 {
                continue;
            }
            let gain = left.gain() + right.gain() - total.gain();
            if best.is_none_or(|best| gain > best.gain) {
                best = Some(Candidate { gain, feature, bin: before + 1, missing_left });
            }
        }
        if missing.rows == 0 {
            break;
        }
    }
    best
}

fn histograms(binned: &Binned, residuals: &[f64], rows: &[u32]) -> Histograms {
    let mut sums: Histograms =
        (0..binned.features).map(|feature| vec![Sum::default(); binned.count(feature)]).collect();
    for row in rows {
        let row = *row as usize;
        let from = row * binned.features;
        let (Some(bins), Some(residual)) =
            (binned.bins.get(from..from + binned.features), residuals.get(row))
        else {
            continue;
        };
        for (bin, of_feature) in bins.iter().zip(&mut sums) {
            if let Some(sum) = of_feature.get_mut(usize::from(*bin)) {
                sum.rows += 1;
                sum.residuals += residual;
            }
        }
    }
    sums
}
