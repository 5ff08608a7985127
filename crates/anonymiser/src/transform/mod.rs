//! What is done with columns besides generalising them: before the search, and after it.
//!
//! | | columns | what | when |
//! |---|---|---|---|
//! | [`bottom`, `top`](crate::ColumnPlan::top) | numeric | what lies beyond is written in one word | before |
//! | [`rule`](crate::Rule) | quasi-identifiers | makes the hierarchy that is searched | before |
//! | [`shift`](DateShift) | dates | by days of each person's own | before |
//! | [`scrub`](crate::ColumnPlan::scrub) | free text | what the detectors find is taken out, and the words of the record's own identifiers | before |
//! | [`aggregate`](Aggregate) | numeric quasi-identifiers | one value for each class | after |
//!
//! So the search knows of none of them: it gets a table in which all is done that comes before, and a plan that says nothing else.
//!
//! Free text is dropped unless it is scrubbed, and scrubbing finds no *names* but those in the record's own identifiers: nothing in a
//! text tells others apart from other words. A custodian who releases free text answers for them.

mod aggregate;
mod before;
mod check;
mod coding;
mod date_shift;
mod own_words;
mod scrub;
mod words;

pub use aggregate::Aggregate;
pub use date_shift::{DateShift, MAX_SHIFT_DAYS};

pub(crate) use before::Before;
pub(crate) use check::{check_declared, check_values, hierarchy_of, row_of};
pub(crate) use coding::{Coding, position};
pub(crate) use scrub::is_clean;

use std::sync::Arc;

use crate::measure::classes_of;
use crate::number::Number;
use crate::plan::{ColumnPlan, MIN_K, Plan, Role};
use crate::release::{AnonymiseError, Anonymised};
use crate::table::{Column, Table};
use aggregate::{Aggregation, aggregated};

/// Aggregates within the classes of a release, and says what was done with each column of the original.
pub(crate) fn after(
    made: &mut Anonymised,
    original: &Table,
    plan: &Plan,
) -> Result<(), AnonymiseError> {
    made.report.transformations = words::transformations(original, plan, &made.report.levels);
    if plan.columns.iter().all(|column| column.aggregate.is_none()) {
        return Ok(());
    }
    let is_searched =
        |column: &ColumnPlan| column.role == Role::QuasiIdentifier && column.aggregate.is_none();
    if !plan.columns.iter().any(is_searched) {
        check_single_class(made, plan)?;
    }
    let classes = classes_of(&made.table, plan, is_searched);
    let columns = made.table.columns().iter().map(|column| {
        let declared = plan.column(column.name())?;
        let how = Aggregation {
            aggregate: declared.aggregate?,
            least_count: plan.privacy.k.max(MIN_K),
            decimals: decimals(original, declared),
            is_missing: &|cell| declared.is_missing(cell),
        };
        Some(Arc::new(aggregated(column, &classes, &how)))
    });
    let columns = columns.zip(made.table.columns());
    let columns = columns.map(|(aggregated, column)| aggregated.unwrap_or(Arc::clone(column)));
    made.table = Table::from_columns(columns.collect(), made.table.rows());
    Ok(())
}

/// Where every quasi-identifier is aggregated nothing was searched for: all rows are one class, which is k rows, as the plan's check
/// found, and has to keep the limits of risks by itself.
fn check_single_class(made: &Anonymised, plan: &Plan) -> Result<(), AnonymiseError> {
    let limits = &plan.privacy.risks;
    let is_kept = limits.iter().all(|limit| limit.is_kept(&made.report.risks));
    if is_kept {
        return Ok(());
    }
    let limit = made.report.rows_in - made.report.rows_out;
    Err(AnonymiseError::OutOfReach {
        k: plan.privacy.k,
        limit,
    })
}

/// The most digits behind the point of any number of a column.
fn decimals(table: &Table, declared: &ColumnPlan) -> usize {
    let column = table
        .column_index(&declared.name)
        .map(|position| &table.columns()[position]);
    let values = column
        .into_iter()
        .flat_map(|column: &Arc<Column>| column.values());
    let known = values.filter(|value| !declared.is_missing(value));
    let numbers = known.filter_map(|value| Number::parse(value));
    numbers.map(Number::decimals).max().unwrap_or(0)
}
