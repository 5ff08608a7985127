//! A search that may end at any time, for lattices too large to be listed.
//!
//! Nodes are taken best bound first, as in the exact search, but lazily: a queue holds *beginnings*, the levels of the first columns,
//! with the least that any node with this beginning can cost. What is at its head when the search ends is what the optimum costs at
//! least. Before, a node within the limit is looked for on a path from the bottom to the top, and from there down for as long as
//! that gets better, so that there is something to release early on.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::bound::Bounds;
use super::checks::Checks;
use super::cost::Rank;
use super::kept::PackedLevels;
use super::lattice::Lattice;
use super::problem::Problem;
use super::{Best, Finding, Optimum};

/// Beginnings that are taken from the queue at most for each node that may be checked.
const BEGINNINGS_PER_NODE: usize = 100;

/// Beginnings that wait in the queue at most: of twenty columns, some 150 MB.
const MAX_WAITING: usize = 1 << 19;

/// When a search ends before it has proven its optimum.
pub(crate) struct Budget<'a> {
    /// Nodes that may be checked.
    pub(crate) nodes: usize,
    /// Asked before each node.
    pub(crate) stop: &'a mut dyn FnMut() -> bool,
}

/// The best node found within a budget.
///
/// # Errors
///
/// None was found that is within the limit: the nodes checked when the budget was spent, or `None` where there is none.
pub(crate) fn best_within(
    problem: &Problem<'_>,
    lattice: &Lattice,
    budget: Budget<'_>,
) -> Result<Optimum, Option<usize>> {
    let mut search = Anytime {
        problem,
        lattice,
        bounds: Bounds::new(problem),
        checks: Checks::new(problem),
        budget,
        known: HashMap::new(),
        excluded: Vec::new(),
        best: None,
        checked: 0,
        beginnings: 0,
        is_spent: false,
    };
    search.follow_path(0);
    search.descend();
    let left = search.best_first();
    search.finish(left)
}

struct Anytime<'a, 'b> {
    problem: &'a Problem<'a>,
    lattice: &'a Lattice,
    bounds: Bounds<'a>,
    checks: Checks<'a>,
    budget: Budget<'b>,
    /// Of each node that was checked, whether it or any node below it may be within the limit.
    known: HashMap<usize, bool>,
    /// Nodes that exclude all below them.
    excluded: Vec<PackedLevels>,
    best: Option<Best>,
    checked: usize,
    beginnings: usize,
    is_spent: bool,
}

/// The levels of the first columns of a node. Equal bounds are taken in the order of the levels, longer ones first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Beginning {
    rank: Rank,
    missing: Reverse<usize>,
    levels: Vec<usize>,
}

/// Beginnings, the best first. Where there are too many the worst are left out, and what they cost at least is remembered: then
/// memory ends before time does, and the answer is still as good as it says.
struct Queue {
    waiting: BTreeSet<Beginning>,
    most: usize,
    left_out: Option<f64>,
}

impl Queue {
    const fn new(most: usize) -> Self {
        Self {
            waiting: BTreeSet::new(),
            most,
            left_out: None,
        }
    }

    fn push(&mut self, beginning: Option<Beginning>) {
        self.waiting.extend(beginning);
        while self.waiting.len() > self.most {
            let worst = self.waiting.pop_last().map(|worst| worst.rank.cost());
            self.left_out = worst.map(|worst| self.least_with(worst));
        }
    }

    fn pop(&mut self) -> Option<Beginning> {
        self.waiting.pop_first()
    }

    /// The lesser of this and what was left out.
    fn least_with(&self, cost: f64) -> f64 {
        self.left_out.map_or(cost, |least| least.min(cost))
    }
}

impl Anytime<'_, '_> {
    /// Whether a node is known to be of no use: it is excluded by one above it.
    fn is_excluded(&self, levels: &[usize]) -> bool {
        let levels = PackedLevels::new(levels);
        self.excluded.iter().any(|above| levels.is_below(above))
    }

    fn may_check(&mut self) -> bool {
        let is_spent = self.checked >= self.budget.nodes
            || self.beginnings >= self.budget.nodes.saturating_mul(BEGINNINGS_PER_NODE)
            || (self.budget.stop)();
        self.is_spent |= is_spent;
        !self.is_spent
    }

    /// Whether a node or any below it may be within the limit; `None` when the budget is spent.
    fn may_be_within(&mut self, node: usize) -> Option<bool> {
        if let Some(&known) = self.known.get(&node) {
            return Some(known);
        }
        let levels = self.lattice.levels(node);
        if self.is_excluded(&levels) {
            return Some(false);
        }
        self.may_check().then(|| self.check(node, &levels))
    }

