//! What anybody who holds a table can measure of it: the second node does, on the output alone
//! (P13).

use serde::{Deserialize, Serialize};

use crate::detector::findings;
use crate::disclosure::{Disclosure, disclosures};
use crate::linkage::{Linkage, guessed};
use crate::plan::{ColumnPlan, Plan, Role};
use crate::promises::Rows;
use crate::risk::{Risks, Size, risks};
use crate::safe_harbor::{SafeHarbor, safe_harbor};
use crate::search::Classes;
use crate::table::{Column, Table};
use crate::transform::is_clean;

/// What was measured. Nothing in it quotes a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// Rows of the table.
    pub rows: usize,
    /// Rows of the smallest class over the quasi-identifiers present; without any, all rows are
    /// one class; 0 for a table without rows.
    pub k: usize,
    /// Classes over the quasi-identifiers present.
    pub classes: usize,
    /// The share of the rows that are alone in their class, 0 to 1.
    pub unique_share: f64,
    /// The risks that somebody is found again, where no population is known.
    pub risks: Risks,
    /// Identifiers that are left, as `column: what (n hits)`: declared identifier columns still
    /// present, columns that the plan does not declare, and hits of the detectors that the column does not accept.
    pub identifiers: Vec<String>,
    /// What is learned of each sensitive column that the table has.
    #[serde(default)]
    pub sensitive: Vec<Disclosure>,
    /// How often a record is picked by whoever knows its quasi-identifiers.
    #[serde(default)]
    pub linkage: Linkage,
    /// HIPAA Safe Harbor, line by line, whether or not the plan asks for it.
    #[serde(default)]
    pub safe_harbor: SafeHarbor,
}

/// What decides whether a table may leave: the beginning of [`Measures`], at a fraction of their cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Essentials {
    /// As in [`Measures`].
    pub rows: usize,
    /// As in [`Measures`].
    pub k: usize,
    /// As in [`Measures`].
    pub classes: usize,
    /// As in [`Measures`].
    pub identifiers: Vec<String>,
}

/// Measures of a table what decides whether it may leave.
pub fn essentials(table: &Table, plan: &Plan) -> Essentials {
    of_classes(table, plan, &classes(table, plan).sizes())
}

fn of_classes(table: &Table, plan: &Plan, sizes: &[usize]) -> Essentials {
    let identifiers = identifiers(table, plan).into_iter();
    let identifiers =
        identifiers.map(|(column, what, hits)| format!("{column}: {what} ({hits} hits)"));
    Essentials {
        rows: table.rows(),
        k: sizes.iter().copied().min().unwrap_or(0),
        classes: sizes.len(),
        identifiers: identifiers.collect(),
    }
}

/// Measures a table, which may be a projection: columns of the plan that it lacks are skipped,
/// columns that the plan lacks are reported.
pub fn measure(table: &Table, plan: &Plan) -> Measures {
    let classes = classes(table, plan);
    let sizes = classes.sizes();
    let rows = Rows::of(&classes, &sizes);
    let Essentials {
        k,
        classes: count,
        identifiers,
        ..
    } = of_classes(table, plan, &sizes);
    Measures {
        rows: table.rows(),
        k,
        classes: count,
        unique_share: unique_share(&sizes, table.rows()),
        risks: risks(sizes.iter().map(|&rows| Size::alone(rows))),
        identifiers,
        sensitive: disclosures(table, plan, &rows, sizes.len()),
        linkage: guessed(table, &classes, &rows),
        safe_harbor: safe_harbor(table, plan),
    }
}

/// The classes over the quasi-identifiers that the table has.
pub(crate) fn classes(table: &Table, plan: &Plan) -> Classes {
    classes_of(table, plan, |column| column.role == Role::QuasiIdentifier)
}

/// The classes over the columns that are declared so.
pub(crate) fn classes_of(
    table: &Table,
    plan: &Plan,
    is_wanted: impl Fn(&ColumnPlan) -> bool,
) -> Classes {
    let columns = table
        .columns()
        .iter()
        .filter(|column| plan.column(column.name()).is_some_and(&is_wanted));
    Classes::of_columns(table.rows(), columns.map(|column| column.codes()))
}

