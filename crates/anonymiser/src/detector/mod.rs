//! Detectors for identifiers by the name of a column and by the shape of its cells, after the
//! list of HIPAA Safe Harbor (45 CFR 164.514(b)(2)).
//!
//! They are a net below the custodian's declaration, not a proof: what they find is there, what
//! they miss may be there. Hits carry counts and rules, never a value.

mod cells;
mod names;
mod spans;

pub(crate) use spans::spans;

use cells::{CELL_RULES, is_full_date};
use names::rule_of_name;

use crate::plan::Role;
use crate::pseudonym::is_pseudonym;
use crate::table::Column;

/// A column whose every value is different is a number of a person or an encounter, when it has
/// at least this many rows.
const UNIQUE_NUMBER_MIN_ROWS: usize = 100;
/// … and each value is at least this long.
const UNIQUE_NUMBER_MIN_BYTES: usize = 5;
/// What a detector found in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) column: String,
    pub(crate) rule: &'static str,
    /// Rows concerned.
    pub(crate) hits: usize,
}

/// Looks at one column; `role` is what the custodian declared it to be, if anything.
pub(crate) fn findings(column: &Column, role: Option<Role>) -> Vec<Finding> {
    let finding = |rule: &'static str, hits: usize| Finding {
        column: column.name().to_string(),
        rule,
        hits,
    };
    let counts = column.counts();
    let hits = |test: &dyn Fn(&str) -> bool| -> usize {
        let counted = column.values().iter().zip(&counts);
        counted
            .filter(|(value, _)| test(value))
            .map(|(_, count)| count)
            .sum()
    };
    let mut found = Vec::new();
    match role {
        // Reported by whoever asks, as the declaration says it already.
        Some(Role::Identifier) => return found,
        Some(Role::Pseudonym) => {
            found.push(finding(
                "cells that are no pseudonym",
                hits(&|cell| !is_pseudonym(cell)),
            ));
        }
        _ => {
            if let Some(rule) = rule_of_name(column.name(), role) {
                found.push(finding(rule, hits(&|cell| !cell.is_empty() && cell != "*")));
            }
            for (rule, test) in CELL_RULES {
                found.push(finding(rule, hits(test)));
            }
            if role.is_none() {
                found.push(finding("full date", hits(&is_full_date)));
            }
            if role != Some(Role::QuasiIdentifier) && is_unique_number(column) {
                found.push(finding(
                    "a different number in every row",
                    column.codes().len(),
                ));
            }
        }
    }
    found.retain(|finding| finding.hits > 0);
    found
}

