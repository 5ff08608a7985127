//! What two columns alone suppress and weigh at each pair of their levels.

use rayon::prelude::*;

use super::classes::{Grouping, Numbering};
use super::coded::CodedLevel;
use super::keys::Field;
use super::problem::Problem;

/// Cells are counted in a matrix when it has at most so many places for each cell, or so many in all.
const PLACES_PER_CELL: usize = 4;
const PLACES: usize = 16_384;

/// Columns that are dropped at a time.
const DROPPED: usize = 2;
/// Rows that a thread goes through at least.
const ROWS_AT_LEAST: usize = 16_384;

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

/// All pairs: for each column those with each column before it, and with itself. Given what suppressing one more row adds to
/// the weights of each column and level at least.
///
/// Columns of which all pairs are known are dropped, two at a time, those with most values first: few rows are distinct in those
/// that are left.
pub(super) fn all_pairs(problem: &Problem<'_>, least_gain: &[Vec<u64>]) -> Vec<Vec<Pair>> {
    let columns = problem.columns();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&column| columns[column].levels()[0].count());
    let mut distinct = Distinct {
        words: problem.entries().words.clone(),
        rows: problem.entries().rows.clone(),
    };
    let mut pairs = Vec::new();
    for end in (1..=order.len()).rev().step_by(DROPPED) {
        let begin = end.saturating_sub(DROPPED);
        let new: Vec<[usize; 2]> = (begin..end)
            .flat_map(|last| order[..=last].iter().map(move |&other| (other, last)))
            .map(|(other, last)| [other.min(order[last]), other.max(order[last])])
            .collect();
        let at_least = ROWS_AT_LEAST / distinct.rows.len().max(1) + 1;
        let new = new
            .into_par_iter()
            .with_min_len(at_least)
            .map(|columns| (columns, Pair::new(problem, &distinct, least_gain, columns)));
        pairs.par_extend(new);
        let fields = problem.layout().fields();
        distinct.drop(order[begin..end].iter().map(|&column| fields[column]));
    }
    pairs.sort_by_key(|([first, second], _)| (*second, *first));
    let mut pairs = pairs.into_iter().map(|(_, pair)| pair);
    let with = |second: usize| pairs.by_ref().take(second + 1).collect();
    (0..columns.len()).map(with).collect()
}

/// Rows that differ in the columns that are left.
struct Distinct {
    words: Vec<Vec<u64>>,
    rows: Vec<u32>,
}

impl Distinct {
    /// Merges what is alike without these columns.
    fn drop(&mut self, columns: impl Iterator<Item = Field>) {
        for column in columns {
            let words = self.words[column.word].iter_mut();
            words.for_each(|word| *word &= !column.cover());
        }
        let mut grouping = Grouping::default();
        let mut class_of = Vec::with_capacity(self.rows.len());
        grouping.extend(&self.words, &mut class_of);
        let mut rows = vec![0; grouping.count()];
        for (&class, more) in class_of.iter().zip(&self.rows) {
            rows[class as usize] += more;
        }
        self.rows = rows;
        for words in &mut self.words {
            let firsts = grouping.firsts().iter();
            *words = firsts.map(|&first| words[first as usize]).collect();
        }
    }
}

impl Pair {
    fn new(
        problem: &Problem<'_>,
        distinct: &Distinct,
        least_gain: &[Vec<u64>],
        columns: [usize; 2],
    ) -> Self {
        let levels = columns.map(|column| problem.columns()[column].levels());
        let suppressed = columns.map(|column| problem.columns()[column].suppressed());
        let fields = columns.map(|column| problem.layout().fields()[column]);
        let words = fields.map(|field| &distinct.words[field.word]);
        let k = problem.goal().k as u64;
        let mut scratch = Scratch::default();
        let mut figures = Vec::with_capacity(levels[0].len() * levels[1].len());
        let entries = words[0].iter().zip(words[1]).zip(&distinct.rows);
        let entries = entries.map(|((&one, &other), &rows)| {
            ([fields[0].get(one), fields[1].get(other)], u64::from(rows))
        });
        let bottom = [&levels[0][0], &levels[1][0]];
        let mut lower = scratch.merged(entries, bottom, distinct.rows.len());
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
