//! The optimal full-domain generalisation under k-anonymity and models of sensitive columns, with a suppression limit (P12).
//!
//! A node of the lattice fixes a level for each quasi-identifier. Its classes are the rows that
//! look the same there; rows of classes that are smaller than k, or that a model does not accept, are
//! suppressed. Going up merges classes. k and distinct l-diversity survive any merge, so under
//! them being within the limit is monotone, and one node found beyond it excludes everything below.
//! The other models survive the merge of classes that are both accepted, and not always of others: under them a node
//! excludes what is below only by what k and distinct l-diversity suppress, or where nothing may be suppressed. Loss is *not* monotone under suppression, but a lower bound of
//! it follows from pairs of columns alone ([`bound`]). Nodes are taken in the order of their
//! bound; the search ends when the next bound is no better than the best node checked, which is
//! then optimal.

mod bound;
mod checker;
mod classes;
mod entries;
mod lattice;
mod loss;
mod problem;

pub(crate) use classes::Classes;
pub(crate) use lattice::Lattice;
pub(crate) use problem::{Problem, QuasiIdentifier, Sensitive};

use bound::Bounds;
use checker::{Checker, Outcome};
use loss::Rank;

/// The optimum, and what finding it took.
pub(crate) struct Optimum {
    /// The chosen level of each quasi-identifier.
    pub(crate) levels: Vec<usize>,
    pub(crate) score: f64,
    pub(crate) suppressed: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
    pub(crate) nodes_checked: usize,
}

/// Finds the node of least Loss among those within the suppression limit; of equal Loss the
/// lower level sum wins, then the lexicographically smaller levels. `None` when no node is
/// within the limit.
pub(crate) fn optimum(problem: &Problem, lattice: &Lattice) -> Option<Optimum> {
    let mut search = Search::new(problem, lattice);
    for node in search.order() {
        if search.is_beaten(node) {
            break;
        }
        if search.state[node] == State::Unknown {
            search.visit(node);
        }
    }
    search.finish()
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

struct Best {
    rank: Rank,
    node: usize,
    suppressed: usize,
    classes: usize,
    smallest_class: usize,
}

struct Search<'a> {
    problem: &'a Problem,
    lattice: &'a Lattice,
    checker: Checker<'a>,
    bounds: Vec<f64>,
    state: Vec<State>,
    best: Option<Best>,
    checked: usize,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, lattice: &'a Lattice) -> Self {
        let pairs = Bounds::new(problem);
        let mut bounds = Vec::with_capacity(lattice.nodes());
        let mut state = vec![State::Unknown; lattice.nodes()];
        let mut levels = vec![0; lattice.dimensions()];
        for (node, state) in state.iter_mut().enumerate() {
            lattice.levels_into(node, &mut levels);
            let bound = pairs.of(&levels);
            if bound.suppressed > problem.limit() {
                *state = State::Beyond;
            }
            bounds.push(bound.product);
        }
        Self {
            problem,
            lattice,
            checker: Checker::new(problem),
            bounds,
            state,
            best: None,
            checked: 0,
        }
    }

    /// All nodes that may be within the limit, the best bound first.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lattice.nodes())
            .filter(|&node| self.state[node] == State::Unknown)
            .collect();
        order.sort_unstable_by_key(|&node| self.bound_rank(node));
        order
    }

    fn bound_rank(&self, node: usize) -> Rank {
        Rank::new(self.bounds[node], self.lattice.level_sum(node), node)
    }

    /// Whether the best node checked ranks before anything that `node` could turn out to be.
    fn is_beaten(&self, node: usize) -> bool {
        self.best
            .as_ref()
            .is_some_and(|best| best.rank < self.bound_rank(node))
    }

    fn visit(&mut self, node: usize) {
        if self.problem.is_monotone() {
            self.follow_path(node);
        } else {
            self.check(node);
        }
    }

    /// Checks `start` and, while nodes turn out to be beyond the limit, the path above it, by
    /// halves: a node beyond the limit excludes all below it, also off the path.
    fn follow_path(&mut self, start: usize) {
        let path = self.path(start);
        // Invariant: everything before `low` is beyond the limit, everything from `high` on is
        // within it or past the end.
        let (mut low, mut high) = (0, path.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let node = path[middle];
            let within = match self.state[node] {
                State::Beyond | State::Refused => false,
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

    /// Checks one node against the data; whether it is within the limit.
    fn check(&mut self, node: usize) -> bool {
        self.checked += 1;
        let levels = self.lattice.levels(node);
        let outcome = self.checker.check(&levels);
        let is_within = self.judge(node, &levels, &outcome);
        self.checker.keep(&levels);
        is_within
    }

    fn judge(&mut self, node: usize, levels: &[usize], outcome: &Outcome) -> bool {
        let limit = self.problem.limit();
        if outcome.suppressed_below > limit || (limit == 0 && outcome.suppressed > 0) {
            self.exclude(node);
            return false;
        }
        if outcome.suppressed > limit {
            self.state[node] = State::Refused;
            return false;
        }
        self.state[node] = State::Checked;
        let product = self.checker.loss_product(levels);
        debug_assert!(self.bounds[node] <= product, "the bound is a lower bound");
        let rank = Rank::new(product, self.lattice.level_sum(node), node);
        if self.best.as_ref().is_none_or(|best| rank < best.rank) {
            self.best = Some(Best {
                rank,
                node,
                suppressed: outcome.suppressed,
                classes: outcome.classes,
                smallest_class: outcome.smallest_class,
            });
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
        Some(Optimum {
            levels: self.lattice.levels(best.node),
            score: loss::score(best.rank.product(), self.problem.columns().len()),
            suppressed: best.suppressed,
            classes: best.classes,
            smallest_class: best.smallest_class,
            nodes_checked: self.checked,
        })
    }
}
