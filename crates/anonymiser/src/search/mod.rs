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
//! checked ([`floors`]). Nodes are taken in the order of their
//! bound; the search ends when the next bound is no better than the best node checked, which is
//! then optimal ([`exact`]). A lattice that is too large to be listed is searched for as long as wanted ([`anytime`]).

mod anytime;
mod bound;
mod checker;
mod checks;
mod classes;
mod coded;
mod cost;
mod crossing;
mod entries;
mod exact;
mod floors;
mod kept;
mod keys;
mod lattice;
mod merging;
mod pairs;
mod problem;
mod raising;

pub(crate) use anytime::{Budget, best_within};
pub(crate) use classes::Classes;
pub(crate) use coded::QuasiIdentifier;
pub(crate) use exact::optimum;
pub(crate) use lattice::Lattice;
pub(crate) use problem::{Goal, Problem, Sensitive};

use checker::{Checker, Outcome, Source};
use cost::Rank;

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

/// A node by itself, whether or not it is within the limit.
pub(crate) struct Node {
    /// By [`Metric::Loss`], whatever the metric of the search.
    pub(crate) loss: f64,
    pub(crate) risks: Risks,
    /// The rows of the table that are released, unless all are.
    pub(crate) kept: Option<Vec<u32>>,
}

impl Node {
    /// Of columns that are made for [`Metric::Loss`].
    pub(crate) fn new(
        problem: &Problem<'_>,
        by_loss: &[QuasiIdentifier<'_>],
        levels: &[usize],
    ) -> Self {
        let mut checker = Checker::new(problem);
        let bottom = vec![0; levels.len()];
        let distinct = Source {
            levels: &bottom,
            entries: problem.entries(),
        };
        let outcome = checker.check(distinct, levels);
        let cost = checker.weighed(distinct, by_loss, Metric::Loss, levels, &outcome);
        let kept = || {
            let rows = (0..).zip(problem.rows_of(checker.kept()));
            rows.filter_map(|(row, kept)| kept.then_some(row)).collect()
        };
        Self {
            loss: Metric::Loss.score(cost, levels.len()),
            kept: (outcome.suppressed > 0).then(kept),
            risks: checker.risks(),
        }
    }
}

/// What a check says of the limit.
enum Finding {
    /// More rows are suppressed than allowed, here and everywhere below.
    Excludes,
    /// More rows are suppressed than allowed.
    Refused,
    /// No more rows are; what the node costs.
    Within(f64),
}

impl Finding {
    fn of(problem: &Problem<'_>, outcome: &Outcome) -> Self {
        let limit = problem.goal().limit;
        match outcome.cost {
            _ if outcome.suppressed_below > limit => Self::Excludes,
            None if problem.is_monotone() => Self::Excludes,
            None => Self::Refused,
            Some(cost) => Self::Within(cost),
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
    /// Puts a node in the place of the best one so far, if it ranks before that.
    fn improve(best: &mut Option<Self>, rank: Rank, outcome: &Outcome) {
        if best.as_ref().is_none_or(|best| rank < best.rank) {
            *best = Some(Self {
                rank,
                suppressed: outcome.suppressed,
                classes: outcome.classes,
                smallest_class: outcome.smallest_class,
            });
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
