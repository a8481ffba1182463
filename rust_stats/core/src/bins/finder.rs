//! Which bin a value falls into, for many values at a time.
//!
//! Three ways that count identically. Few edges are each compared with all values, several at a time in
//! vector registers. More are found by a grid of equal cells: the cell says how many edges lie in lower cells,
//! and only the edges within it are compared. A grid serves as long as no cell has many edges; for those
//! that lie very unevenly there is the binary search. All arithmetic on a value is monotone, rounding
//! included, so that an edge in a lower cell is below the value for certain.

use pulp::Arch;

use crate::float::{float, float_len};

/// Up to this many edges are all compared.
const FEW: usize = 16;

/// Cells of a grid. A power of two, so that masking an index proves it to be within.
const CELLS: usize = 1024;

/// Most edges in one cell of a grid.
const MOST_IN_A_CELL: usize = 3;

/// Added to a small number, it leaves the nearest whole number in the last bits.
const WHOLE: f64 = float(1 << 52);

/// How many values have their cells found at a time.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
pub(super) enum Finder {
    Few,
    Grid(Box<Grid>),
    Search,
}

#[derive(Debug, Clone)]
pub(super) struct Grid {
    origin: f64,
    cells_per_unit: f64,
    /// For each cell, how many edges are in lower ones.
    lower: [u16; CELLS],
    most_in_a_cell: usize,
    /// The edges, and after them as many NaN as are compared beyond the last: no value is at least NaN.
    padded: Vec<f64>,
}

impl Finder {
    pub(super) fn of(edges: &[f64]) -> Self {
        if edges.len() <= FEW {
            return Self::Few;
        }
        Grid::of(edges).map_or(Self::Search, |grid| Self::Grid(Box::new(grid)))
    }

    /// Adds to `counts`; NaN counts as below all edges.
    pub(super) fn count(&self, edges: &[f64], values: &[f64], counts: &mut [u64]) {
        match self {
            Self::Few => count_by_comparing(edges, values, counts),
            Self::Grid(grid) => match grid.most_in_a_cell {
                0 | 1 => grid.count::<1>(values, counts),
                2 => grid.count::<2>(values, counts),
                _ => grid.count::<MOST_IN_A_CELL>(values, counts),
            },
            Self::Search => {
                for value in values {
                    let bin = if value.is_nan() { 0 } else { edges.partition_point(|edge| edge <= value) };
                    add_one(counts, bin);
                }
            }
        }
    }
}

impl Grid {
    /// None where the edges lie so unevenly that a cell would have too many.
    fn of(edges: &[f64]) -> Option<Self> {
        // The outermost edges are the extremes of the reference and may lie far out.
        let [_, origin, .., end, _] = edges else { return None };
        let cells_per_unit = float_len(CELLS - 2) / (end - origin);
        if !(cells_per_unit.is_finite() && cells_per_unit > 0.0) {
            return None;
        }
        let mut grid = Self {
            origin: *origin,
            cells_per_unit,
            lower: [0; CELLS],
            most_in_a_cell: 0,
            padded: edges.iter().copied().chain([f64::NAN; MOST_IN_A_CELL]).collect(),
        };
        let mut within = [0; CELLS];
        for edge in edges {
            *within.get_mut(grid.cell(*edge))? += 1;
        }
        let mut so_far = 0;
        for (lower, within) in grid.lower.iter_mut().zip(within) {
            *lower = so_far;
            so_far += within;
        }
        grid.most_in_a_cell = usize::from(within.into_iter().max()?);
        (grid.most_in_a_cell <= MOST_IN_A_CELL).then_some(grid)
    }

    /// The origin is in the middle of cell 1, so that what lies far below shares none with what lies above. NaN
    /// is in cell 0.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "below the number of cells")]
    fn cell(&self, value: f64) -> usize {
        const LAST: f64 = float_len(CELLS - 1);
        let place = (value - self.origin) * self.cells_per_unit + 1.0;
        // Written so that each is the processor's own minimum or maximum.
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < LAST { place } else { LAST };
        (place + WHOLE).to_bits() as usize % CELLS
    }

    fn count<const COMPARED: usize>(&self, values: &[f64], counts: &mut [u64]) {
        let (parts, rest) = values.as_chunks::<AT_ONCE>();
        for part in parts {
            let mut cells = [0; AT_ONCE];
            for (cell, value) in cells.iter_mut().zip(part) {
                *cell = self.cell(*value);
            }
            for (cell, value) in cells.into_iter().zip(part) {
                add_one(counts, self.bin::<COMPARED>(cell, *value));
            }
        }
        for value in rest {
            add_one(counts, self.bin::<COMPARED>(self.cell(*value), *value));
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one of a few instructions for each value")]
    #[expect(
        clippy::indexing_slicing,
        reason = "the remainder is a cell; a window after it is within the padding"
    )]
    fn bin<const COMPARED: usize>(&self, cell: usize, value: f64) -> usize {
        let lower = usize::from(self.lower[cell % CELLS]);
        let edges = &self.padded[lower..lower + COMPARED];
        lower + edges.iter().map(|edge| usize::from(*edge <= value)).sum::<usize>()
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "one of a few instructions for each value")]
fn add_one(counts: &mut [u64], bin: usize) {
    if let Some(count) = counts.get_mut(bin) {
        *count = count.saturating_add(1);
    }
}

fn count_by_comparing(edges: &[f64], values: &[f64], counts: &mut [u64]) {
    let mut lower = values.len() as u64;
    let Some([counts @ .., last]) = counts.get_mut(..=edges.len()) else { return };
    for (edge, count) in edges.iter().zip(counts) {
        let at_least = Arch::new().dispatch(|| values.iter().map(|value| u64::from(value >= edge)).sum());
        *count = count.saturating_add(lower - at_least);
        lower = at_least;
    }
    *last = last.saturating_add(lower);
}

#[cfg(test)]
mod tests {
    use super::{Finder, Grid};

    fn edges(kind: &str) -> Vec<f64> {
        let at = (0..80).map(f64::from);
        match kind {
            "even" => at.collect(),
            "uneven" => at.map(|i| 1.2_f64.powf(i)).collect(),
            "very uneven" => at.map(|i| 10_f64.powf(i - 40.0)).collect(),
            "close" => at.map(|i| 1e9 + i * 1e-6).collect(),
            _ => vec![f64::MIN, -1.0, 0.0, 5e-324, 1.0, f64::MAX],
        }
    }

    #[test]
    fn every_way_counts_as_the_search_does() {
        for kind in ["even", "uneven", "very uneven", "close", "few"] {
            let edges = edges(kind);
            let mut values: Vec<f64> =
                edges.iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up(), edge * 1.5]).collect();
            values.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0]);
            let counted = |finder: &Finder| {
                let mut counts = vec![0; edges.len() + 1];
                finder.count(&edges, &values, &mut counts);
                counts
            };
            assert_eq!(counted(&Finder::of(&edges)), counted(&Finder::Search), "{kind}");
        }
    }

    #[test]
    fn each_way_has_its_edges() {
        assert!(matches!(Finder::of(&edges("few")), Finder::Few));
        assert!(matches!(Finder::of(&edges("even")), Finder::Grid(_)));
        assert!(matches!(Finder::of(&edges("very uneven")), Finder::Search));
        assert!(Grid::of(&[0.0; 80]).is_none());
    }
}