pub(crate) fn unique_share(sizes: &[usize], rows: usize) -> f64 {
    if rows == 0 {
        return 0.0;
    }
    sizes.iter().filter(|&&size| size == 1).count() as f64 / rows as f64
}

/// All identifiers that are left, column by column.
fn identifiers(table: &Table, plan: &Plan) -> Vec<(String, &'static str, usize)> {
    let mut found = Vec::new();
    for column in table.columns() {
        let declared = plan.column(column.name());
        let role = declared.map(|declared| declared.role);
        let whole_column = match role {
            Some(Role::Identifier) => Some("declared identifier"),
            None => Some("not declared in the plan"),
            Some(Role::Text) if !is_scrubbed(plan, column.name()) => {
                Some("free text that is to be dropped")
            }
            Some(_) => None,
        };
        let name = || column.name().to_string();
        found.extend(whole_column.map(|what| (name(), what, table.rows())));
        let findings = findings(column, role).into_iter();
        let is_accepted = |rule| declared.is_some_and(|declared| declared.accepts(rule));
        let findings = findings.filter(|finding| !is_accepted(finding.rule));
        found.extend(findings.map(|finding| (finding.column, finding.what, finding.hits)));
        if role == Some(Role::Text) {
            found.extend(
                unclean(column).map(|hits| (name(), "free text that is not scrubbed", hits)),
            );
        }
    }
    found
}

fn is_scrubbed(plan: &Plan, name: &str) -> bool {
    plan.column(name).is_some_and(|declared| declared.scrub)
}

/// Cells of free text in which something is found that scrubbing takes out.
fn unclean(column: &Column) -> Option<usize> {
    let cells = column.values().iter().zip(column.counts());
    let hits = cells.filter(|(cell, _)| !is_clean(cell));
    let hits = hits.map(|(_, rows)| rows).sum();
    Some(hits).filter(|hits| *hits > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plan() -> Plan {
        serde_json::from_str(
            r#"{"columns": [
                {"name": "name", "role": "identifier"},
                {"name": "mrn", "role": "pseudonym"},
                {"name": "age", "role": "quasi-identifier"},
                {"name": "sex", "role": "quasi-identifier"},
                {"name": "note", "role": "plain"}
            ]}"#,
        )
        .unwrap()
    }

    fn measured(csv: &str) -> Measures {
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let measures = measure(&table, &plan());
        let Measures {
            rows, k, classes, ..
        } = measures;
        let expected = Essentials {
            rows,
            k,
            classes,
            identifiers: measures.identifiers.clone(),
        };
        assert_eq!(essentials(&table, &plan()), expected);
        measures
    }

    #[test]
    fn classes_are_those_of_the_quasi_identifiers_present() {
        let both = measured("age,sex\n1,f\n1,f\n2,f\n2,m\n");
        assert_eq!(
            (both.rows, both.k, both.classes, both.unique_share),
            (4, 1, 3, 0.5)
        );
        let one = measured("age,note\n1,f\n1,f\n2,f\n2,m\n");
        assert_eq!((one.k, one.classes, one.unique_share), (2, 2, 0.0));
        let none = measured("note\na\nb\nc\n");
        assert_eq!((none.k, none.classes), (3, 1));
        let empty = measured("age,sex\n");
        assert_eq!(
            (empty.rows, empty.k, empty.classes, empty.unique_share),
            (0, 0, 0, 0.0)
        );
    }

    #[test]
    fn what_is_left_of_identifiers_is_listed_without_values() {
        let measures =
            measured("name,mrn,note,extra\nAda,4711,ada@clinic.example,1.1.2020\nBob,,x,y\n");
        assert_eq!(
            measures.identifiers,
            [
                "name: declared identifier (2 hits)",
                "mrn: cells that are no pseudonym (1 hits)",
                "note: e-mail address (1 hits)",
                "extra: not declared in the plan (2 hits)",
                "extra: full date (1 hits)",
            ]
        );
        assert_eq!(
            measured("age,note\n1,x\n").identifiers,
            Vec::<String>::new()
        );
    }
}
