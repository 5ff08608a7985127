//! The check of one node after the other: classes, what is suppressed, and the cost.
//!
//! A node's classes are made of the classes of any node below it as well as of rows. So some nodes are kept as
//! [`Entries`] of their own, and the fewest that lie below a node are what it is grouped from. What is found does not depend on that:
//! classes are numbered by their first row.

use super::cost::Counts;
use super::entries::{ByClass, Entries};
use super::kept::{Kept, KeptNodes};
use super::merging::Merging;
use super::problem::{Problem, QuasiIdentifier, Sensitive};
use super::raising::Step;
use crate::metric::Metric;
use crate::models::{Histogram, Judge};
use crate::risk::{self, Risks, Size};

/// What checking a node found. Classes and their smallest are those that are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) suppressed: usize,
    /// Rows that are suppressed at every node below as well, at least.
    pub(crate) suppressed_below: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
    /// Sum of the squares of the rows of each class.
    squares: u64,
    /// Sum of the squares of the rows of all classes, those suppressed included.
    all_squares: u64,
    /// Classes that a node above can have at most.
    classes_above: u64,
}

/// Groups the distinct rows at one node after the other, in memory that is kept.
pub(crate) struct Checker<'a> {
    problem: &'a Problem<'a>,
    below: KeptNodes,
    /// What the last node was grouped from, when it was not the distinct rows.
    source: Option<usize>,
    merging: Merging,
    /// The words of each class, once they were asked for.
    words: Option<Vec<Vec<u64>>>,
    /// Rows of the table in each class.
    sizes: Vec<u32>,
    /// People of the population in each class; empty where none is known.
    people: Vec<u32>,
    /// Whether each class is kept.
    kept: Vec<bool>,
    histograms: Vec<Histogram>,
    cells: ByClass,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(problem: &'a Problem<'a>) -> Self {
        let histograms = problem.sensitives().iter();
        Self {
            problem,
            below: KeptNodes::new(problem.columns().len(), problem.entries().len()),
            source: None,
            merging: Merging::default(),
            words: None,
            sizes: Vec::new(),
            people: Vec::new(),
            kept: Vec::new(),
            histograms: histograms
                .map(|sensitive| Histogram::of(sensitive.values()))
                .collect(),
            cells: ByClass::default(),
        }
    }

    /// Groups the rows at these levels and counts what must be suppressed.
    pub(crate) fn check(&mut self, levels: &[usize]) -> Outcome {
        self.source = self.below.best(levels);
        if let Some(stone) = self.below.stepping_stone(self.problem, levels, self.source) {
            self.source = self.below.best(&stone);
            self.group(&stone);
            self.keep_always(&stone);
            self.source = self.below.best(levels);
        }
        self.group(levels);
        let goal = self.problem.goal();
        self.keep_large();
        if self.suppressed() <= goal.limit {
            self.judge(Judge::survives_any_merge);
        }
        let suppressed = self.suppressed();
        if suppressed > goal.limit {
            // Neither here nor below: the rest need not be known.
            return Outcome {
                suppressed_below: suppressed,
                classes_above: self.classes_above(suppressed),
                ..self.outcome()
            };
        }
        let classes_above = self.classes_above(suppressed);
        let beyond = self.beyond();
        let mut of_averages = 0;
        if self.problem.averages_survive_any_merge() {
            let more = beyond.iter().map(|&class| self.sizes[class] as usize);
            of_averages = more.sum::<usize>();
        }
        let of_parts = self.judge(|judge| !judge.survives_any_merge());
        let beyond = match of_parts {
            Some(_) => self.beyond(),
            None => beyond,
        };
        for class in beyond {
            self.kept[class] = false;
        }
        // Rows that are suppressed for one reason may be those that are for another.
        let further = of_averages.max(of_parts.unwrap_or(0));
        Outcome {
            suppressed_below: suppressed + further,
            classes_above,
            ..self.outcome()
        }
    }

    /// Classes of all entries, and their sizes.
    fn group(&mut self, levels: &[usize]) {
        let (from, entries) = self.below.entries(self.problem, self.source);
        let problem = self.problem;
        let step = Step {
            problem,
            from,
            to: levels,
        };
        self.merging.merge(step, entries);
        self.words = None;
        let sum = |sums: &mut Vec<u32>, of: &[u32]| {
            sums.clear();
            sums.resize(self.merging.count(), 0);
            for (&class, &more) in self.merging.class_of().iter().zip(of) {
                sums[class as usize] += more;
            }
        };
        sum(&mut self.sizes, &entries.rows);
        if self.problem.has_population() {
            sum(&mut self.people, &entries.people);
        }
    }

    /// Keeps the classes that are large enough, and none else.
    fn keep_large(&mut self) {
        let goal = self.problem.goal();
        let k = goal.k.max(1) as u32;
        self.kept.clear();
        self.kept.extend(self.sizes.iter().map(|&rows| rows >= k));
        for limit in goal.risks.iter().filter(|limit| limit.is_of_classes()) {
            for (class, kept) in self.kept.iter_mut().enumerate() {
                *kept = *kept && limit.allows(size(&self.sizes, &self.people, class));
            }
        }
    }

    /// The sums have no branches, so that the processor makes several at a time.
    fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut smallest = u32::MAX;
        for (&size, &kept) in self.sizes.iter().zip(&self.kept) {
            let square = u64::from(size) * u64::from(size);
            outcome.all_squares += square;
            outcome.squares += if kept { square } else { 0 };
            outcome.classes += usize::from(kept);
            outcome.suppressed += if kept { 0 } else { size as usize };
            smallest = smallest.min(if kept { size } else { u32::MAX });
        }
        if outcome.classes > 0 {
            outcome.smallest_class = smallest as usize;
        }
        outcome
    }

    /// Classes of a node above at most, the suppressed rows as one included: each has one that is kept here, or is made of rows that
    /// are suppressed here for a reason that a merge may end, and then of k of them.
    fn classes_above(&self, suppressed: usize) -> u64 {
        let kept = self.kept.iter().filter(|kept| **kept).count();
        let (kept, suppressed) = (kept as u64, suppressed as u64);
        kept + suppressed / self.problem.goal().k.max(1) as u64 + 1
    }

    /// The classes that are kept so far, with their numbers.
    fn released(&self) -> impl Iterator<Item = (Size, usize)> {
        let classes = (0..self.kept.len()).filter(|&class| self.kept[class]);
        classes.map(|class| (size(&self.sizes, &self.people, class), class))
    }

    /// Of these the ones that average risks do not allow.
    fn beyond(&self) -> Vec<usize> {
        let limits = &self.problem.goal().risks;
        if limits.iter().all(|limit| limit.is_of_classes()) {
            return Vec::new();
        }
        risk::beyond(limits, self.released().collect())
    }

    /// The risks at the node checked last.
    pub(crate) fn risks(&self) -> Risks {
        risk::risks(self.released().map(|(size, _)| size))
    }

    fn suppressed(&self) -> usize {
        let classes = self.sizes.iter().zip(&self.kept);
        let suppressed = classes.map(|(&size, &kept)| if kept { 0 } else { size as usize });
        suppressed.sum()
    }

    /// Whether each distinct row is kept at the node checked last, which must be the first one.
    pub(crate) fn kept(&self) -> impl Fn(u32) -> bool {
        debug_assert!(self.source.is_none(), "classes are of distinct rows");
        |distinct| self.kept[self.merging.class_of()[distinct as usize] as usize]
    }

    /// Gives up the classes that some of the models do not accept. If there are such models, the rows of these classes that
    /// are suppressed at every node below as well, at least.
    fn judge(&mut self, which: impl Fn(&Judge) -> bool) -> Option<usize> {
        let mut of_parts = None;
        let (_, entries) = self.below.entries(self.problem, self.source);
        let sensitives = self.problem.sensitives().iter().zip(&entries.cells);
        for ((sensitive, cells), histogram) in sensitives.zip(&mut self.histograms) {
            let judges = || sensitive.judges().iter().filter(|judge| which(judge));
            if judges().next().is_none() {
                continue;
            }
            let of_parts = of_parts.get_or_insert(0);
            let of_classes = cells.iter().map(|cell| cell.of(self.merging.class_of()));
            let (kept, classes) = (&self.kept, self.kept.len());
            self.cells
                .sort(of_classes, classes, |class| kept[class], sensitive.values());
            for (class, kept) in self.kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
                self.cells
                    .each(class, |value, rows| histogram.add(value, rows));
                histogram.settle();
                let mut least = 0;
                for judge in judges() {
                    let verdict = judge.verdict(histogram);
                    *kept &= verdict.accepts;
                    least = least.max(verdict.rejected_of_parts);
                }
                *of_parts += least as usize;
                histogram.clear();
            }
        }
        of_parts
    }

    /// The cost of the node checked last, which must be `levels` with this outcome.
    pub(crate) fn cost(&mut self, levels: &[usize], outcome: &Outcome) -> f64 {
        let metric = self.problem.goal().metric;
        if metric.is_weighed() {
            return self.weighed(self.problem.columns(), metric, levels, outcome);
        }
        metric.of_counts(Counts {
            rows: self.problem.rows() as u64,
            suppressed: outcome.suppressed as u64,
            classes: outcome.classes as u64,
            squares: outcome.squares,
            level_sum: levels.iter().sum::<usize>() as u64,
        })
    }

    /// What every node above one with this outcome costs at least: classes only merge, and a suppressed row costs more than
    /// one that is released.
    pub(crate) fn least_above(&self, outcome: &Outcome) -> f64 {
        let metric = self.problem.goal().metric;
        if metric.is_weighed() {
            return 0.0;
        }
        metric.of_counts(Counts {
            rows: self.problem.rows() as u64,
            suppressed: 0,
            classes: outcome.classes_above,
            squares: outcome.all_squares,
            level_sum: 0,
        })
    }

    /// The cost of the node checked last by a metric of weights, that these columns are made for.
    pub(crate) fn weighed(
        &mut self,
        columns: &[QuasiIdentifier<'_>],
        metric: Metric,
        levels: &[usize],
        outcome: &Outcome,
    ) -> f64 {
        let words = self
            .words
            .take()
            .unwrap_or_else(|| self.words_of_classes(levels));
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

    fn words_of_classes(&mut self, levels: &[usize]) -> Vec<Vec<u64>> {
        let (from, entries) = self.below.entries(self.problem, self.source);
        let problem = self.problem;
        let step = Step {
            problem,
            from,
            to: levels,
        };
        self.merging.words_of_classes(step, entries)
    }

    /// Keeps the node checked last, which must be `levels`, for nodes above, when that is worth its memory.
    pub(crate) fn keep(&mut self, levels: &[usize]) {
        let (_, source) = self.below.entries(self.problem, self.source);
        let count = self.sizes.len();
        if self.below.is_worth(count, source.len()) {
            self.keep_always(levels);
        }
    }

    fn keep_always(&mut self, levels: &[usize]) {
        let words = self.words.take();
        let words = words.unwrap_or_else(|| self.words_of_classes(levels));
        let (_, source) = self.below.entries(self.problem, self.source);
        let values = self.problem.sensitives().iter().map(Sensitive::values);
        let entries = Entries {
            words,
            rows: self.sizes.clone(),
            people: self.people.clone(),
            cells: source.merged_cells(values, self.merging.class_of(), self.sizes.len()),
        };
        // What the last node was grouped from may go: nobody asks for it before the next check.
        self.source = None;
        self.below.keep(Kept::new(levels, entries));
    }
}

/// Nobody is in the table and not in the population, whatever a population that is not complete says.
fn size(sizes: &[u32], people: &[u32], class: usize) -> Size {
    let rows = u64::from(sizes[class]);
    let people = people.get(class).map_or(rows, |&people| people.into());
    Size {
        people: people.max(rows),
        rows,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hierarchy::Hierarchy;
    use crate::metric::Metric;
    use crate::search::Node;
    use crate::search::problem::{Goal, QuasiIdentifier};
    use crate::table::Table;

    fn table(csv: &str) -> Table {
        Table::from_csv(csv.as_bytes(), b',').unwrap()
    }

    fn problem(table: &Table, k: usize) -> Problem<'_> {
        let goal = Goal {
            k,
            limit: 0,
            metric: Metric::Loss,
            risks: Vec::new(),
        };
        let columns = table.columns().iter().map(|column| {
            let hierarchy = Hierarchy::identity(column.values());
            QuasiIdentifier::new(column, table.rows(), &hierarchy, goal.metric).unwrap()
        });
        Problem::new(columns.collect(), Vec::new(), table.rows(), goal)
    }

    #[test]
    fn classes_and_suppression_are_counted_in_rows() {
        let table = table("a,b\n1,x\n1,x\n1,x\n2,x\n2,y\n1,x\n");
        let problem = problem(&table, 2);
        assert_eq!(problem.entries().rows, [4, 1, 1]);
        let mut checker = Checker::new(&problem);
        let bottom = checker.check(&[0, 0]);
        assert_eq!(
            (bottom.suppressed, bottom.classes, bottom.smallest_class),
            (2, 1, 4)
        );
        let without_b = checker.check(&[0, 1]);
        assert_eq!(
            (
                without_b.suppressed,
                without_b.classes,
                without_b.smallest_class
            ),
            (0, 2, 2)
        );
        assert_eq!(
            Node::new(&problem, problem.columns(), &[0, 0]).kept,
            [true, true, true, false, false, true]
        );
    }

    /// `columns` columns of `values` values, of which those at even places are alike, and those
    /// at odd places too: the classes are those of two columns.
    fn alternating(columns: usize, values: usize) -> Table {
        let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        let mut csv = header.join(",");
        for row in 0..4 * values * values {
            let cell = |column: usize| if column.is_multiple_of(2) { row } else { row / values } % values;
            let cells: Vec<String> = (0..columns)
                .map(|column| cell(column).to_string())
                .collect();
            csv += &format!("\n{}", cells.join(","));
        }
        table(&csv)
    }

    #[test]
    fn keys_wider_than_64_bits_group_the_same() {
        // 40 × 2 bits fill a key exactly before it is folded; 26 × 5 bits would cross its end.
        for (columns, values) in [(40, 4), (26, 20)] {
            let table = alternating(columns, values);
            let problem = problem(&table, 4);
            let mut checker = Checker::new(&problem);
            let bottom = checker.check(&vec![0; columns]);
            assert_eq!(
                (bottom.suppressed, bottom.classes, bottom.smallest_class),
                (0, values * values, 4)
            );
            // One column alone, at every place, also across the fold.
            for column in 0..columns {
                let mut levels = vec![1; columns];
                levels[column] = 0;
                assert_eq!(checker.check(&levels).classes, values, "column {column}");
            }
        }
    }

    /// The fold must not lose a column that differs from all others.
    #[test]
    fn a_column_that_crosses_the_end_of_a_key_counts() {
        let header: Vec<String> = (0..13).map(|column| format!("c{column}")).collect();
        let mut csv = header.join(",");
        for row in 0..20 * 20 {
            let mut cells = vec![(row % 20).to_string(); 12];
            cells.push((row / 20).to_string());
            csv += &format!("\n{}", cells.join(","));
        }
        let table = table(&csv);
        let problem = problem(&table, 1);
        assert_eq!(Checker::new(&problem).check(&[0; 13]).classes, 400);
    }

    /// From what a node is grouped makes no difference.
    #[test]
    fn nodes_that_are_kept_serve_those_above() {
        let table = alternating(4, 6);
        let problem = problem(&table, 4);
        let mut checker = Checker::new(&problem);
        let all = (0..16).map(|node| (0..4).map(|column| node >> column & 1).collect());
        for levels in all.collect::<Vec<Vec<usize>>>() {
            let alone = Checker::new(&problem).check(&levels);
            let found = checker.check(&levels);
            assert_eq!(found.classes, alone.classes, "{levels:?}");
            let cost = checker.cost(&levels, &found);
            checker.keep(&levels);
            let mut fresh = Checker::new(&problem);
            let again = fresh.check(&levels);
            assert_eq!(fresh.cost(&levels, &again), cost, "{levels:?}");
        }
        assert!(checker.below.len() > 0);
    }
}
