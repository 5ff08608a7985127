//! Line by line.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SafeHarborRule::{self, Geography};
use super::postcode;
use super::undecided::undecided;
use crate::detector::{Finding, all_findings, findings, folded, folded_column, is_of_postcodes};
use crate::plan::{ColumnPlan, Plan, Role};
use crate::rule::Rule;
use crate::table::{Column, Table};

/// What was found in one column. It never quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Name of the column.
    pub column: String,
    /// Which identifier it is.
    pub rule: SafeHarborRule,
    /// What it looks like.
    pub what: String,
    /// Rows concerned.
    pub rows: usize,
    /// Whether the custodian declared that this is none, or may be released ([`ColumnPlan::accept`]).
    #[serde(default)]
    pub accepted: bool,
}

impl Found {
    fn new(finding: Finding, declared: Option<&ColumnPlan>) -> Self {
        let Finding {
            column,
            rule,
            what,
            hits,
        } = finding;
        Self {
            column,
            rule,
            what: what.to_owned(),
            rows: hits,
            accepted: declared.is_some_and(|declared| declared.accepts(rule)),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            rule,
            what,
            rows,
            ..
        } = self;
        let rows = match rows {
            1 => "1 row".to_owned(),
            _ => format!("{rows} rows"),
        };
        write!(f, "column `{column}`: {what} in {rows}, Safe Harbor {rule}")
    }
}

/// What a machine can say of one identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was found.
    NoneFound,
    /// Nothing was found, and there is what a machine cannot judge.
    NotDecidable,
    /// All that was found is accepted by the custodian.
    Accepted,
    /// It is there.
    Found,
}

/// One of the eighteen lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `A` to `R`.
    pub letter: char,
    /// Which identifier.
    pub rule: SafeHarborRule,
    /// What can be said.
    pub verdict: Verdict,
    /// Where it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
    /// What a person has to judge, in sentences that name columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<String>,
}

/// All eighteen, from (A) to (R). Nothing in it quotes a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SafeHarbor {
    /// One line for each identifier.
    pub lines: Vec<Line>,
}

impl SafeHarbor {
    /// What was found and is not accepted.
    pub fn violations(&self) -> impl Iterator<Item = &Found> {
        let found = self.lines.iter().flat_map(|line| &line.found);
        found.filter(|found| !found.accepted)
    }
}

/// Judges a table as it stands: before its release, or the release alone. Columns that the plan declares identifiers are found
/// like any others; the cells of a pseudonym must be pseudonyms.
#[must_use]
pub fn safe_harbor(table: &Table, plan: &Plan) -> SafeHarbor {
    let mut lines: Vec<Line> = SafeHarborRule::ALL.into_iter().map(empty_line).collect();
    for column in table.columns() {
        let declared = plan.column(column.name());
        let role = declared.map(|declared| declared.role);
        for finding in of_column(column, role) {
            let line = &mut lines[finding.rule as usize];
            line.found.push(Found::new(finding, declared));
        }
        for (rule, sentence) in undecided(column, role) {
            lines[rule as usize].undecided.push(sentence);
        }
    }
    let other = &mut lines[SafeHarborRule::OtherUniqueIdentifiers as usize];
    other.undecided.push(
        "Whether a characteristic is unique to a person is for somebody who knows the people to say.".to_owned(),
    );
    for line in &mut lines {
        line.verdict = verdict(line);
    }
    SafeHarbor { lines }
}

fn empty_line(rule: SafeHarborRule) -> Line {
    Line {
        letter: rule.letter(),
        rule,
        verdict: Verdict::NoneFound,
        found: Vec::new(),
        undecided: Vec::new(),
    }
}

fn verdict(line: &Line) -> Verdict {
    if line.found.iter().any(|found| !found.accepted) {
        Verdict::Found
    } else if !line.undecided.is_empty() {
        Verdict::NotDecidable
    } else if !line.found.is_empty() {
        Verdict::Accepted
    } else {
        Verdict::NoneFound
    }
}

fn of_column(column: &Column, role: Option<Role>) -> Vec<Finding> {
    if role == Some(Role::Pseudonym) {
        return findings(column, role);
    }
    let mut found = all_findings(column);
    if role == Some(Role::Identifier) && found.is_empty() && !column.codes().is_empty() {
        found.push(Finding {
            column: column.name().to_string(),
            rule: SafeHarborRule::OtherUniqueIdentifiers,
            what: "declared identifier",
            hits: column.codes().len(),
        });
    }
    found
}

/// What in a release identifies by itself, by Safe Harbor or otherwise, as the plan asks; without what is accepted.
pub(crate) fn identifiers_left(released: &Table, plan: &Plan) -> Vec<Found> {
    if plan.privacy.safe_harbor {
        let mut found: Vec<Found> = safe_harbor(released, plan).violations().cloned().collect();
        found.extend(declared_postcodes(released, plan));
        return found;
    }
    let columns = released.columns().iter();
    let found = columns.flat_map(|column| {
        let declared = plan.column(column.name());
        let found = findings(column, declared.map(|declared| declared.role));
        found
            .into_iter()
            .map(move |finding| Found::new(finding, declared))
    });
    found.filter(|found| !found.accepted).collect()
}

/// Postcodes that are too fine in columns that have a rule of postcodes, whatever they are called: what a column is declared to be
/// adds to what is found in it, and takes nothing away. Here and not in [`safe_harbor()`], since a second node knows no rules.
fn declared_postcodes(released: &Table, plan: &Plan) -> Vec<Found> {
    let is_declared = |declared: &&ColumnPlan| {
        let rule = &declared.rule;
        matches!(rule, Some(Rule::UsZip { .. } | Rule::UkPostcode {}))
            && !declared.accepts(Geography)
    };
    let columns = released.columns().iter().filter_map(|column| {
        let declared = plan.column(column.name()).filter(is_declared)?;
        let values = column.values().iter().zip(column.counts());
        let fine = values.filter(|(value, _)| postcode::is_too_fine(&folded(value)));
        let hits = fine.map(|(_, count)| count).sum();
        let is_known = is_of_postcodes(&folded_column(column));
        let finding = Finding {
            column: column.name().to_string(),
            rule: Geography,
            what: "postcode",
            hits,
        };
        (hits > 0 && !is_known).then(|| Found::new(finding, Some(declared)))
    });
    columns.collect()
}

/// What is found in columns that nobody declared.
pub(crate) fn undeclared(table: &Table, plan: &Plan) -> Vec<Found> {
    let columns = table.columns().iter();
    let columns = columns.filter(|column| plan.column(column.name()).is_none());
    let found = columns.flat_map(|column| all_findings(column));
    found.map(|finding| Found::new(finding, None)).collect()
}
