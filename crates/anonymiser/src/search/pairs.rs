//! What two columns alone suppress and weigh at each pair of their levels.

use super::classes::Numbering;
use super::problem::{CodedLevel, Problem};

/// Cells are counted in a matrix when it has at most so many places for each cell, or so many in all.
const PLACES_PER_CELL: usize = 4;
const PLACES: usize = 16_384;

/// The figures of two columns at fixed levels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) suppressed: u64,
    /// Sum of weights of the first and the second column, less what the suppressed rows gain at least.
    pub(super) weights: [u64; 2],
}

/// The figures of two columns at each pair of their levels.
pub(super) struct Pair {
    /// By level of the first, then of the second.
    figures: Vec<Figures>,
    /// Levels of the second.
    width: usize,
}

impl Pair {
    /// Of these two columns, given the codes of all, and what suppressing one more row adds to their weights at least.
    pub(super) fn new(
        problem: &Problem<'_>,
        codes: &[Vec<u32>],
        least_gain: &[Vec<u64>],
        columns: [usize; 2],
    ) -> Self {
        let levels = columns.map(|column| problem.columns()[column].levels());
        let suppressed = columns.map(|column| problem.columns()[column].suppressed());
        let k = problem.goal().k as u64;
        let mut scratch = Scratch::default();
        let mut figures = Vec::with_capacity(levels[0].len() * levels[1].len());
        let rows = problem.entries().rows.iter().map(|&rows| u64::from(rows));
        let entries = codes[columns[0]].iter().zip(&codes[columns[1]]).zip(rows);
        let entries = entries.map(|((&one, &other), rows)| ([one, other], rows));
        let bottom = [&levels[0][0], &levels[1][0]];
        let mut lower = scratch.merged(entries, bottom, problem.entries().len());
        for (first, one) in levels[0].iter().enumerate() {
            lower = match first {
                0 => lower,
                _ => scratch.raised(&lower, [&levels[0][first - 1], bottom[1]], [one, bottom[1]]),
            };
            let mut cells = lower.clone();
            for (second, other) in levels[1].iter().enumerate() {
                if second > 0 {
                    cells = scratch.raised(&cells, [one, &levels[1][second - 1]], [one, other]);
                }
                let gains = [
                    least_gain[columns[0]][first],
                    least_gain[columns[1]][second],
                ];
                figures.push(cells.figures([one, other], suppressed, gains, k));
            }
        }
        Self {
            figures,
            width: levels[1].len(),
        }
    }

    pub(super) fn at(&self, first: usize, second: usize) -> Figures {
        self.figures[first * self.width + second]
    }
}

/// The rows of each combination of groups that two columns have.
#[derive(Debug, Clone, Default)]
struct Cells {
    cells: Vec<([u32; 2], u64)>,
}

impl Cells {
    fn figures(
        &self,
        levels: [&CodedLevel; 2],
        suppressed: [u64; 2],
        gains: [u64; 2],
        k: u64,
    ) -> Figures {
        let mut figures = Figures::default();
        for &(groups, rows) in &self.cells {
            if rows < k {
                figures.suppressed += rows;
                continue;
            }
            for side in 0..2 {
                figures.weights[side] += levels[side].weights[groups[side] as usize] * rows;
            }
        }
        for side in 0..2 {
            figures.weights[side] += (suppressed[side] - gains[side]) * figures.suppressed;
        }
        figures
    }
}

#[derive(Default)]
struct Scratch {
    matrix: Vec<u64>,
    numbering: Numbering,
    keys: Vec<u64>,
    numbers: Vec<u32>,
}

impl Scratch {
    /// The cells at these levels, of cells at others below.
    fn raised(&mut self, cells: &Cells, from: [&CodedLevel; 2], to: [&CodedLevel; 2]) -> Cells {
        let maps: [Vec<u32>; 2] = [0, 1].map(|side| {
            let firsts = from[side].firsts.iter();
            firsts.map(|&code| to[side].groups[code as usize]).collect()
        });
        let raised = |&([one, other], rows): &([u32; 2], u64)| {
            ([maps[0][one as usize], maps[1][other as usize]], rows)
        };
        self.merged(cells.cells.iter().map(raised), to, cells.cells.len())
    }

    /// The cells of so many entries, which may lie in one cell.
    fn merged(
        &mut self,
        entries: impl Iterator<Item = ([u32; 2], u64)> + Clone,
        levels: [&CodedLevel; 2],
        count: usize,
    ) -> Cells {
        let width = levels[1].count();
        let places = levels[0].count().saturating_mul(width);
        if places <= PLACES.max(PLACES_PER_CELL * count) {
            return self.counted(entries, places, width);
        }
        self.keys.clear();
        let keys = entries
            .clone()
            .map(|([one, other], _)| u64::from(one) << 32 | u64::from(other));
        self.keys.extend(keys);
        let count = self.numbering.number(&self.keys, &mut self.numbers);
        let mut cells = Vec::with_capacity(count);
        for (&number, (groups, rows)) in self.numbers.iter().zip(entries) {
            match cells.get_mut(number as usize) {
                None => cells.push((groups, rows)),
                Some((_, sum)) => *sum += rows,
            }
        }
        Cells { cells }
    }

    fn counted(
        &mut self,
        entries: impl Iterator<Item = ([u32; 2], u64)>,
        places: usize,
        width: usize,
    ) -> Cells {
        self.matrix.clear();
        self.matrix.resize(places, 0);
        for ([one, other], rows) in entries {
            self.matrix[one as usize * width + other as usize] += rows;
        }
        let mut cells = Vec::new();
        for (one, sums) in (0..).zip(self.matrix.chunks(width.max(1))) {
            let found = (0..).zip(sums).filter(|(_, rows)| **rows > 0);
            cells.extend(found.map(|(other, &rows)| ([one, other], rows)));
        }
        Cells { cells }
    }
}