fn is_unique_number(column: &Column) -> bool {
    let rows = column.codes().len();
    let number = |value: &str| {
        value.len() >= UNIQUE_NUMBER_MIN_BYTES
            && value.bytes().any(|byte| byte.is_ascii_digit())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    rows >= UNIQUE_NUMBER_MIN_ROWS
        && column.values().len() == rows
        && column.values().iter().all(|value| number(value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;
    use proptest::prelude::*;

    fn found(name: &str, cells: &[&str], role: Option<Role>) -> Vec<(&'static str, usize)> {
        let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
        for cell in cells {
            builder.push_row([cell, &""]).unwrap();
        }
        let found = findings(&builder.finish().columns()[0], role);
        found
            .into_iter()
            .map(|finding| (finding.rule, finding.hits))
            .collect()
    }

    #[test]
    fn content_gives_identifiers_away() {
        let note = |cell: &str| found("note", &[cell, "", cell], Some(Role::Plain));
        assert_eq!(note("see ada@clinic.example."), [("e-mail address", 2)]);
        assert_eq!(note("(https://x.example/p?id=3)"), [("web address", 2)]);
        assert_eq!(note("from 10.0.0.7"), [("IP address", 2)]);
        assert_eq!(note("192.168.100.100"), [("IP address", 2)]);
        assert_eq!(note("2001:db8::17"), [("IP address", 2)]);
        assert_eq!(note("078-05-1120"), [("social security number", 2)]);
        assert_eq!(note("SSN: 078-05-1120"), [("social security number", 2)]);
        for phone in [
            "+49 228 99307-0",
            "(212) 555-0123",
            "212-555-0123",
            "030 / 1234567",
        ] {
            assert_eq!(note(phone), [("telephone number", 2)], "{phone}");
        }
    }

    #[test]
    fn clinical_content_is_left_alone() {
        let cells = [
            "250.83",
            "E11.9",
            "[70-80)",
            "12345",
            "10000-19999",
            "1000.00-2000.00",
            "2020-01-02",
            "2020-01 - 2020-06",
            "1940-1959",
            "120/80",
            "7.35 - 7.45",
            "10000 - 20000",
            "2020-01/2020-06",
            "::1",
            "Metformin 500 mg",
            "*",
            "@",
            "a@b",
            "::",
        ];
        for role in [Role::Plain, Role::Sensitive, Role::QuasiIdentifier] {
            assert_eq!(found("value", &cells, Some(role)), [], "{role:?}");
        }
    }

    #[test]
    fn names_give_identifiers_away_unless_declared() {
        assert_eq!(
            found("First_Name", &["Ada", ""], Some(Role::Plain)),
            [("name of a person", 1)]
        );
        assert_eq!(
            found("patient_nbr", &["7"], None),
            [("record or account number", 1)]
        );
        assert_eq!(
            found("birthDate", &["1950"], Some(Role::Sensitive)),
            [("date of birth or death", 1)]
        );
        assert_eq!(
            found("birthDate", &["1950"], Some(Role::QuasiIdentifier)),
            []
        );
        assert_eq!(found("name", &["Ada"], Some(Role::Identifier)), []);
        assert_eq!(found("drug_name", &["aspirin"], Some(Role::Plain)), []);
    }

    #[test]
    fn dates_count_in_undeclared_columns_only() {
        for date in [
            "2020-01-31",
            "31.01.2020",
            "1/31/2020",
            "2020-01-31T10:00:00",
            "2020/1/31",
        ] {
            assert_eq!(found("when", &[date], None), [("full date", 1)], "{date}");
            assert_eq!(found("when", &[date], Some(Role::Plain)), []);
        }
        for other in [
            "2020-01",
            "2020-40-50",
            "2020-13-14",
            "1.2.3",
            "--",
            "2020-01-x",
        ] {
            assert_eq!(found("when", &[other], None), [], "{other}");
        }
    }

    #[test]
    fn a_number_that_never_repeats_is_found() {
        let numbers: Vec<String> = (0..UNIQUE_NUMBER_MIN_ROWS)
            .map(|row| format!("P{:05}", row))
            .collect();
        let cells: Vec<&str> = numbers.iter().map(String::as_str).collect();
        assert_eq!(
            found("n", &cells, Some(Role::Plain)),
            [("a different number in every row", 100)]
        );
        assert_eq!(found("n", &cells[1..], Some(Role::Plain)), []);
        assert_eq!(found("n", &cells, Some(Role::QuasiIdentifier)), []);
        let mut repeated = cells.clone();
        repeated[0] = repeated[1];
        assert_eq!(found("n", &repeated, Some(Role::Plain)), []);
    }

    #[test]
    fn a_raw_value_among_pseudonyms_is_found() {
        let good = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            found("mrn", &[good, "", "4711"], Some(Role::Pseudonym)),
            [("cells that are no pseudonym", 1)]
        );
    }

    proptest! {
        #[test]
        fn no_cell_makes_a_detector_panic(cell in "\\PC{0,30}|[-0-9+./ @:T]{0,20}", name in "\\PC{1,10}") {
            let mut builder = Table::builder(vec![format!("x{name}")]).unwrap();
            builder.push_row([cell]).unwrap();
            let table = builder.finish();
            for role in [None, Some(Role::Plain), Some(Role::Pseudonym)] {
                prop_assert!(findings(&table.columns()[0], role).iter().all(|finding| finding.hits == 1));
            }
        }
    }
}
