//! Lower bounds of suppression and cost at a node, from single columns and pairs alone.
//!
//! A class of a node lies inside a class of any two of its columns. So every row that two
//! columns alone would suppress is suppressed, and a suppressed row weighs at least as much as a
//! released one. All pairs at all their levels are grouped once; after that the bound of a node is
//! a walk over a table, without touching the rows.

use super::coded::{CodedLevel, QuasiIdentifier};
use super::cost::Counts;
use super::pairs::{Figures, Pair, all_pairs};
use super::problem::Problem;

/// The bounds of all nodes.
pub(crate) struct Bounds<'a> {
    problem: &'a Problem<'a>,
    /// For each column those with each column before it, and with itself: the bound of the column alone.
    pairs: Vec<Vec<Pair>>,
    /// For each column and level: what suppressing one more row adds to the weights at least.
    least_gain: Vec<Vec<u64>>,
}

/// What is known of a node when the levels of its first columns are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partial {
    suppressed: u64,
    /// Of each column the weights, less what its pair's suppressed rows gain at least.
    weights: Vec<u64>,
}

impl Partial {
    pub(crate) fn suppressed(&self) -> usize {
        self.suppressed as usize
    }
}

impl<'a> Bounds<'a> {
    pub(crate) fn new(problem: &'a Problem<'a>) -> Self {
        let columns = problem.columns();
        let gain = |column: &QuasiIdentifier<'_>, level: &CodedLevel| {
            let heaviest = level.weights.iter().copied().max();
            heaviest.map_or(0, |heaviest| column.suppressed() - heaviest)
        };
        let least_gain = columns
            .iter()
            .map(|column| {
                let levels = column.levels().iter();
                levels.map(|level| gain(column, level)).collect()
            })
            .collect::<Vec<Vec<u64>>>();
        let pairs = all_pairs(problem, &least_gain);
        Self {
            problem,
            pairs,
            least_gain,
        }
    }

    /// Of a node whose first levels are these, of which `before` tells all but the last.
    pub(crate) fn extended(&self, before: &Partial, levels: &[usize], into: &mut Partial) {
        into.suppressed = before.suppressed;
        into.weights.clear();
        into.weights.extend_from_slice(&before.weights);
        into.weights.push(0);
        let second = levels.len() - 1;
        for (first, pair) in self.pairs[second].iter().enumerate() {
            let Figures {
                suppressed,
                weights,
            } = pair.at(levels[first], levels[second]);
            into.suppressed = into.suppressed.max(suppressed);
            for (column, weight) in [first, second].into_iter().zip(weights) {
                into.weights[column] = into.weights[column].max(weight);
            }
        }
    }

    /// The lower bound of the cost of a node, of which everything is known that pairs tell.
    pub(crate) fn cost(&self, levels: &[usize], partial: &Partial) -> f64 {
        let metric = self.problem.goal().metric;
        if !metric.is_weighed() {
            return metric.of_counts(self.counts(levels, partial.suppressed));
        }
        // Each pair accounts for its own suppressed rows; each further one adds its least.
        let columns = self.problem.columns().iter().enumerate();
        metric.of_weights(columns.map(|(index, column)| {
            let gain = self.least_gain[index][levels[index]];
            let weight = partial.weights[index] + partial.suppressed * gain;
            (weight, column.range())
        }))
    }

    /// The lower bound of the cost of all nodes whose first levels are these.
    pub(crate) fn least(&self, levels: &[usize], partial: &Partial) -> f64 {
        let columns = self.problem.columns();
        if levels.len() == columns.len() {
            return self.cost(levels, partial);
        }
        let metric = self.problem.goal().metric;
        if !metric.is_weighed() {
            // Of the columns that follow nothing is known but how many groups they have at most.
            let all: Vec<usize> = (levels.iter().copied())
                .chain(std::iter::repeat_n(0, columns.len() - levels.len()))
                .collect();
            return metric.of_counts(self.counts(&all, partial.suppressed));
        }
        metric.of_weights(columns.iter().enumerate().map(|(index, column)| {
            let gain = |level: usize| partial.suppressed * self.least_gain[index][level];
            let weight = match levels.get(index) {
                Some(&level) => partial.weights[index] + gain(level),
                None => (0..column.levels().len())
                    .map(|level| self.pairs[index][index].at(level, level).weights[0] + gain(level))
                    .min()
                    .unwrap_or(0),
            };
            (weight, column.range())
        }))
    }

    /// What is known of the nodes whose first levels are these.
    pub(crate) fn known(&self, levels: &[usize]) -> Partial {
        let (mut known, mut next) = (Partial::default(), Partial::default());
        for columns in 1..=levels.len() {
            self.extended(&known, &levels[..columns], &mut next);
            std::mem::swap(&mut known, &mut next);
        }
        known
    }

    /// Counts that cost least of those that a node with these levels may have.
    fn counts(&self, levels: &[usize], suppressed: u64) -> Counts {
        let (rows, k) = (self.problem.rows() as u64, self.problem.goal().k as u64);
        let released = rows - suppressed;
        let columns = self.problem.columns().iter().zip(levels);
        let groups = columns.fold(1_u64, |all, (column, &level)| {
            all.saturating_mul(column.levels()[level].count() as u64)
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
