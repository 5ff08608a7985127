//! What the node checked last costs, and those above it at least.

use super::{Checker, Outcome, Source};
use crate::metric::Metric;
use crate::search::coded::QuasiIdentifier;
use crate::search::cost::Counts;

impl Checker<'_> {
    /// The cost of the node checked last, which must be these levels with this outcome.
    pub(super) fn cost(&mut self, source: Source<'_>, levels: &[usize], outcome: &Outcome) -> f64 {
        let metric = self.problem.goal().metric;
        if metric.is_weighed() {
            let columns = self.problem.columns();
            return self.weighed(source, columns, metric, levels, outcome);
        }
        metric.of_counts(Counts {
            rows: self.problem.rows() as u64,
            suppressed: outcome.suppressed as u64,
            classes: outcome.classes as u64,
            squares: self.squares(|kept| kept),
            level_sum: levels.iter().sum::<usize>() as u64,
        })
    }

    /// What every node above one where so many rows are suppressed for reasons that a merge may end costs at least.
    pub(super) fn least_above(&self, suppressed: usize) -> f64 {
        let metric = self.problem.goal().metric;
        if metric.is_weighed() {
            return 0.0;
        }
        metric.of_counts(Counts {
            rows: self.problem.rows() as u64,
            suppressed: 0,
            classes: self.classes_above(suppressed),
            squares: self.squares(|_| true),
            level_sum: 0,
        })
    }

    /// The cost of the node checked last, which must be these levels, by a metric of weights that these columns are made for.
    pub(crate) fn weighed(
        &mut self,
        source: Source<'_>,
        columns: &[QuasiIdentifier<'_>],
        metric: Metric,
        levels: &[usize],
        outcome: &Outcome,
    ) -> f64 {
        let words = self.take_words(source, levels);
        let fields = self.problem.layout().fields().iter();
        let sums = columns.iter().zip(levels).zip(fields);
        let sums = sums.map(|((column, &level), field)| {
            let weights = &column.levels()[level].weights;
            let classes = words[field.word].iter().zip(&self.sizes).zip(&self.kept);
            let kept = classes.filter(|(_, kept)| **kept);
            let released =
                kept.map(|((&word, &rows), _)| weights[field.get(word) as usize] * u64::from(rows));
            let suppressed = outcome.suppressed as u64 * column.suppressed();
            (released.sum::<u64>() + suppressed, column.range())
        });
        let cost = metric.of_weights(sums);
        self.words = Some(words);
        cost
    }

    /// The sum of the squares of the rows of these classes.
    fn squares(&self, wanted: impl Fn(bool) -> bool) -> u64 {
        let classes = self.sizes.iter().zip(&self.kept);
        let squares =
            classes.map(|(&size, &kept)| u64::from(if wanted(kept) { size } else { 0 }).pow(2));
        squares.sum()
    }

    /// Classes of a node above at most, the suppressed rows as one included: each has one that is kept here, or is made of rows that
    /// are suppressed here for a reason that a merge may end, and then of k of them.
    fn classes_above(&self, suppressed: usize) -> u64 {
        let kept = self.kept.iter().filter(|kept| **kept).count();
        let (kept, suppressed) = (kept as u64, suppressed as u64);
        kept + suppressed / self.problem.goal().k.max(1) as u64 + 1
    }
}
