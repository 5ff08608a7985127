//! The optimal full-domain generalisation under k-anonymity and models of sensitive columns, with a suppression limit (P12).
//!
//! A node of the lattice fixes a level for each quasi-identifier. Its classes are the rows that
//! look the same there; rows of classes that are smaller than k, or that a model does not accept, are
//! suppressed. Going up merges classes. k and distinct l-diversity survive any merge, so under
//! them being within the limit is monotone, and one node found beyond it excludes everything below.
//! The other models survive the merge of classes that are both accepted, and not always of others: under them a node
//! excludes what is below by what k and distinct l-diversity suppress, by the rows that t-closeness and entropy cannot accept
//! however a class is divided (`models::Verdict`), or where nothing may be suppressed. What a node
//! costs ([`cost`]) is *not* monotone under suppression, but a lower bound of
//! it follows from pairs of columns alone ([`bound`]), and for metrics that count classes from each node below that was
//! checked. Nodes are taken in the order of their
//! bound; the search ends when the next bound is no better than the best node checked, which is
//! then optimal.

mod anytime;
mod bound;
mod checker;
mod classes;
mod cost;
mod entries;
mod kept;
mod keys;
mod lattice;
mod merging;
mod pairs;
mod problem;
mod raising;

pub(crate) use anytime::{Budget, best_within};
pub(crate) use classes::Classes;
pub(crate) use lattice::Lattice;
pub(crate) use problem::{Goal, Problem, QuasiIdentifier, Sensitive};

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bound::Bounds;
use checker::{Checker, Outcome};
use cost::Rank;
use kept::PackedLevels;

use crate::metric::Metric;
use crate::risk::Risks;

/// The optimum, and what finding it took.
pub(crate) struct Optimum {
    /// The chosen level of each quasi-identifier.
    pub(crate) levels: Vec<usize>,
    pub(crate) score: f64,
    pub(crate) suppressed: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
    pub(crate) nodes_checked: usize,
    /// What the true optimum scores at least, where this was not proven to be it.
    pub(crate) at_least: Option<f64>,
}

/// Finds the node that costs least of those within the suppression limit; of equal cost the
/// lower level sum wins, then the lexicographically smaller levels. `None` when no node is
/// within the limit.
pub(crate) fn optimum(problem: &Problem<'_>, lattice: &Lattice) -> Option<Optimum> {
    let mut search = Search::new(problem, lattice);
    let mut open = search.open();
    while let Some(Reverse(next)) = open.pop() {
        if search.is_beaten(next) {
            break;
        }
        if search.state[next.node] != State::Unknown {
            continue;
        }
        // Another node that was checked meanwhile may tell more of this one.
        if search.raise(next.node) {
            open.push(Reverse(search.bound_rank(next.node)));
        } else {
            search.visit(next.node);
        }
    }
    search.finish()
}

/// A node by itself, whether or not it is within the limit.
pub(crate) struct Node {
    /// By [`Metric::Loss`], whatever the metric of the search.
    pub(crate) loss: f64,
    pub(crate) risks: Risks,
    /// For each row of the table, whether it is released.
    pub(crate) kept: Vec<bool>,
}

impl Node {
    /// Of columns that are made for [`Metric::Loss`].
    pub(crate) fn new(
        problem: &Problem<'_>,
        by_loss: &[QuasiIdentifier<'_>],
        levels: &[usize],
    ) -> Self {
        let mut checker = Checker::new(problem);
        let outcome = checker.check(levels);
        let cost = checker.weighed(by_loss, Metric::Loss, levels, &outcome);
        Self {
            loss: Metric::Loss.score(cost, levels.len()),
            kept: problem.rows_of(checker.kept()),
            risks: checker.risks(),
        }
    }
}

/// Levels of nodes that were checked, and what all above each of them cost at least; the highest first.
#[derive(Default)]
struct Floors(Vec<(f64, PackedLevels)>);

impl Floors {
    fn add(&mut self, levels: &[usize], cost: f64) {
        let place = self.0.partition_point(|(other, _)| *other >= cost);
        self.0.insert(place, (cost, PackedLevels::new(levels)));
    }

    /// What a node costs at least, when that is more than `bound`.
    fn above(&self, bound: f64, levels: impl FnOnce() -> Vec<usize>) -> Option<f64> {
        if self.0.first().is_none_or(|(cost, _)| *cost <= bound) {
            return None;
        }
        let levels = PackedLevels::new(&levels());
        let higher = self.0.iter().take_while(|(cost, _)| *cost > bound);
        let mut below = higher.filter(|(_, floor)| floor.is_below(&levels));
        below.next().map(|(cost, _)| *cost)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    /// More rows would be suppressed than the limit allows, here and everywhere below.
    Beyond,
    /// More rows would be suppressed than the limit allows, here.
    Refused,
    Checked,
}

/// What a check says of the limit.
enum Finding {
    /// More rows are suppressed than allowed, here and everywhere below.
    Excludes,
    /// More rows are suppressed than allowed.
    Refused,
    Within,
}

impl Finding {
    fn of(problem: &Problem<'_>, outcome: &Outcome) -> Self {
        let limit = problem.goal().limit;
        if outcome.suppressed_below > limit || (limit == 0 && outcome.suppressed > 0) {
            Self::Excludes
        } else if outcome.suppressed > limit {
            Self::Refused
        } else {
            Self::Within
        }
    }
}

struct Best {
    rank: Rank,
    suppressed: usize,
    classes: usize,
    smallest_class: usize,
}

impl Best {
    fn new(rank: Rank, outcome: &Outcome) -> Self {
        Self {
            rank,
            suppressed: outcome.suppressed,
            classes: outcome.classes,
            smallest_class: outcome.smallest_class,
        }
    }

