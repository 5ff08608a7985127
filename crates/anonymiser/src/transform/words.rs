//! What was done with each column, in words for a reader who knows the plan. Bounds and parameters of the plan are told, values never.

use crate::plan::{ColumnPlan, Plan, Role};
use crate::table::Table;

/// Name and words of each column. `levels` are those of generalised columns: name, chosen level, levels there are.
pub(super) fn transformations(
    table: &Table,
    plan: &Plan,
    levels: &[(String, usize, usize)],
) -> Vec<(String, String)> {
    let names = table.column_names();
    let declared = names.filter_map(|name| plan.column(name));
    let told = declared.map(|declared| {
        let level = levels.iter().find(|(name, ..)| *name == declared.name);
        let level = level.map(|&(_, level, levels)| (level, levels));
        (declared.name.clone(), words(declared, level))
    });
    told.collect()
}

fn words(declared: &ColumnPlan, level: Option<(usize, usize)>) -> String {
    let ends = match (declared.bottom, declared.top) {
        (None, None) => None,
        (Some(bottom), None) => Some(format!("coded as <{bottom} below {bottom}")),
        (None, Some(top)) => Some(format!("coded as ≥{top} from {top} up")),
        (Some(bottom), Some(top)) => Some(format!(
            "coded as <{bottom} below {bottom} and as ≥{top} from {top} up"
        )),
    };
    let shift = declared.shift.as_ref().map(|shift| {
        let (by, days) = (&shift.by, shift.days);
        format!("dates shifted by up to {days} days, alike for each value of `{by}`")
    });
    let words: Vec<String> = [ends, shift, by_role(declared, level)]
        .into_iter()
        .flatten()
        .collect();
    if words.is_empty() {
        return "kept as it is".to_owned();
    }
    words.join("; ")
}

fn by_role(declared: &ColumnPlan, level: Option<(usize, usize)>) -> Option<String> {
    let words = match declared.role {
        Role::Identifier => "dropped, as it identifies".to_owned(),
        Role::Pseudonym => "replaced by keyed pseudonyms".to_owned(),
        Role::Text if declared.scrub => {
            "scrubbed of what the detectors find and of the record's own identifiers; other names are not found".to_owned()
        }
        Role::Text => "dropped, as it is free text".to_owned(),
        Role::QuasiIdentifier => match (declared.aggregate, level) {
            (Some(aggregate), _) => format!("replaced by the {aggregate} of its class"),
            (None, level) => generalised(declared, level),
        },
        Role::Sensitive | Role::Plain => return None,
    };
    Some(words)
}

fn generalised(declared: &ColumnPlan, level: Option<(usize, usize)>) -> String {
    let by = match (&declared.rule, &declared.hierarchy) {
        (Some(rule), _) => format!("by {rule}"),
        (None, Some(_)) => "by its hierarchy".to_owned(),
        (None, None) => "to `*`".to_owned(),
    };
    match level {
        None => format!("generalised {by}"),
        Some((0, _)) => format!("not generalised, though it could be {by}"),
        Some((level, levels)) => format!("generalised {by}, to level {level} of {}", levels - 1),
    }
}
