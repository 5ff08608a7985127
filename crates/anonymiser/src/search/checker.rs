//! The check of one node: classes, what is suppressed, and the cost.

mod costs;

use super::entries::{ByClass, Entries};
use super::merging::Merging;
use super::problem::{Problem, Sensitive};
use super::raising::Step;
use crate::models::{Histogram, Judge};
use crate::risk::{self, Risks, Size};

/// What checking a node found. Classes and their smallest are those that are kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) suppressed: usize,
    /// Rows that are suppressed at every node below as well, at least.
    pub(crate) suppressed_below: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
    /// What it costs, unless more is suppressed than allowed.
    pub(crate) cost: Option<f64>,
    /// What every node above costs at least: classes only merge, and a suppressed row costs more than one that is released.
    pub(crate) least_above: f64,
}

/// What a node is grouped from: the entries of one below, at the levels of that one.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) levels: &'a [usize],
    pub(crate) entries: &'a Entries,
}

/// Checks one node after the other, in memory that is kept.
pub(crate) struct Checker<'a> {
    problem: &'a Problem<'a>,
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

    /// Groups the rows at these levels and finds what must be suppressed.
    pub(crate) fn check(&mut self, source: Source<'_>, levels: &[usize]) -> Outcome {
        self.group(source, levels);
        let goal = self.problem.goal();
        self.keep_large();
        if self.suppressed() <= goal.limit {
            self.judge(source, Judge::survives_any_merge);
        }
        let suppressed = self.suppressed();
        let least_above = self.least_above(suppressed);
        let mut suppressed_below = suppressed;
        // Otherwise it is too much here and below: the rest need not be known.
        if suppressed <= goal.limit {
            suppressed_below += self.judge_the_rest(source);
        }
        let mut outcome = Outcome {
            suppressed_below,
            least_above,
            ..self.outcome()
        };
        if outcome.suppressed <= goal.limit {
            outcome.cost = Some(self.cost(source, levels, &outcome));
        }
        outcome
    }

    /// Classes of all entries, and their sizes.
    pub(crate) fn group(&mut self, source: Source<'_>, levels: &[usize]) {
        self.merging
            .merge(self.step(source, levels), source.entries);
        self.words = None;
        let sum = |sums: &mut Vec<u32>, of: &[u32]| {
            sums.clear();
            sums.resize(self.merging.count(), 0);
            for (&class, &more) in self.merging.class_of().iter().zip(of) {
                sums[class as usize] += more;
            }
        };
        sum(&mut self.sizes, &source.entries.rows);
        if self.problem.has_population() {
            sum(&mut self.people, &source.entries.people);
        }
    }

    fn step<'s>(&self, source: Source<'s>, to: &'s [usize]) -> Step<'s>
    where
        'a: 's,
    {
        let (problem, from) = (self.problem, source.levels);
        Step { problem, from, to }
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

    /// What is kept and what is not. Without branches, so that the processor makes several sums at a time.
    fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut smallest = u32::MAX;
        for (&size, &kept) in self.sizes.iter().zip(&self.kept) {
            outcome.classes += usize::from(kept);
            outcome.suppressed += if kept { 0 } else { size as usize };
            smallest = smallest.min(if kept { size } else { u32::MAX });
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
        let classes = self.sizes.iter().zip(&self.kept);
        let suppressed = classes.map(|(&size, &kept)| if kept { 0 } else { size as usize });
        suppressed.sum()
    }

    /// Whether each entry that the node checked last was grouped from is kept.
    pub(crate) fn kept(&self) -> impl Fn(u32) -> bool {
        |entry| self.kept[self.merging.class_of()[entry as usize] as usize]
    }

    /// Gives up what models that do not survive every merge and average risks do not allow; the rows of it that are suppressed at every
    /// node below as well, at least.
    fn judge_the_rest(&mut self, source: Source<'_>) -> usize {
        let beyond = self.beyond();
        let mut of_averages = 0;
        if self.problem.averages_survive_any_merge() {
            let more = beyond.iter().map(|&class| self.sizes[class] as usize);
            of_averages = more.sum::<usize>();
        }
        let of_parts = self.judge(source, |judge| !judge.survives_any_merge());
        let beyond = match of_parts {
            Some(_) => self.beyond(),
            None => beyond,
        };
        for class in beyond {
            self.kept[class] = false;
        }
        // Rows that are suppressed for one reason may be those that are for another.
        of_averages.max(of_parts.unwrap_or(0))
    }

    /// Gives up the classes that some of the models do not accept. If there are such models, the rows of these classes that
    /// are suppressed at every node below as well, at least.
    fn judge(&mut self, source: Source<'_>, which: impl Fn(&Judge) -> bool) -> Option<usize> {
        let mut of_parts = None;
        let cells = source.entries.cells.iter();
        let sensitives = self.problem.sensitives().iter().zip(cells);
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

    /// The words of the classes.
    fn take_words(&mut self, source: Source<'_>, levels: &[usize]) -> Vec<Vec<u64>> {
        let step = self.step(source, levels);
        let words = self.words.take();
        words.unwrap_or_else(|| self.merging.words_of_classes(step, source.entries))
    }

    /// Classes of the node grouped last.
    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The classes of the node grouped last, which must be these levels, for others to be grouped from.
    pub(crate) fn entries(&mut self, source: Source<'_>, levels: &[usize]) -> Entries {
        let words = self.take_words(source, levels);
        let values = self.problem.sensitives().iter().map(Sensitive::values);
        let classes = self.merging.class_of();
        Entries {
            words,
            rows: self.sizes.clone(),
            people: self.people.clone(),
            cells: source.entries.merged_cells(values, classes, self.count()),
        }
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
mod tests;