    fn optimum(self, problem: &Problem<'_>, lattice: &Lattice, nodes_checked: usize) -> Optimum {
        let columns = problem.columns().len();
        Optimum {
            levels: lattice.levels(self.rank.node),
            score: problem.goal().metric.score(self.rank.cost(), columns),
            suppressed: self.suppressed,
            classes: self.classes,
            smallest_class: self.smallest_class,
            nodes_checked,
            at_least: None,
        }
    }
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    lattice: &'a Lattice,
    checker: Checker<'a>,
    bounds: Vec<f64>,
    floors: Floors,
    state: Vec<State>,
    best: Option<Best>,
    checked: usize,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>, lattice: &'a Lattice) -> Self {
        let pairs = Bounds::new(problem);
        let mut bounds = vec![f64::INFINITY; lattice.nodes()];
        let mut state = vec![State::Beyond; lattice.nodes()];
        lattice.within(&pairs, problem.goal().limit, |node, cost| {
            state[node] = State::Unknown;
            bounds[node] = cost;
        });
        Self {
            problem,
            lattice,
            checker: Checker::new(problem),
            bounds,
            floors: Floors::default(),
            state,
            best: None,
            checked: 0,
        }
    }

    /// All nodes that may be within the limit, the best bound first.
    fn open(&self) -> BinaryHeap<Reverse<Rank>> {
        let nodes = (0..self.lattice.nodes()).filter(|&node| self.state[node] == State::Unknown);
        let ranks = nodes.map(|node| Reverse(self.bound_rank(node)));
        ranks.collect::<Vec<_>>().into()
    }

    fn bound_rank(&self, node: usize) -> Rank {
        Rank::new(self.bounds[node], self.lattice.level_sum(node), node)
    }

    /// Whether the best node checked ranks before anything that a node with this bound could turn out to be.
    fn is_beaten(&self, bound: Rank) -> bool {
        self.best.as_ref().is_some_and(|best| best.rank < bound)
    }

    /// Raises the bound of a node by what is known of nodes below it; whether that was more than was known before.
    fn raise(&mut self, node: usize) -> bool {
        let bound = self.bounds[node];
        let floor = self.floors.above(bound, || self.lattice.levels(node));
        let bound = &mut self.bounds[node];
        if let Some(floor) = floor {
            *bound = floor;
        }
        floor.is_some()
    }

    fn visit(&mut self, node: usize) {
        if self.problem.is_monotone() || self.problem.tells_of_below() {
            self.follow_path(node);
        } else {
            self.check(node);
        }
    }

    /// Checks `start` and, while nodes turn out to be beyond the limit, the path above it, by
    /// halves: a node beyond the limit excludes all below it, also off the path. Where that is not monotone, what is asked of
    /// the nodes of the path is whether they exclude all below, which is.
    fn follow_path(&mut self, start: usize) {
        let path = self.path(start);
        // Invariant: everything before `low` is beyond the limit, everything from `high` on is
        // within it or past the end.
        let (mut low, mut high) = (0, path.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let node = path[middle];
            let within = match self.state[node] {
                State::Beyond => false,
                State::Refused => !self.problem.is_monotone(),
                State::Checked => true,
                State::Unknown => self.check(node),
            };
            if within {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
    }

    /// From `start` to the top, always to the neighbour with the best bound.
    fn path(&self, start: usize) -> Vec<usize> {
        let mut path = vec![start];
        let mut node = start;
        while let Some(next) = self
            .lattice
            .above(node)
            .min_by_key(|&next| self.bound_rank(next))
        {
            path.push(next);
            node = next;
        }
        path
    }

    /// Checks one node against the data; whether it is within the limit, or anything below it may be.
    fn check(&mut self, node: usize) -> bool {
        self.checked += 1;
        let levels = self.lattice.levels(node);
        let outcome = self.checker.check(&levels);
        let is_within = self.judge(node, &levels, &outcome);
        let floor = self.checker.least_above(&outcome);
        if floor > 0.0 {
            self.floors.add(&levels, floor);
        }
        self.checker.keep(&levels);
        is_within
    }

    fn judge(&mut self, node: usize, levels: &[usize], outcome: &Outcome) -> bool {
        match Finding::of(self.problem, outcome) {
            Finding::Excludes => {
                self.exclude(node);
                return false;
            }
            Finding::Refused => {
                self.state[node] = State::Refused;
                return !self.problem.is_monotone();
            }
            Finding::Within => self.state[node] = State::Checked,
        }
        let cost = self.checker.cost(levels, outcome);
        debug_assert!(self.bounds[node] <= cost, "the bound is a lower bound");
        let rank = Rank::new(cost, self.lattice.level_sum(node), node);
        if self.best.as_ref().is_none_or(|best| rank < best.rank) {
            self.best = Some(Best::new(rank, outcome));
        }
        true
    }

    /// Marks a node and everything below it as beyond the limit.
    fn exclude(&mut self, node: usize) {
        let mut open = vec![node];
        self.state[node] = State::Beyond;
        while let Some(node) = open.pop() {
            for below in self.lattice.below(node) {
                if self.state[below] != State::Beyond {
                    self.state[below] = State::Beyond;
                    open.push(below);
                }
            }
        }
    }

    fn finish(self) -> Option<Optimum> {
        let best = self.best?;
        Some(best.optimum(self.problem, self.lattice, self.checked))
    }
}
