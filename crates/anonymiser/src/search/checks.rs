//! Checks of nodes, several at a time, on as many threads as there are.
//!
//! A node's classes are made of the classes of any node below it as well as of rows. So some nodes are kept as
//! [`Entries`](super::entries::Entries) of their own, and the fewest that lie below a node are what it is grouped from. What is found
//! does not depend on that: classes are numbered by their first row.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::checker::{Checker, Outcome};
use super::kept::{Kept, KeptNodes, is_worth_keeping};
use super::problem::Problem;

/// Checks nodes, and keeps some for others to be grouped from.
pub(crate) struct Checks<'a> {
    problem: &'a Problem<'a>,
    kept: KeptNodes,
    /// One for each thread.
    checkers: Vec<Checker<'a>>,
}

/// A node that is to be checked.
struct Task<'t> {
    levels: &'t [usize],
    /// A kept node below it, and how many entries that has.
    source: Option<usize>,
    entries: usize,
    /// A node between, with a kept node below that one, where it is to be grouped and kept before.
    stone: Option<(Vec<usize>, Option<usize>)>,
}

/// What became of it.
struct Done {
    outcome: Outcome,
    kept: Vec<Kept>,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(problem: &'a Problem<'a>) -> Self {
        let threads = rayon::current_num_threads();
        Self {
            problem,
            kept: KeptNodes::new(problem.columns().len(), problem.entries().len()),
            checkers: (0..threads).map(|_| Checker::new(problem)).collect(),
        }
    }

    /// Checks a node.
    pub(crate) fn check(&mut self, levels: &[usize]) -> Outcome {
        let task = self.task(levels);
        let done = task.done(&mut self.checkers[0], self.problem, &self.kept);
        self.put(done)
    }

    /// Checks some nodes.
    pub(crate) fn check_all(&mut self, nodes: &[Vec<usize>]) -> Vec<Outcome> {
        let tasks: Vec<Task<'_>> = nodes.iter().map(|levels| self.task(levels)).collect();
        let (problem, kept) = (self.problem, &self.kept);
        let shares = shares(&tasks, self.checkers.len());
        let done = shares.into_par_iter().zip(&mut self.checkers);
        let done = done.flat_map_iter(|(share, checker)| {
            let done = |task: usize| (task, tasks[task].done(checker, problem, kept));
            share.into_iter().map(done).collect::<Vec<_>>()
        });
        let mut done: Vec<(usize, Done)> = done.collect();
        done.sort_by_key(|(task, _)| *task);
        done.into_iter().map(|(_, done)| self.put(done)).collect()
    }

    fn task<'t>(&mut self, levels: &'t [usize]) -> Task<'t> {
        let source = self.kept.best(levels);
        let stone = self.kept.stepping_stone(self.problem, levels, source);
        let entries = self.kept.source(self.problem, source).entries.len();
        Task {
            levels,
            source,
            entries,
            stone: stone.map(|stone| {
                let below = self.kept.best(&stone);
                (stone, below)
            }),
        }
    }

    fn put(&mut self, done: Done) -> Outcome {
        done.kept.into_iter().for_each(|kept| self.kept.keep(kept));
        done.outcome
    }

    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }
}

/// The tasks of each of so many threads, about as much work for each: the largest first, to whoever has least.
fn shares(tasks: &[Task<'_>], threads: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&task| Reverse(tasks[task].entries));
    let mut shares = vec![(0, Vec::new()); threads.min(tasks.len())];
    for task in order {
        let least = shares.iter_mut().min_by_key(|(load, _)| *load);
        let (load, share) = least.expect("there is one for each task, or for each thread");
        *load += tasks[task].entries;
        share.push(task);
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

impl Task<'_> {
    fn done(&self, checker: &mut Checker<'_>, problem: &Problem<'_>, kept: &KeptNodes) -> Done {
        let mut new = Vec::new();
        if let Some((stone, below)) = &self.stone {
            let source = kept.source(problem, *below);
            checker.group(source, stone);
            new.push(Kept::new(stone, checker.entries(source, stone)));
        }
        let source = match new.first() {
            Some(stone) => stone.source(),
            None => kept.source(problem, self.source),
        };
        let outcome = checker.check(source, self.levels);
        if is_worth_keeping(checker.count(), source.entries.len()) {
            let entries = checker.entries(source, self.levels);
            new.push(Kept::new(self.levels, entries));
        }
        Done { outcome, kept: new }
    }
}
