//! The check of one node after the other: classes, what is suppressed, and the cost.
//!
//! A node's classes are made of the classes of any node below it as well as of rows. So some nodes are kept as
//! [`Entries`] of their own, and the fewest that lie below a node are what it is grouped from.

use super::classes::Numbering;
use super::cost::Counts;
use super::entries::{ByClass, Entries};
use super::problem::{Problem, QuasiIdentifier};
use crate::models::{Histogram, Judge};
use crate::risk::{self, Risks, Size};

/// Nodes that are kept at most.
const MAX_KEPT_NODES: usize = 1_024;
/// All of them together have at most so many entries, of some 50 bytes each,
const MAX_KEPT_ENTRIES: usize = 500_000;
/// or so many times as many as the table has distinct rows.
const MAX_KEPT_SHARE: usize = 2;
/// A node is kept when it has at most one class for so many entries that it was grouped from.
const WORTH_KEEPING: usize = 2;

/// What checking a node found. Classes and their smallest are those that are kept.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) suppressed: usize,
    /// Those of them that are suppressed at every node below as well.
    pub(crate) suppressed_below: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
    /// Sum of the squares of the rows of each class.
    squares: u64,
    /// Classes of all rows, those suppressed included, and the sum of their squares.
    all_classes: usize,
    all_squares: u64,
}

/// A node that was checked.
struct Kept {
    levels: Vec<usize>,
    entries: Entries,
    /// Number of the check that it served last.
    used: usize,
}

