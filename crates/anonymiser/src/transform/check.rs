//! Whether what is to be done with a column has a meaning, and whether its cells are what it is for.

use std::borrow::Cow;

use super::Coding;
use crate::date::Written;
use crate::hierarchy::{Hierarchy, HierarchyError};
use crate::plan::{ColumnPlan, Plan, PlanError, Role};
use crate::rule::RuleError;
use crate::table::Column;

/// Checks what is declared of one column.
pub(crate) fn check_declared(declared: &ColumnPlan, plan: &Plan) -> Result<(), PlanError> {
    let faults = [
        fault_of_rule,
        fault_of_coding,
        fault_of_aggregate,
        fault_of_rest,
    ];
    let fault = faults.iter().find_map(|fault| fault(declared));
    match fault.or_else(|| fault_of_shift(declared, plan)) {
        Some(fault) => Err(misused(declared, fault)),
        None => Ok(()),
    }
}

fn misused(declared: &ColumnPlan, fault: &'static str) -> PlanError {
    let column = declared.name.clone();
    PlanError::Transformation { column, fault }
}

/// The first fault that is one.
fn first<const N: usize>(faults: [(bool, &'static str); N]) -> Option<&'static str> {
    faults
        .into_iter()
        .find(|(is_one, _)| *is_one)
        .map(|(_, fault)| fault)
}

fn coding_of(declared: &ColumnPlan) -> Coding {
    Coding {
        bottom: declared.bottom,
        top: declared.top,
    }
}

fn fault_of_rule(declared: &ColumnPlan) -> Option<&'static str> {
    let rule = declared.rule.as_ref()?;
    let beside = "it has a rule and a hierarchy; remove one";
    first([(declared.hierarchy.is_some(), beside)]).or_else(|| rule.fault())
}

fn fault_of_coding(declared: &ColumnPlan) -> Option<&'static str> {
    let coding = coding_of(declared);
    if coding.is_none() {
        return None;
    }
    let is_of_numbers = !matches!(
        declared.role,
        Role::Identifier | Role::Pseudonym | Role::Text
    );
    let takes_coding = declared
        .rule
        .as_ref()
        .is_none_or(|rule| rule.takes_coding());
    first([
        (!is_of_numbers, "the ends of an identifier, a pseudonym or free text are not coded; remove `bottom` and `top`"),
        (declared.hierarchy.is_some(), "its hierarchy does not know coded ends; remove `bottom` and `top`, or use a rule"),
        (!takes_coding, "only a rule of intervals without ends of its own knows coded ends; remove `bottom` and `top`"),
        (declared.aggregate.is_some(), "what is aggregated has no coded ends; remove `bottom` and `top`"),
    ])
    .or_else(|| coding.fault())
}

fn fault_of_aggregate(declared: &ColumnPlan) -> Option<&'static str> {
    declared.aggregate?;
    let is_generalised = declared.hierarchy.is_some() || declared.rule.is_some();
    first([
        (
            declared.role != Role::QuasiIdentifier,
            "only a quasi-identifier is aggregated; change its role or remove `aggregate`",
        ),
        (
            is_generalised,
            "it is aggregated and generalised; remove its hierarchy or rule, or `aggregate`",
        ),
    ])
}

fn fault_of_rest(declared: &ColumnPlan) -> Option<&'static str> {
    let asks = declared.rule.is_some() || declared.aggregate.is_some() || declared.shift.is_some();
    let asks = asks || !coding_of(declared).is_none();
    first([
        (
            declared.scrub && declared.role != Role::Text,
            "only free text is scrubbed; give it the role `text` or remove `scrub`",
        ),
        (
            !(asks || declared.missing.is_empty()),
            "nothing asks what stands for a missing value; remove `missing`",
        ),
    ])
}

fn fault_of_shift(declared: &ColumnPlan, plan: &Plan) -> Option<&'static str> {
    let shift = declared.shift.as_ref()?;
    let by = plan.column(&shift.by).map(|column| column.role);
    let is_shifted = matches!(declared.role, Role::Sensitive | Role::Plain);
    first([
        (!is_shifted, "only dates of a sensitive or plain column are shifted; a quasi-identifier is generalised by a rule of dates"),
        (!coding_of(declared).is_none(), "dates have no ends to code; remove `bottom` and `top`"),
        (by != Some(Role::Pseudonym), "its dates are shifted by a column that is not declared a pseudonym"),
    ])
    .or_else(|| shift.fault())
}

