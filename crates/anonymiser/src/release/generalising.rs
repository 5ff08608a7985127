//! What is left to do when nothing but generalising, making pseudonyms and dropping is.

use crate::effort::Method;
use crate::hierarchy::Hierarchy;
use crate::metric::Metric;
use crate::models::{Judge, Model};
use crate::plan::Plan;
use crate::search::{Goal, Problem, QuasiIdentifier, Sensitive};
use crate::table::{Column, Table};

use super::part::Part;
use super::{AnonymiseError, Anonymised};

/// A table on its way into a release.
pub(super) struct Work<'a> {
    pub(super) table: &'a Table,
    pub(super) plan: &'a Plan,
    pub(super) key: &'a [u8; 32],
    /// All columns of the table.
    pub(super) parts: &'a [Part<'a>],
    /// The quasi-identifiers among them.
    pub(super) columns: &'a [(&'a Column, &'a Hierarchy)],
    pub(super) problem: Problem<'a>,
}

/// The release by the method that the plan names.
pub(super) fn generalised(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    key: &[u8; 32],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Anonymised, AnonymiseError> {
    let parts = table.columns().iter();
    let parts = parts.map(|column| Part::new(column, population, plan));
    let parts: Vec<Part<'_>> = parts.collect();
    let columns = parts.iter().filter_map(Part::generalised);
    let columns: Vec<(&Column, &Hierarchy)> = columns.collect();
    let work = Work {
        table,
        plan,
        key,
        parts: &parts,
        columns: &columns,
        problem: problem(table, plan, &columns),
    };
    match plan.privacy.method {
        Method::FullDomain => work.recoded(stop),
        Method::Mondrian => work.cut(),
    }
}

impl Work<'_> {
    pub(super) fn out_of_reach(&self) -> AnonymiseError {
        AnonymiseError::OutOfReach {
            k: self.plan.privacy.k,
            limit: self.problem.goal().limit,
        }
    }
}

/// Quasi-identifiers as the search sees them.
pub(super) fn quasi_identifiers<'a>(
    hierarchies: &[(&'a Column, &'a Hierarchy)],
    rows: usize,
    metric: Metric,
) -> Vec<QuasiIdentifier<'a>> {
    let columns = hierarchies.iter().map(|(column, hierarchy)| {
        QuasiIdentifier::new(column, rows, hierarchy, metric)
            .expect("the check found an entry for every value")
    });
    columns.collect()
}

fn problem<'a>(
    table: &'a Table,
    plan: &Plan,
    hierarchies: &[(&'a Column, &'a Hierarchy)],
) -> Problem<'a> {
    let rows = table.rows();
    let metric = plan.privacy.metric;
    // As ARX does: the share is of the rows, and a part of a row is none.
    let limit = (plan.privacy.suppression_limit * rows as f64).floor() as usize;
    // Without quasi-identifiers nothing tells two rows apart, and neither k nor risks have a meaning.
    let (k, risks) = if hierarchies.is_empty() {
        (1, Vec::new())
    } else {
        (plan.privacy.k, plan.privacy.risks.clone())
    };
    let sensitives = table.columns().iter().filter_map(|column| {
        let column: &Column = column;
        let declared = plan.column(column.name())?;
        let judge = |model: &Model| Judge::new(*model, column, declared.hierarchy.as_ref());
        let judges: Vec<Judge> = declared.models.iter().map(judge).collect();
        (!judges.is_empty()).then(|| Sensitive::new(column, judges))
    });
    let goal = Goal {
        k,
        limit,
        metric,
        risks,
    };
    let columns = quasi_identifiers(hierarchies, rows, metric);
    Problem::new(columns, sensitives.collect(), rows, goal)
}
