//! What Safe Harbor lets stay, when it is made coarse.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{SafeHarborRule, age, postcode};
use crate::detector::{
    folded, folded_column, is_of_ages, is_of_compact_dates, is_of_postcodes, year_of_compact_date,
    year_of_date,
};
use crate::plan::{ColumnPlan, Plan, Role};
use crate::table::{Column, Table};

/// What became of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coarsened {
    /// Name of the column.
    pub column: String,
    /// By which rule.
    pub rule: SafeHarborRule,
    /// Rows changed.
    pub rows: usize,
}

/// The table with dates written as their years, ages over 89 as `90+`, and postcodes as three digits or `000`.
///
/// Of columns that are released as they are, and of quasi-identifiers without a hierarchy. A column with a hierarchy, or with another
/// transformation, is changed by that alone, and judged afterwards; one that accepts a rule is left alone by it.
pub(crate) fn coarsened(table: &Table, plan: &Plan) -> (Table, Vec<Coarsened>) {
    let mut changes = Vec::new();
    let columns = table.columns().iter().map(|column| {
        let Some(declared) = plan
            .column(column.name())
            .filter(|declared| is_coarsened(declared))
        else {
            return Arc::clone(column);
        };
        let mut column = Arc::clone(column);
        for (rule, coarse) in means(&folded_column(&column)) {
            if declared.accepts(rule) {
                continue;
            }
            if let Some((changed, rows)) = rewritten(&column, coarse) {
                let column_name = changed.name().to_string();
                changes.push(Coarsened {
                    column: column_name,
                    rule,
                    rows,
                });
                column = Arc::new(changed);
            }
        }
        column
    });
    let columns = columns.collect();
    (Table::from_columns(columns, table.rows()), changes)
}

fn is_coarsened(declared: &ColumnPlan) -> bool {
    let is_written = !matches!(
        declared.role,
        Role::Identifier | Role::Pseudonym | Role::Text
    );
    let is_transformed = declared.hierarchy.is_some()
        || declared.rule.is_some()
        || declared.aggregate.is_some()
        || declared.shift.is_some()
        || declared.top.is_some()
        || declared.bottom.is_some();
    is_written && !is_transformed
}

type Coarse = fn(&str) -> Cow<'_, str>;

fn means(column: &Column) -> Vec<(SafeHarborRule, Coarse)> {
    let mut means: Vec<(SafeHarborRule, Coarse)> = vec![(SafeHarborRule::Dates, |cell| {
        Cow::Borrowed(year_of_date(cell).unwrap_or(cell))
    })];
    if is_of_compact_dates(column) {
        means.push((SafeHarborRule::Dates, |cell| {
            Cow::Borrowed(year_of_compact_date(cell).unwrap_or(cell))
        }));
    }
    if is_of_ages(column) {
        means.push((SafeHarborRule::Dates, |cell| {
            let is_told = age::is_told_over_89(cell);
            Cow::Borrowed(if is_told { age::OLDEST } else { cell })
        }));
    }
    if is_of_postcodes(column) {
        means.push((SafeHarborRule::Geography, |cell| {
            if postcode::is_too_fine(cell) {
                Cow::Owned(postcode::coarsened(cell))
            } else {
                Cow::Borrowed(cell)
            }
        }));
    }
    means
}

/// The column with each value written anew, and how many rows that changes; nothing, if none.
fn rewritten(column: &Column, coarse: Coarse) -> Option<(Column, usize)> {
    let mut changed = 0;
    let mut values: Vec<Arc<str>> = Vec::new();
    let mut known: HashMap<Arc<str>, u32> = HashMap::new();
    let mut code_of_value = Vec::with_capacity(column.values().len());
    for (value, count) in column.values().iter().zip(column.counts()) {
        let read = folded(value);
        let value: Arc<str> = match coarse(&read) {
            coarse if coarse == read => Arc::clone(value),
            coarse => {
                changed += count;
                coarse.into()
            }
        };
        code_of_value.push(*known.entry(Arc::clone(&value)).or_insert_with(|| {
            values.push(value);
            values.len() as u32 - 1
        }));
    }
    let codes = column
        .codes()
        .iter()
        .map(|&code| code_of_value[code as usize]);
    let name = Arc::clone(column.name());
    (changed > 0).then(|| (Column::recoded(name, codes, &values), changed))
}