/// Groups the distinct rows at one node after the other, in memory that is kept.
pub(crate) struct Checker<'a> {
    problem: &'a Problem,
    below: Vec<Kept>,
    checks: usize,
    /// What the last node was grouped from, when it was not the distinct rows.
    source: Option<usize>,
    grouping: Grouping,
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
    pub(crate) fn new(problem: &'a Problem) -> Self {
        let histograms = problem.sensitives().iter();
        Self {
            problem,
            below: Vec::new(),
            checks: 0,
            source: None,
            grouping: Grouping::default(),
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
        self.checks += 1;
        self.source = self.best_below(levels);
        let entries = entries(self.problem, &self.below, self.source);
        let count = self.grouping.group(self.problem.columns(), entries, levels);
        let of_classes = |sums: &mut Vec<u32>, of: &[u32]| {
            sums.clear();
            sums.resize(count, 0);
            for (&class, &more) in self.grouping.classes.iter().zip(of) {
                sums[class as usize] += more;
            }
        };
        of_classes(&mut self.sizes, &entries.rows);
        if self.problem.has_population() {
            of_classes(&mut self.people, &entries.people);
        }
        let goal = self.problem.goal();
        self.kept.clear();
        for class in 0..count {
            let size = size(&self.sizes, &self.people, class);
            let is_kept = size.rows >= goal.k.max(1) as u64
                && goal.risks.iter().all(|limit| limit.allows(size));
            self.kept.push(is_kept);
        }
        self.judge(Judge::survives_any_merge);
        let mut suppressed_below = self.suppressed();
        let beyond = self.beyond();
        if self.problem.averages_survive_any_merge() {
            let more = beyond.iter().map(|&class| self.sizes[class] as usize);
            suppressed_below += more.sum::<usize>();
        }
        let changed = self.judge(|judge| !judge.survives_any_merge());
        let beyond = if changed { self.beyond() } else { beyond };
        for class in beyond {
            self.kept[class] = false;
        }
        self.outcome(suppressed_below)
    }

    fn outcome(&self, suppressed_below: usize) -> Outcome {
        let mut outcome = Outcome {
            suppressed_below,
            ..Outcome::default()
        };
        let mut smallest = u32::MAX;
        // Classes of the population alone are none of the table.
        let classes = self.sizes.iter().zip(&self.kept);
        for (&size, &kept) in classes.filter(|(size, _)| **size > 0) {
            let square = u64::from(size) * u64::from(size);
            outcome.all_classes += 1;
            outcome.all_squares += square;
            if kept {
                outcome.classes += 1;
                outcome.squares += square;
                smallest = smallest.min(size);
            } else {
                outcome.suppressed += size as usize;
            }
        }
        if outcome.classes > 0 {
            outcome.smallest_class = smallest as usize;
        }
        outcome
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
        let sizes = self.sizes.iter().zip(&self.kept);
        let suppressed = sizes.filter(|(_, kept)| !**kept);
        suppressed.map(|(&size, _)| size as usize).sum()
    }

    /// Whether each distinct row is kept at the node checked last, which must be the first one.
    pub(crate) fn kept(&self) -> impl Fn(u32) -> bool {
        debug_assert!(self.source.is_none(), "classes are of distinct rows");
        |distinct| self.kept[self.grouping.classes[distinct as usize] as usize]
    }

    /// Gives up the classes that some of the models do not accept; whether there are such models.
    fn judge(&mut self, which: impl Fn(&Judge) -> bool) -> bool {
        let mut judged = false;
        let entries = entries(self.problem, &self.below, self.source);
        let sensitives = self.problem.sensitives().iter().zip(&entries.cells);
        for ((sensitive, cells), histogram) in sensitives.zip(&mut self.histograms) {
            let judges = || sensitive.judges().iter().filter(|judge| which(judge));
            if judges().next().is_none() {
                continue;
            }
            judged = true;
            self.cells.sort(cells, &self.grouping.classes, &self.kept);
            for (class, kept) in self.kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
                for &(value, rows) in self.cells.of(class) {
                    histogram.add(value, rows);
                }
                histogram.settle();
                *kept = judges().all(|judge| judge.accepts(histogram));
                histogram.clear();
            }
        }
        judged
    }

    /// The cost of the node checked last, which must be `levels` with this outcome.
    pub(crate) fn cost(&self, levels: &[usize], outcome: &Outcome) -> f64 {
        let metric = self.problem.goal().metric;
        if metric.is_weighed() {
            return self.weighed(levels);
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
            classes: outcome.all_classes as u64,
            squares: outcome.all_squares,
            level_sum: 0,
        })
    }

    fn weighed(&self, levels: &[usize]) -> f64 {
        let problem = self.problem;
        let entries = entries(problem, &self.below, self.source);
        let kept: Vec<bool> = self
            .grouping
            .classes
            .iter()
            .map(|&class| self.kept[class as usize])
            .collect();
        let columns = problem.columns().iter().zip(&entries.codes).zip(levels);
        let sums = columns.map(|((column, codes), &level)| {
            let weights = &column.levels()[level].weights;
            let suppressed = column.suppressed();
            let each = codes.iter().zip(&entries.rows).zip(&kept);
            let sum = each.map(|((&code, &rows), kept)| {
                let weight = if *kept {
                    weights[code as usize]
                } else {
                    suppressed
                };
                weight * u64::from(rows)
            });
            (sum.sum(), column.range())
        });
        problem.goal().metric.of_weights(sums)
    }

    /// Keeps the node checked last, which must be `levels`, for nodes above, when that is worth its memory.
    pub(crate) fn keep(&mut self, levels: &[usize]) {
        let source = entries(self.problem, &self.below, self.source);
        let count = self.sizes.len();
        let most = MAX_KEPT_ENTRIES.max(MAX_KEPT_SHARE * self.problem.entries().len());
        if count * WORTH_KEEPING > source.len() || count > most {
            return;
        }
        let kept = Kept {
            levels: levels.to_vec(),
            entries: source.merged(&self.grouping.classes, count),
            used: self.checks,
        };
        self.below.push(kept);
        // What the last node was grouped from may go: nobody asks for it before the next check.
        self.source = None;
        while self.below.len() > MAX_KEPT_NODES || self.kept_entries() > most {
            let oldest = (0..self.below.len()).min_by_key(|&index| self.below[index].used);
            self.below
                .swap_remove(oldest.expect("more than none are kept"));
        }
    }

    fn kept_entries(&self) -> usize {
        self.below.iter().map(|kept| kept.entries.len()).sum()
    }

    /// Of the nodes below these levels that are kept, the one with the fewest classes.
    fn best_below(&mut self, levels: &[usize]) -> Option<usize> {
        let is_below = |kept: &Kept| kept.levels.iter().zip(levels).all(|(kept, of)| kept <= of);
        let below = (0..self.below.len()).filter(|&index| is_below(&self.below[index]));
        let best = below.min_by_key(|&index| self.below[index].entries.len())?;
        self.below[best].used = self.checks;
        Some(best)
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

fn entries<'a>(problem: &'a Problem, below: &'a [Kept], source: Option<usize>) -> &'a Entries {
    source.map_or(problem.entries(), |index| &below[index].entries)
}

/// Numbers entries by what they look like.
#[derive(Default)]
struct Grouping {
    numbering: Numbering,
    keys: Vec<u64>,
    /// Class of each entry.
    classes: Vec<u32>,
}

impl Grouping {
    /// Writes the class of each entry; returns the number of classes.
    ///
    /// The groups of as many columns as fit are packed into one key of 64 bits; the classes
    /// found so far are packed with the next columns when they do not all fit.
    fn group(&mut self, columns: &[QuasiIdentifier], entries: &Entries, levels: &[usize]) -> usize {
        self.keys.clear();
        self.keys.resize(entries.len(), 0);
        let mut bits = 0;
        for ((column, codes), &level) in columns.iter().zip(&entries.codes).zip(levels) {
            let coded = &column.levels()[level];
            if coded.count < 2 {
                continue;
            }
            let needed = bits_for(coded.count);
            if bits + needed > u64::BITS {
                let count = self.numbering.number(&self.keys, &mut self.classes);
                self.keys.clear();
                let classes = self.classes.iter().map(|&class| u64::from(class));
                self.keys.extend(classes);
                bits = bits_for(count);
            }
            for (key, &code) in self.keys.iter_mut().zip(codes) {
                *key |= u64::from(coded.groups[code as usize]) << bits;
            }
            bits += needed;
        }
        self.numbering.number(&self.keys, &mut self.classes)
    }
}

/// Bits that hold `count` different numbers.
fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
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

    fn problem(csv: &str, k: usize) -> Problem {
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
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
        let problem = problem("a,b\n1,x\n1,x\n1,x\n2,x\n2,y\n1,x\n", 2);
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
            Node::new(&problem, &[0, 0]).kept,
            [true, true, true, false, false, true]
        );
    }

    /// `columns` columns of `values` values, of which those at even places are alike, and those
    /// at odd places too: the classes are those of two columns.
    fn alternating(columns: usize, values: usize) -> Problem {
        let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        let mut csv = header.join(",");
        for row in 0..4 * values * values {
            let cell = |column: usize| if column.is_multiple_of(2) { row } else { row / values } % values;
            let cells: Vec<String> = (0..columns)
                .map(|column| cell(column).to_string())
                .collect();
            csv += &format!("\n{}", cells.join(","));
        }
        problem(&csv, 4)
    }

    #[test]
    fn keys_wider_than_64_bits_group_the_same() {
        // 40 × 2 bits fill a key exactly before it is folded; 26 × 5 bits would cross its end.
        for (columns, values) in [(40, 4), (26, 20)] {
            let problem = alternating(columns, values);
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
        let problem = problem(&csv, 1);
        assert_eq!(Checker::new(&problem).check(&[0; 13]).classes, 400);
    }

    /// From what a node is grouped makes no difference.
    #[test]
    fn nodes_that_are_kept_serve_those_above() {
        let problem = alternating(4, 6);
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
        assert!(!checker.below.is_empty());
    }

    #[test]
    fn bits_hold_the_count() {
        assert_eq!([1, 2, 3, 4, 5].map(bits_for), [0, 1, 2, 2, 3]);
    }
}
