//! From a table and a plan to a release and its report.

mod error;
mod full_domain;
mod generalising;
mod mondrian;
mod part;
mod report;

pub use error::AnonymiseError;
pub use report::{Anonymised, Report};

use generalising::generalised;

use crate::plan::{Plan, PlanError};
use crate::safe_harbor::{coarsened, identifiers_left, undeclared};
use crate::table::Table;
use crate::transform::{self, Before};

/// The largest lattice that is searched: the product of the levels of all quasi-identifiers.
pub const MAX_LATTICE_NODES: usize = 4_000_000;

/// Anonymises `table` by `plan`: drops identifiers, replaces pseudonyms by keyed ones, and
/// generalises the quasi-identifiers to the full-domain recoding of least cost that is k-anonymous, meets the models of the
/// sensitive columns and the limits of risks, and suppresses no more rows than allowed. The same input always gives the same
/// output.
///
/// # Errors
///
/// [`AnonymiseError`]: the plan does not fit, the lattice is too large, the promises are out of reach, or the release would hold
/// identifiers.
pub fn anonymise(
    table: &Table,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
) -> Result<Anonymised, AnonymiseError> {
    anonymise_within(table, None, plan, pseudonym_key)
}

/// As [`anonymise`], of a table of which a population is known, those of the table included: it has the quasi-identifiers, perhaps others,
/// and the journalist and the marketer look there.
///
/// # Errors
///
/// As [`anonymise`], and when the population does not fit the plan.
pub fn anonymise_within(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
) -> Result<Anonymised, AnonymiseError> {
    anonymise_until(table, population, plan, pseudonym_key, &mut || false)
}

/// As [`anonymise_within`], where a search with a limit of nodes ([`Effort::Nodes`](crate::Effort::Nodes)) ends when `stop` says so as well: it is asked before
/// each node. With a clock in it, what comes out depends on the machine; [`Report::at_least`] holds all the same.
///
/// # Errors
///
/// As [`anonymise_within`].
pub fn anonymise_until(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Anonymised, AnonymiseError> {
    let fitted = plan.fit(table).map_err(|error| match error {
        PlanError::UndeclaredColumn { .. } => undeclared_columns(error, table, plan),
        _ => error.into(),
    })?;
    if let Some(population) = population {
        plan.check_population(population)?;
    }
    let safe_harbor = plan.privacy.safe_harbor;
    let coarse = safe_harbor.then(|| coarsened(table, plan));
    let coarse_population = population
        .filter(|_| safe_harbor)
        .map(|population| coarsened(population, plan).0);
    let (original, table) = (table, coarse.as_ref().map_or(table, |(table, _)| table));
    let population = coarse_population.as_ref().or(population);
    let before = Before::new(table, population, plan, fitted, pseudonym_key)?;
    let people = before.population.as_deref();
    let mut made = generalised(&before.table, people, &before.plan, pseudonym_key, stop)?;
    transform::after(&mut made, original, plan)?;
    let found = identifiers_left(&made.table, plan);
    if !found.is_empty() {
        return Err(AnonymiseError::IdentifiersLeft { found });
    }
    made.report.coarsened = coarse.map_or_else(Vec::new, |(_, changes)| changes);
    Ok(made)
}

/// What is wrong with columns that nobody declared: identifiers, or only that.
fn undeclared_columns(error: PlanError, table: &Table, plan: &Plan) -> AnonymiseError {
    match undeclared(table, plan) {
        found if found.is_empty() => error.into(),
        found => AnonymiseError::IdentifiersLeft { found },
    }
}
