//! The search that proves its optimum, over a lattice that is listed node by node.
//!
//! Nodes are begun with in the order of their bounds. Up from there leads a path, and where it comes within the limit is searched for: a
//! node beyond the limit excludes all below it, also off the path. Some paths are followed side by side, so that nodes can
//! be checked at the same time; how many does not depend on the threads, so neither does what is checked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bound::Bounds;
use super::checker::Outcome;
use super::checks::Checks;
use super::cost::Rank;
use super::crossing::Crossing;
use super::floors::Floors;
use super::kept::PackedLevels;
use super::lattice::Lattice;
use super::problem::Problem;
use super::{Best, Finding, Optimum};

/// Paths that are followed side by side, once it is known where one came within the limit.
const PATHS: usize = 4;
/// Nodes that are passed over at most to find the next path.
const PASSED_OVER: usize = 64;

/// Finds the node that costs least of those within the suppression limit; of equal cost the
/// lower level sum wins, then the lexicographically smaller levels. `None` when no node is
/// within the limit.
pub(crate) fn optimum(problem: &Problem<'_>, lattice: &Lattice) -> Option<Optimum> {
    let mut search = Search::new(problem, lattice);
    let mut paths = Vec::new();
    loop {
        paths.retain_mut(|path| search.goes_on(path));
        search.begin(&mut paths);
        if paths.is_empty() {
            return search.finish();
        }
        search.check_next(&paths);
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

/// From a node to the top, or that node alone where others would tell nothing of it.
struct Path {
    nodes: Vec<usize>,
    crossing: Crossing,
    /// Levels of the node up to which it probably excludes all.
    excludes: Option<PackedLevels>,
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    lattice: &'a Lattice,
    checks: Checks<'a>,
    bounds: Vec<f64>,
    /// Rows that each node suppresses at least.
    suppressed: Vec<u32>,
    floors: Floors,
    state: Vec<State>,
    /// Nodes that may be within the limit, the best bound first.
    open: BinaryHeap<Reverse<Rank>>,
    best: Option<Best>,
    checked: usize,
    /// Level sum at which the last path came within the limit: others do at about the same.
    crossing: Option<usize>,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>, lattice: &'a Lattice) -> Self {
        let pairs = Bounds::new(problem);
        let mut bounds = vec![f64::INFINITY; lattice.nodes()];
        let mut suppressed = vec![0; lattice.nodes()];
        let mut state = vec![State::Beyond; lattice.nodes()];
        let mut open = Vec::new();
        lattice.within(&pairs, problem.goal().limit, |node, cost, least| {
            state[node] = State::Unknown;
            bounds[node] = cost;
            suppressed[node] = least as u32;
            open.push(Reverse(Rank::new(cost, lattice.level_sum(node), node)));
        });
        Self {
            problem,
            lattice,
            checks: Checks::new(problem),
            bounds,
            suppressed,
            floors: Floors::default(),
            state,
            open: open.into(),
            best: None,
            checked: 0,
            crossing: None,
        }
    }

    fn bound_rank(&self, node: usize) -> Rank {
        Rank::new(self.bounds[node], self.lattice.level_sum(node), node)
    }

    /// Whether the best node checked ranks before anything that a node with this bound could turn out to be.
    fn is_beaten(&self, bound: Rank) -> bool {
        self.best.as_ref().is_some_and(|best| best.rank < bound)
    }

    /// Begins with further paths: from the best nodes that are open, and that those before will probably not exclude.
    fn begin(&mut self, paths: &mut Vec<Path>) {
        let most = if self.crossing.is_none() { 1 } else { PATHS };
        let mut passed_over = Vec::new();
        while paths.len() < most && passed_over.len() < PASSED_OVER {
            let Some(next) = self.next_open() else {
                break;
            };
            let levels = PackedLevels::new(&self.lattice.levels(next.node));
            let mut excluding = paths.iter().filter_map(|path| path.excludes.as_ref());
            if excluding.any(|above| levels.is_below(above)) {
                passed_over.push(Reverse(next));
                continue;
            }
            let mut path = self.path(next.node);
            if self.goes_on(&mut path) {
                paths.push(path);
            }
        }
        self.open.extend(passed_over);
    }

    /// Takes the best node that is open, unless it is no better than one that was checked.
    fn next_open(&mut self) -> Option<Rank> {
        while let Some(&Reverse(next)) = self.open.peek() {
            if self.is_beaten(next) {
                return None;
            }
            self.open.pop();
            if self.state[next.node] != State::Unknown {
                continue;
            }
            // Another node that was checked meanwhile may tell more of this one.
            if !self.raise(next.node) {
                return Some(next);
            }
            self.open.push(Reverse(self.bound_rank(next.node)));
        }
        None
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

    /// From `start` to the top, always to the neighbour with the best bound.
    fn path(&self, start: usize) -> Path {
        let mut nodes = vec![start];
        let mut node = start;
        if self.problem.is_monotone() || self.problem.tells_of_below() {
            let above = |node| self.lattice.above(node);
            while let Some(next) = above(node).min_by_key(|&next| self.path_rank(next)) {
                nodes.push(next);
                node = next;
            }
        }
        let sum = self.lattice.level_sum(start);
        let guess = self.crossing.map(|crossing| crossing.saturating_sub(sum));
        let beyond = guess.unwrap_or(0).min(nodes.len());
        let last = nodes[..beyond].last().copied();
        Path {
            crossing: Crossing::new(nodes.len(), guess),
            excludes: last.map(|last| PackedLevels::new(&self.lattice.levels(last))),
            nodes,
        }
    }

    /// Of neighbours with equal bounds first the one that suppresses most: the longer a path stays beyond the limit, the more it excludes.
    fn path_rank(&self, node: usize) -> (Rank, Reverse<u32>, usize) {
        let bound = Rank::new(self.bounds[node], 0, 0);
        (bound, Reverse(self.suppressed[node]), node)
    }

    /// Checks the next node of each path. Where what is within the limit is not monotone, what is asked of the nodes of a path is whether
    /// they exclude all below, which is.
    fn check_next(&mut self, paths: &[Path]) {
        let mut nodes: Vec<usize> = Vec::with_capacity(paths.len());
        for node in paths.iter().filter_map(Path::next) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        self.check(&nodes);
    }

    /// Follows a path as far as its nodes are known; whether that is not to its end.
    fn goes_on(&mut self, path: &mut Path) -> bool {
        while let Some(next) = path.next() {
            let Some(may_be) = self.may_be_within(next) else {
                // Unless it was another path that excluded where this one began.
                return path.crossing.beyond() > 0 || self.state[path.nodes[0]] != State::Beyond;
            };
            path.crossing.tell(may_be);
        }
        let start = self.lattice.level_sum(path.nodes[0]);
        self.crossing = Some(start + path.crossing.beyond());
        false
    }

    /// Whether a node or anything below it may be within the limit, if that is known.
    fn may_be_within(&self, node: usize) -> Option<bool> {
        match self.state[node] {
            State::Unknown => None,
            State::Beyond => Some(false),
            State::Refused => Some(!self.problem.is_monotone()),
            State::Checked => Some(true),
        }
    }

    /// Checks nodes against the data.
    fn check(&mut self, nodes: &[usize]) {
        self.checked += nodes.len();
        let levels = nodes.iter().map(|&node| self.lattice.levels(node));
        let levels: Vec<Vec<usize>> = levels.collect();
        let outcomes = self.checks.check_all(&levels);
        for ((&node, levels), outcome) in nodes.iter().zip(&levels).zip(&outcomes) {
            self.judge(node, outcome);
            if outcome.least_above > 0.0 {
                self.floors.add(levels, outcome.least_above);
            }
        }
    }

    fn judge(&mut self, node: usize, outcome: &Outcome) {
        match Finding::of(self.problem, outcome) {
            Finding::Excludes => self.exclude(node),
            Finding::Refused => self.state[node] = State::Refused,
            Finding::Within(cost) => {
                self.state[node] = State::Checked;
                debug_assert!(self.bounds[node] <= cost, "the bound is a lower bound");
                let rank = Rank::new(cost, self.lattice.level_sum(node), node);
                Best::improve(&mut self.best, rank, outcome);
            }
        }
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

impl Path {
    /// The node to ask of next.
    fn next(&self) -> Option<usize> {
        self.crossing.next().map(|next| self.nodes[next])
    }
}
