//! How sensitive a table is, and why (P12).

use serde::{Deserialize, Serialize};

use crate::detector::findings;
use crate::measure::{classes, unique_share};
use crate::plan::{Plan, Role};
use crate::table::Table;

/// The share of rows with a combination of quasi-identifiers of their own above which a table
/// is highly sensitive.
pub const UNIQUE_SHARE_LIMIT: f64 = 0.05;

/// The two classes of the paper's Algorithm 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Actions may be exempted from reporting.
    Low,
    /// Every action is reported.
    High,
}

/// A rank with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// The rank.
    pub sensitivity: Sensitivity,
    /// Sentences that name columns and rules, never a value; also for a low rank.
    pub reasons: Vec<String>,
    /// The share of the rows whose combination of quasi-identifiers is theirs alone, 0 to 1.
    pub unique_share: f64,
}

/// Ranks a table by what its columns are declared to be, by what the detectors find, and by how
/// identifying the quasi-identifiers present are. Columns of the plan that the table lacks are
/// skipped; a column that the plan lacks ranks high, as nobody vouches for it.
pub fn rank(table: &Table, plan: &Plan) -> Ranking {
    let mut reasons = Vec::new();
    for column in table.columns() {
        let role = plan.column(column.name()).map(|column| column.role);
        let name = column.name();
        reasons.extend(match role {
            None => Some(format!("Column `{name}` is not declared in the plan.")),
            Some(Role::Identifier) => Some(format!("Column `{name}` is declared an identifier.")),
            Some(Role::Pseudonym) => Some(format!(
                "Column `{name}` is a pseudonym: it links the rows of one person."
            )),
            Some(Role::Sensitive) => Some(format!("Column `{name}` is declared sensitive.")),
            Some(Role::Text) => Some(format!(
                "Column `{name}` is free text, in which names cannot be found."
            )),
            Some(Role::QuasiIdentifier | Role::Plain) => None,
        });
        if role != Some(Role::Pseudonym) {
            reasons.extend(findings(column, role).into_iter().map(|finding| {
                format!(
                    "Column `{name}` looks like an identifier: {} in {} rows.",
                    finding.what, finding.hits
                )
            }));
        }
    }
    let unique_share = unique_share(&classes(table, plan).sizes(), table.rows());
    let percent = unique_share * 100.0;
    let limit = UNIQUE_SHARE_LIMIT * 100.0;
    let combination =
        format!("{percent:.2} % of the rows have a combination of quasi-identifiers of their own");
    if unique_share > UNIQUE_SHARE_LIMIT {
        reasons.push(format!("{combination}, more than {limit} %."));
    }
    if !reasons.is_empty() {
        return Ranking {
            sensitivity: Sensitivity::High,
            reasons,
            unique_share,
        };
    }
    Ranking {
        sensitivity: Sensitivity::Low,
        reasons: vec![
            "No column is declared an identifier, a pseudonym or sensitive.".to_owned(),
            "No detector found an identifier.".to_owned(),
            format!("{combination}, no more than {limit} %."),
        ],
        unique_share,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ranked(role: &str, csv: &str) -> Ranking {
        let plan: Plan = serde_json::from_str(&format!(
            r#"{{"columns": [{{"name": "x", "role": "{role}"}}, {{"name": "age", "role": "quasi-identifier"}}]}}"#
        ))
        .unwrap();
        rank(&Table::from_csv(csv.as_bytes(), b',').unwrap(), &plan)
    }

    #[test]
    fn a_plain_table_of_few_classes_is_low_with_reasons() {
        let ranking = ranked("plain", "x,age\na,1\nb,1\n");
        assert_eq!(ranking.sensitivity, Sensitivity::Low);
        assert_eq!(ranking.reasons.len(), 3);
        assert!(
            ranking.reasons[2].starts_with("0.00 %"),
            "{:?}",
            ranking.reasons
        );
    }

    #[test]
    fn each_role_that_matters_ranks_high_by_itself() {
        for (role, reason) in [
            ("identifier", "Column `x` is declared an identifier."),
            (
                "pseudonym",
                "Column `x` is a pseudonym: it links the rows of one person.",
            ),
            ("sensitive", "Column `x` is declared sensitive."),
            (
                "text",
                "Column `x` is free text, in which names cannot be found.",
            ),
        ] {
            let ranking = ranked(role, "x,age\na,1\nb,1\n");
            assert_eq!(ranking.sensitivity, Sensitivity::High);
            assert_eq!(ranking.reasons, [reason]);
        }
    }

    #[test]
    fn a_detector_or_an_undeclared_column_ranks_high() {
        let found = ranked("plain", "x,age\na@clinic.example,1\nb,1\n");
        assert_eq!(found.sensitivity, Sensitivity::High);
        assert_eq!(
            found.reasons,
            ["Column `x` looks like an identifier: e-mail address in 1 rows."]
        );
        let undeclared = ranked("plain", "y,age\na,1\nb,1\n");
        assert_eq!(
            undeclared.reasons,
            ["Column `y` is not declared in the plan."]
        );
    }

    #[test]
    fn the_share_of_unique_rows_ranks_high_only_above_the_limit() {
        let rows = |unique: usize| {
            let mut csv = "age\n".to_owned();
            for row in 0..100 {
                csv += &format!("{}\n", if row < unique { row } else { 1_000 });
            }
            ranked("plain", &csv)
        };
        assert_eq!(rows(5).sensitivity, Sensitivity::Low);
        assert_eq!(rows(6).sensitivity, Sensitivity::High);
        assert_eq!(rows(6).unique_share, 0.06);
    }
}
