//! Lower bounds of suppression and cost at a node, from single columns and pairs alone.
//!
//! A class of a node lies inside a class of any two of its columns. So every row that two
//! columns alone would suppress is suppressed, and a suppressed row weighs at least as much as a
//! released one. All pairs at all their levels are grouped once; after that the bound of a node is
//! a walk over a table, without touching the rows.

use super::classes::Numbering;
use super::cost::Counts;
use super::problem::{CodedLevel, Problem, QuasiIdentifier};

/// What a node costs at least.
pub(crate) struct Bound {
    /// Rows that are suppressed at least.
    pub(crate) suppressed: usize,
    /// A lower bound of the cost.
    pub(crate) cost: f64,
}

/// The figures of one column or pair at fixed levels.
#[derive(Clone, Copy, Default)]
struct Figures {
    suppressed: u64,
    /// Sum of weights of the first and the second column.
    weights: [u64; 2],
}

/// The figures of two columns at each pair of their levels.
struct Pair {
    first: usize,
    second: usize,
    /// By level of the first, then of the second.
    figures: Vec<Figures>,
}

/// The bounds of all nodes.
pub(crate) struct Bounds<'a> {
    problem: &'a Problem,
    pairs: Vec<Pair>,
    /// For each column and level: what suppressing one more row adds to the weights at least.
    least_gain: Vec<Vec<u64>>,
}

impl<'a> Bounds<'a> {
    pub(crate) fn new(problem: &'a Problem) -> Self {
        let columns = problem.columns();
        let mut pairs = Vec::new();
        for first in 0..columns.len() {
            // A column paired with itself gives the bound of the column alone.
            pairs.extend((first..columns.len()).map(|second| pair(problem, first, second)));
        }
        let gain = |column: &QuasiIdentifier, level: &CodedLevel| {
            let heaviest = level.weights.iter().copied().max();
            heaviest.map_or(0, |heaviest| column.suppressed() - heaviest)
        };
        let least_gain = columns
            .iter()
            .map(|column| {
                column
                    .levels()
                    .iter()
                    .map(|level| gain(column, level))
                    .collect()
            })
            .collect();
        Self {
            problem,
            pairs,
            least_gain,
        }
    }

    /// The bound of the node with these levels.
    pub(crate) fn of(&self, levels: &[usize]) -> Bound {
        let figures = || {
            self.pairs.iter().map(|pair| {
                let width = self.problem.columns()[pair.second].levels().len();
                (
                    pair,
                    pair.figures[levels[pair.first] * width + levels[pair.second]],
                )
            })
        };
        let suppressed = figures()
            .map(|(_, pair)| pair.suppressed)
            .max()
            .unwrap_or(0);
        let metric = self.problem.goal().metric;
        let cost = if metric.is_weighed() {
            let mut weights = vec![0; levels.len()];
            for (pair, figures) in figures() {
                // The pair accounts for its own suppressed rows; each further one adds its least.
                let further = suppressed - figures.suppressed;
                for (column, weight) in [pair.first, pair.second].into_iter().zip(figures.weights) {
                    let weight = weight + further * self.least_gain[column][levels[column]];
                    weights[column] = weight.max(weights[column]);
                }
            }
            let ranges = self.problem.columns().iter().map(QuasiIdentifier::range);
            metric.of_weights(weights.into_iter().zip(ranges))
        } else {
            metric.of_counts(self.counts(levels, suppressed))
        };
        Bound {
            suppressed: suppressed as usize,
            cost,
        }
    }

    /// Counts that cost least of those that a node with these levels may have.
    fn counts(&self, levels: &[usize], suppressed: u64) -> Counts {
        let (rows, k) = (self.problem.rows() as u64, self.problem.goal().k as u64);
        let released = rows - suppressed;
        let columns = self.problem.columns().iter().zip(levels);
        let groups = columns.fold(1_u64, |all, (column, &level)| {
            all.saturating_mul(column.levels()[level].count as u64)
        });
        Counts {
            rows,
            suppressed,
            // The class of suppressed rows, if there is one, is counted by itself where it is known to be there.
            classes: if suppressed > 0 {
                (released / k).min(groups.saturating_sub(1))
            } else {
                (released / k + 1).min(groups)
            },
            squares: released * k,
            level_sum: levels.iter().sum::<usize>() as u64,
        }
    }
}

/// The rows of each combination of codes that two columns have.
struct Cells {
    codes: Vec<[u32; 2]>,
    rows: Vec<u64>,
}

fn cells(problem: &Problem, first: usize, second: usize) -> Cells {
    let codes = &problem.entries().codes;
    let both = || codes[first].iter().zip(&codes[second]);
    let keys: Vec<u64> = both()
        .map(|(&first, &second)| u64::from(first) << 32 | u64::from(second))
        .collect();
    let mut numbers = Vec::new();
    let count = Numbering::default().number(&keys, &mut numbers);
    let mut cells = Cells {
        codes: Vec::with_capacity(count),
        rows: vec![0; count],
    };
    for ((&number, &rows), (&first, &second)) in
        numbers.iter().zip(&problem.entries().rows).zip(both())
    {
        if number as usize == cells.codes.len() {
            cells.codes.push([first, second]);
        }
        cells.rows[number as usize] += u64::from(rows);
    }
    cells
}

fn pair(problem: &Problem, first: usize, second: usize) -> Pair {
    let columns = [&problem.columns()[first], &problem.columns()[second]];
    let cells = cells(problem, first, second);
    let mut scratch = Scratch::default();
    let mut figures = Vec::new();
    for one in columns[0].levels() {
        for other in columns[1].levels() {
            let levels = [one, other];
            figures.push(scratch.figures(&cells, columns, levels, problem.goal().k as u64));
        }
    }
    Pair {
        first,
        second,
        figures,
    }
}

#[derive(Default)]
struct Scratch {
    numbering: Numbering,
    keys: Vec<u64>,
    classes: Vec<u32>,
    sizes: Vec<u64>,
}

impl Scratch {
    fn figures(
        &mut self,
        cells: &Cells,
        columns: [&QuasiIdentifier; 2],
        levels: [&CodedLevel; 2],
        k: u64,
    ) -> Figures {
        self.keys.clear();
        self.keys.extend(cells.codes.iter().map(|&[one, other]| {
            u64::from(levels[0].groups[one as usize]) << 32
                | u64::from(levels[1].groups[other as usize])
        }));
        let count = self.numbering.number(&self.keys, &mut self.classes);
        self.sizes.clear();
        self.sizes.resize(count, 0);
        for (&class, &rows) in self.classes.iter().zip(&cells.rows) {
            self.sizes[class as usize] += rows;
        }
        let mut figures = Figures::default();
        for ((&class, &rows), codes) in self.classes.iter().zip(&cells.rows).zip(&cells.codes) {
            let kept = self.sizes[class as usize] >= k;
            if !kept {
                figures.suppressed += rows;
            }
            for side in 0..2 {
                let weight = if kept {
                    levels[side].weights[codes[side] as usize]
                } else {
                    columns[side].suppressed()
                };
                figures.weights[side] += weight * rows;
            }
        }
        figures
    }
}
