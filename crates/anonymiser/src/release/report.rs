//! What anonymising gives.

use serde::{Deserialize, Serialize};

use crate::effort::Method;
use crate::metric::Metric;
use crate::risk::Risks;
use crate::safe_harbor::Coarsened;
use crate::table::Table;

/// A release and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Anonymised {
    /// What may leave: no identifiers, generalised quasi-identifiers, no suppressed row. Rows
    /// and columns keep their order.
    pub table: Table,
    /// What it cost and what it holds to.
    pub report: Report,
}

/// What anonymising did (P12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Rows of the table.
    pub rows_in: usize,
    /// Rows of the release.
    pub rows_out: usize,
    /// Rows dropped because their class was smaller than k, or did not meet a model.
    pub suppressed: usize,
    /// For each quasi-identifier, in the table's order: name, chosen level, levels there are.
    pub levels: Vec<(String, usize, usize)>,
    /// Loss by the geometric mean, 0 (nothing lost) to 1 (everything).
    pub loss: f64,
    /// The metric that is least.
    pub metric: Metric,
    /// What it is; with [`Metric::Loss`] the same as `loss`.
    pub score: f64,
    /// Rows of the smallest class released; 0 when nothing is. Without quasi-identifiers all
    /// rows are one class.
    pub k_reached: usize,
    /// Classes released.
    pub classes: usize,
    /// The risks that somebody is found again, within the population where one is known.
    pub risks: Risks,
    /// Level combinations there are.
    pub nodes_in_lattice: usize,
    /// Level combinations whose rows had to be grouped to prove the optimum; by Mondrian, the cuts that were tried.
    pub nodes_checked: usize,
    /// What Safe Harbor had written coarser before anything else was done, where the plan asks for it. The loss does not count it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coarsened: Vec<Coarsened>,
    /// For each column of the table, in its order: name, and what was done with it in plain words. Without values.
    #[serde(default)]
    pub transformations: Vec<(String, String)>,
    /// Where the search ended before its result was proven to be the optimum: what the optimum scores at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// How the quasi-identifiers were generalised. By Mondrian there are no levels.
    #[serde(default, skip_serializing_if = "Method::is_default")]
    pub method: Method,
}