/// Checks that the cells of a column are what is to be done with it is for; the hierarchy that its rule makes of them. `table` is
/// what the column is of.
pub(crate) fn check_values(
    declared: &ColumnPlan,
    column: &Column,
    table: &'static str,
) -> Result<Option<Hierarchy>, PlanError> {
    let coded = coded(declared, column, table)?;
    let made = hierarchy(declared, &coded, table)?;
    if let Some(aggregate) = declared.aggregate {
        let (expected, fits) = aggregate.expected();
        check_cells(declared, column, table, expected, fits)?;
    }
    if declared.shift.is_some() {
        let expected = "ISO 8601 dates to the day";
        check_cells(declared, column, table, expected, |cell| {
            Written::parse(cell).is_some()
        })?;
    }
    Ok(made)
}

fn check_cells(
    declared: &ColumnPlan,
    column: &Column,
    table: &'static str,
    expected: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), PlanError> {
    let values = column.values().iter().zip(0_u32..);
    let misfits = values.filter(|(value, _)| !declared.is_missing(value) && !fits(value));
    let codes: Vec<u32> = misfits.map(|(_, code)| code).collect();
    match codes.first() {
        Some(&first) => Err(PlanError::Misfits {
            column: declared.name.clone(),
            table,
            values: codes.len(),
            row: row_of(column, first),
            expected,
        }),
        None => Ok(()),
    }
}

/// The first row with a value, from 1. Values are in the order of first appearance, and so the first of several is in the first row.
pub(crate) fn row_of(column: &Column, code: u32) -> usize {
    let row = column.codes().iter().position(|&other| other == code);
    row.expect("every value occurs in a row") + 1
}

/// The column with its ends coded, where the plan says so.
pub(super) fn coded<'a>(
    declared: &ColumnPlan,
    column: &'a Column,
    table: &'static str,
) -> Result<Cow<'a, Column>, PlanError> {
    let coding = coding_of(declared);
    if coding.is_none() {
        return Ok(Cow::Borrowed(column));
    }
    check_cells(declared, column, table, "numbers", |cell| {
        coding.code(cell).is_ok()
    })?;
    let is_missing = |cell: &str| declared.is_missing(cell);
    let code = |cell: &str| {
        coding
            .code(cell)
            .ok()
            .flatten()
            .filter(|_| !is_missing(cell))
    };
    Ok(Cow::Owned(column.rewritten(code)))
}

/// The hierarchy of a column that stands as it is, whether given or made; none where it lacks a value, or its rule does not fit.
pub(crate) fn hierarchy_of<'a>(
    declared: &'a ColumnPlan,
    column: &Column,
) -> Option<Cow<'a, Hierarchy>> {
    let given = declared.hierarchy.as_ref().map(Cow::Borrowed);
    let given = given.filter(|hierarchy| {
        let positions = hierarchy.positions();
        let has_entry = |value: &str| positions.contains_key(value);
        column.values().iter().all(|value| has_entry(value))
    });
    let made = || hierarchy(declared, column, "table").ok().flatten();
    given.or_else(|| made().map(Cow::Owned))
}

/// The hierarchy that a column's rule makes, if it has one.
pub(super) fn hierarchy(
    declared: &ColumnPlan,
    coded: &Column,
    table: &'static str,
) -> Result<Option<Hierarchy>, PlanError> {
    let Some(rule) = &declared.rule else {
        return Ok(None);
    };
    let is_missing = |cell: &str| declared.is_missing(cell);
    let made = rule.build(coded.values(), coding_of(declared), &is_missing);
    made.map(Some).map_err(|error| match error {
        RuleError::Fault(fault) => misused(declared, fault),
        RuleError::Hierarchy(HierarchyError::NotMonotonic { .. }) => {
            misused(declared, "what stands for a missing value is also what its rule writes; name another under `missing`")
        }
        RuleError::Hierarchy(fault) => PlanError::RuleBeyondLimits {
            column: declared.name.clone(),
            fault,
        },
        RuleError::Misfits { values, first, expected } => PlanError::Misfits {
            column: declared.name.clone(),
            table,
            values,
            row: row_of(coded, first as u32),
            expected,
        },
    })
}
