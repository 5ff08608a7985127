//! What is done before the search.

use std::borrow::Cow;
use std::sync::Arc;

use super::check::{coded, hierarchy};
use super::date_shift::{BeyondYears, DateShift, shifted};
use super::own_words::without_own_words;
use super::scrub::scrubbed;
use crate::hierarchy::Hierarchy;
use crate::plan::{ColumnPlan, Plan, PlanError, Role};
use crate::release::AnonymiseError;
use crate::table::{Column, Table};

/// What is left to the search and to writing what it finds.
pub(crate) struct Before<'a> {
    /// Coded, shifted and scrubbed.
    pub(crate) table: Cow<'a, Table>,
    /// Coded.
    pub(crate) population: Option<Cow<'a, Table>>,
    /// With the hierarchies that rules make, and nothing else to be done with any column: what is aggregated afterwards is kept as it
    /// is, and what is scrubbed as well; other free text is to be dropped.
    pub(crate) plan: Cow<'a, Plan>,
}

impl<'a> Before<'a> {
    /// Of a table and a population that the plan's checks passed; `fitted` is what they made of the table.
    pub(crate) fn new(
        table: &'a Table,
        population: Option<&'a Table>,
        plan: &'a Plan,
        fitted: Vec<Option<Hierarchy>>,
        key: &[u8; 32],
    ) -> Result<Self, AnonymiseError> {
        let mut before = Self {
            table: Cow::Borrowed(table),
            population: population.map(Cow::Borrowed),
            plan: Cow::Borrowed(plan),
        };
        if plan.columns.iter().all(is_simple) {
            return Ok(before);
        }
        let mut columns = Vec::with_capacity(plan.columns.len());
        for (declared, fitted) in plan.columns.iter().zip(fitted) {
            let found = column_of(table, declared);
            let column = found.expect("the check found every declared column");
            let transformed = transformed(declared, column, table, plan, key)?;
            let people = population.and_then(|people| column_of(people, declared));
            let is_searched =
                declared.role == Role::QuasiIdentifier && declared.aggregate.is_none();
            let people = people.filter(|_| is_searched);
            let people = people
                .map(|people| coded(declared, people, "population"))
                .transpose()?;
            columns.push(done(declared, &transformed, people.as_deref(), fitted)?);
            before.table = replaced(before.table, transformed);
            before.population = match (before.population, people) {
                (Some(population), Some(people)) => Some(replaced(population, people)),
                (population, _) => population,
            };
        }
        let privacy = plan.privacy.clone();
        before.plan = Cow::Owned(Plan { columns, privacy });
        Ok(before)
    }
}

/// Whether nothing is to be done with a column here.
fn is_simple(declared: &ColumnPlan) -> bool {
    let ColumnPlan {
        rule,
        bottom,
        top,
        aggregate,
        shift,
        role,
        ..
    } = declared;
    let ends = bottom.or(*top);
    rule.is_none()
        && ends.is_none()
        && aggregate.is_none()
        && shift.is_none()
        && *role != Role::Text
}

fn column_of<'a>(table: &'a Table, declared: &ColumnPlan) -> Option<&'a Arc<Column>> {
    let position = table.column_index(&declared.name)?;
    Some(&table.columns()[position])
}

/// What is declared of a column once all is done that the search does not know of.
fn done(
    declared: &ColumnPlan,
    column: &Column,
    people: Option<&Column>,
    fitted: Option<Hierarchy>,
) -> Result<ColumnPlan, PlanError> {
    let made = match people {
        Some(people) => hierarchy(declared, &column.followed_by(people), "table")?,
        None if declared.shift.is_some() => hierarchy(declared, column, "table")?,
        None => fitted,
    };
    let role = match declared.role {
        Role::QuasiIdentifier if declared.aggregate.is_some() => Role::Plain,
        Role::Text if declared.scrub => Role::Plain,
        // It leaves as little as what identifies does.
        Role::Text => Role::Identifier,
        role => role,
    };
    let mut left = ColumnPlan {
        role,
        rule: None,
        bottom: None,
        top: None,
        missing: Vec::new(),
        aggregate: None,
        shift: None,
        scrub: false,
        ..declared.clone()
    };
    left.hierarchy = made.or(left.hierarchy);
    Ok(left)
}

fn transformed<'a>(
    declared: &ColumnPlan,
    column: &'a Column,
    table: &Table,
    plan: &Plan,
    key: &[u8; 32],
) -> Result<Cow<'a, Column>, AnonymiseError> {
    if let Some(DateShift { by, days }) = &declared.shift {
        let position = table
            .column_index(by)
            .expect("the check found the pseudonym");
        let is_missing = |cell: &str| declared.is_missing(cell);
        let shifted = shifted(column, &table.columns()[position], *days, &is_missing, key);
        let shifted = shifted.map_err(|BeyondYears(row)| AnonymiseError::DateBeyondYears {
            column: declared.name.clone(),
            row: row + 1,
        });
        return Ok(Cow::Owned(shifted?));
    }
    if declared.role == Role::Text && declared.scrub {
        // First whole addresses, in which a name may stand; in the end whatever has come together.
        let clean = column.rewritten(scrubbed);
        let anonymous = without_own_words(&clean, &identifying(table, plan));
        return Ok(Cow::Owned(anonymous.rewritten(scrubbed)));
    }
    Ok(coded(declared, column, "table")?)
}

/// The columns that say who it is.
fn identifying<'a>(table: &'a Table, plan: &Plan) -> Vec<&'a Column> {
    let says_who =
        |declared: &&ColumnPlan| matches!(declared.role, Role::Identifier | Role::Pseudonym);
    let declared = plan.columns.iter().filter(says_who);
    let columns = declared.filter_map(|declared| column_of(table, declared));
    columns.map(|column| &**column).collect()
}

/// The table with this column in the place of the one of its name.
fn replaced<'a>(table: Cow<'a, Table>, column: Cow<'_, Column>) -> Cow<'a, Table> {
    let Cow::Owned(column) = column else {
        return table;
    };
    let column = Arc::new(column);
    let columns = table.columns().iter().map(|old| {
        let is_old = old.name() == column.name();
        Arc::clone(if is_old { &column } else { old })
    });
    Cow::Owned(Table::from_columns(columns.collect(), table.rows()))
}