    fn check(&mut self, node: usize, levels: &[usize]) -> bool {
        self.checked += 1;
        let outcome = self.checks.check(levels);
        let may_be = match Finding::of(self.problem, &outcome) {
            Finding::Excludes => {
                let levels = PackedLevels::new(levels);
                self.excluded.retain(|other| !other.is_below(&levels));
                self.excluded.push(levels);
                false
            }
            Finding::Refused => !self.problem.is_monotone(),
            Finding::Within(cost) => {
                let rank = Rank::new(cost, self.lattice.level_sum(node), node);
                Best::improve(&mut self.best, rank, &outcome);
                true
            }
        };
        self.known.insert(node, may_be);
        may_be
    }

    fn bound_rank(&self, node: usize) -> Rank {
        let levels = self.lattice.levels(node);
        let cost = self.bounds.cost(&levels, &self.bounds.known(&levels));
        Rank::new(cost, levels.iter().sum(), node)
    }

    /// Checks a node and, by halves, the path from it to the top, on which each node is the best by its bound.
    fn follow_path(&mut self, start: usize) {
        let mut path = vec![start];
        let mut node = start;
        while let Some(next) = (self.lattice.above(node)).min_by_key(|&next| self.bound_rank(next))
        {
            path.push(next);
            node = next;
        }
        let (mut low, mut high) = (0, path.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.may_be_within(path[middle]) {
                Some(true) => high = middle,
                Some(false) => low = middle + 1,
                None => return,
            }
        }
    }

    /// From the best node to better ones below, one level at a time.
    fn descend(&mut self) {
        while let Some(best) = self.best.as_ref().map(|best| best.rank) {
            let mut below: Vec<Rank> = self
                .lattice
                .below(best.node)
                .map(|node| self.bound_rank(node))
                .collect();
            below.sort();
            for candidate in below {
                if candidate < best && self.may_be_within(candidate.node).is_none() {
                    return;
                }
            }
            if self.best.as_ref().is_some_and(|now| now.rank == best) {
                return;
            }
        }
    }

    /// Takes beginnings until nothing better is left, or the budget is spent: then what is left costs at least what is returned.
    fn best_first(&mut self) -> Option<f64> {
        let mut queue = Queue::new(MAX_WAITING);
        queue.push(self.beginning(Vec::new()));
        while let Some(next) = queue.pop() {
            if self.best.as_ref().is_some_and(|best| best.rank < next.rank) {
                break;
            }
            let bound = queue.least_with(next.rank.cost());
            self.beginnings += 1;
            if !self.may_check() {
                return Some(bound);
            }
            if next.missing == Reverse(0) {
                let node = next.rank.node;
                if self.known.contains_key(&node) || self.is_excluded(&next.levels) {
                    continue;
                }
                if self.problem.is_monotone() || self.problem.tells_of_below() {
                    self.follow_path(node);
                } else {
                    self.may_be_within(node);
                }
                if self.is_spent {
                    return Some(bound);
                }
                continue;
            }
            for level in 0..self.lattice.size(next.levels.len()) {
                let mut levels = next.levels.clone();
                levels.push(level);
                queue.push(self.beginning(levels));
            }
        }
        queue.left_out
    }

    /// A beginning with the least that it costs; `None` when all its nodes are beyond the limit.
    fn beginning(&self, levels: Vec<usize>) -> Option<Beginning> {
        let known = self.bounds.known(&levels);
        if known.suppressed() > self.problem.goal().limit {
            return None;
        }
        let missing = self.problem.columns().len() - levels.len();
        let cost = self.bounds.least(&levels, &known);
        let node = self.lattice.first_with(&levels);
        Some(Beginning {
            rank: Rank::new(cost, levels.iter().sum(), node),
            missing: Reverse(missing),
            levels,
        })
    }

    fn finish(self, left: Option<f64>) -> Result<Optimum, Option<usize>> {
        let checked = self.checked;
        let best = self.best.ok_or(self.is_spent.then_some(checked))?;
        let columns = self.problem.columns().len();
        let metric = self.problem.goal().metric;
        let at_least = left.filter(|left| *left < best.rank.cost());
        Ok(Optimum {
            at_least: at_least.map(|left| metric.score(left, columns)),
            ..best.optimum(self.problem, self.lattice, checked)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However little room there is, what is taken comes in order, and nothing else costs less than is said.
        #[test]
        fn what_is_left_out_of_the_queue_costs_as_much_as_it_says(
            costs in prop::collection::vec(0_u16..100, 1..60),
            most in 1_usize..10,
        ) {
            let mut queue = Queue::new(most);
            for (node, &cost) in costs.iter().enumerate() {
                queue.push(Some(Beginning {
                    rank: Rank::new(f64::from(cost), 0, node),
                    missing: Reverse(0),
                    levels: vec![node],
                }));
                prop_assert!(queue.waiting.len() <= most);
            }
            let left_out = queue.left_out;
            let mut taken = Vec::new();
            while let Some(next) = queue.pop() {
                taken.push(next.rank.cost());
            }
            let mut all: Vec<f64> = costs.iter().map(|&cost| f64::from(cost)).collect();
            all.sort_by(f64::total_cmp);
            prop_assert_eq!(&all[..taken.len()], &taken[..]);
            prop_assert_eq!(all.get(taken.len()).copied(), left_out);
        }
    }
}
