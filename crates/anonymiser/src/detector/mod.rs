//! Detectors for identifiers by the name of a column and by the shape of its cells, after the
//! list of HIPAA Safe Harbor (45 CFR 164.514(b)(2)).
//!
//! They are a net below the custodian's declaration, not a proof: what they find is there, what
//! they miss may be there. Hits carry counts and rules, never a value.

mod contact;
mod dates;
mod images;
mod names;
mod network;
mod numbers;
mod spans;
mod text;

pub(crate) use dates::{is_years_only, year_of_compact_date, year_of_date};
pub use spans::spans;
pub(crate) use text::is_blank;

use names::Said;
use spans::{LOCATED, Located};

use crate::plan::Role;
use crate::pseudonym::is_pseudonym;
use crate::safe_harbor::SafeHarborRule::{self, *};
use crate::safe_harbor::{age, place, postcode};
use crate::table::Column;

/// A column whose every value is different is a number of a person or an encounter, when it has
/// at least this many rows.
const UNIQUE_NUMBER_MIN_ROWS: usize = 100;
/// … and each value is at least this long.
const UNIQUE_NUMBER_MIN_BYTES: usize = 5;
/// Of codes that mix letters and digits this share of the rows is enough: a person may have two rows.
const UNIQUE_CODE_PERCENT: usize = 95;

/// What a detector found in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) column: String,
    pub(crate) rule: SafeHarborRule,
    /// What it looks like.
    pub(crate) what: &'static str,
    /// Rows concerned.
    pub(crate) hits: usize,
}

/// What identifies by itself in one column; `role` is what the custodian declared it to be, if anything.
pub(crate) fn findings(column: &Column, role: Option<Role>) -> Vec<Finding> {
    let mut look = Look::at(column);
    match role {
        // Reported by whoever asks, as the declaration says it already.
        Some(Role::Identifier) => {}
        Some(Role::Pseudonym) => look.note_where(
            OtherUniqueIdentifiers,
            "cells that are no pseudonym",
            |cell| !is_pseudonym(cell),
        ),
        _ => look.note_direct(role),
    }
    look.found
}

/// What stands in the way of Safe Harbor in one column, whatever it is declared to be: what identifies by itself, and places,
/// dates, ages and keys.
pub(crate) fn all_findings(column: &Column) -> Vec<Finding> {
    let mut look = Look::at(column);
    look.note_direct(Some(Role::Plain));
    look.note_others();
    look.found
}

/// A column that is looked at.
struct Look<'a> {
    column: &'a Column,
    /// Rows of each value.
    counts: Vec<usize>,
    said: Said,
    found: Vec<Finding>,
}

impl<'a> Look<'a> {
    fn at(column: &'a Column) -> Self {
        Self {
            column,
            counts: column.counts(),
            said: Said::by(column.name()),
            found: Vec::new(),
        }
    }

    fn values(&self) -> impl Iterator<Item = (&'a str, usize)> {
        let values = self.column.values().iter().map(|value| &**value);
        values.zip(self.counts.iter().copied())
    }

    fn note(&mut self, rule: SafeHarborRule, what: &'static str, hits: usize) {
        let known = self.found.iter_mut().find(|known| known.what == what);
        match known {
            Some(known) => known.hits = known.hits.max(hits),
            None if hits == 0 => {}
            None => self.found.push(Finding {
                column: self.column.name().to_string(),
                rule,
                what,
                hits,
            }),
        }
    }

    /// Each cell for which `test` holds.
    fn note_where(
        &mut self,
        rule: SafeHarborRule,
        what: &'static str,
        test: impl Fn(&str) -> bool,
    ) {
        let hits = self.values().filter(|(value, _)| test(value));
        let hits = hits.map(|(_, count)| count).sum();
        self.note(rule, what, hits);
    }

    /// As [`Self::note_where`], if `test` holds of half of the values at least: of tests that a number passes by chance.
    fn note_if_most(
        &mut self,
        rule: SafeHarborRule,
        what: &'static str,
        test: impl Fn(&str) -> bool,
    ) {
        if is_of_most(self.column, &test) {
            self.note_where(rule, what, test);
        }
    }

    fn note_located(&mut self, is_wanted: impl Fn(&Located) -> bool) {
        for Located {
            rule,
            what,
            certain,
            ..
        } in LOCATED.iter().filter(|located| is_wanted(located))
        {
            self.note_where(*rule, what, |cell| !certain(cell).is_empty());
        }
    }

    fn note_direct(&mut self, role: Option<Role>) {
        self.note_name(role);
        self.note_located(|located| located.is_direct);
        let form = numbers::has_form_of_social_security_number;
        self.note_if_most(SocialSecurityNumbers, "social security number", form);
        let is_card = |cell: &str| !numbers::payment_cards(cell).is_empty();
        self.note_if_most(AccountNumbers, "payment card number", is_card);
        self.note_where(Photographs, "image", images::is_image);
        if role.is_none() {
            self.note_where(Dates, "full date", dates::is_full_date);
        }
        if role != Some(Role::QuasiIdentifier) && (self.is_unique_number() || self.is_unique_code())
        {
            let what = "a different number in every row";
            self.note_where(OtherUniqueIdentifiers, what, |cell| !is_blank(cell));
        }
    }

    /// What the name says of each cell that says anything.
    fn note_name(&mut self, role: Option<Role>) {
        let Some(said) = self.said.direct() else {
            if let Some(said) = self.said.short_name() {
                self.note_if_most(said.rule, said.what, looks_like_name);
            }
            return;
        };
        match said.rule {
            // A birth date that is declared a quasi-identifier is generalised with the others.
            Dates if role == Some(Role::QuasiIdentifier) => {}
            Dates => self.note_where(said.rule, said.what, |cell| !is_years_only(cell)),
            Geography => self.note_where(said.rule, said.what, |cell| {
                says_something(cell) && !place::is_state_or_larger(cell)
            }),
            _ => self.note_where(said.rule, said.what, says_something),
        }
    }

    fn note_others(&mut self) {
        if let Some(said) = self.said.place() {
            self.note_where(said.rule, said.what, |cell| {
                says_something(cell) && !place::is_state_or_larger(cell)
            });
        }
        if let Some(said) = self.said.coordinate() {
            self.note_if_most(said.rule, said.what, place::is_coordinate);
        }
        if let Some(said) = self.said.postcode() {
            self.note_where(said.rule, said.what, postcode::is_too_fine);
        }
        self.note_if_most(Geography, "postcode", postcode::is_zip_plus_four);
        if let Some(said) = self.said.age() {
            self.note_where(said.rule, said.what, age::is_told_over_89);
        }
        self.note_located(|located| !located.is_direct);
        self.note_if_most(Dates, spans::DATE, dates::is_compact_date);
        if let Some(said) = self.said.key()
            && self.column.codes().len() > 1
            && self.is_nearly_unique()
        {
            self.note_where(said.rule, said.what, says_something);
        }
    }

    fn is_unique_number(&self) -> bool {
        let rows = self.column.codes().len();
        let number = |value: &str| {
            value.len() >= UNIQUE_NUMBER_MIN_BYTES
                && value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        rows >= UNIQUE_NUMBER_MIN_ROWS
            && self.column.values().len() == rows
            && self.column.values().iter().all(|value| number(value))
    }

    /// Codes of letters and digits, all of one length, hardly any of them twice.
    fn is_unique_code(&self) -> bool {
        let mut lengths = self
            .values()
            .map(|(value, _)| value)
            .filter(|value| !is_blank(value));
        let Some(first) = lengths.next() else {
            return false;
        };
        let is_code = |value: &str| {
            value.len() == first.len()
                && value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic())
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte))
                && dates::dates(value).is_empty()
        };
        first.len() >= UNIQUE_NUMBER_MIN_BYTES
            && self.is_nearly_unique()
            && self.filled() >= UNIQUE_NUMBER_MIN_ROWS
            && is_code(first)
            && lengths.all(is_code)
    }

    /// Rows that say anything.
    fn filled(&self) -> usize {
        let filled = self.values().filter(|(value, _)| !is_blank(value));
        filled.map(|(_, count)| count).sum()
    }

    fn is_nearly_unique(&self) -> bool {
        let filled = self.values().filter(|(value, _)| !is_blank(value)).count();
        filled * 100 >= self.filled() * UNIQUE_CODE_PERCENT
    }
}

/// Whether the name says that it holds ages.
pub(crate) fn is_of_ages(name: &str) -> bool {
    Said::by(name).age().is_some()
}

/// Whether the name says that it holds postcodes, or the cells do.
pub(crate) fn is_of_postcodes(column: &Column) -> bool {
    Said::by(column.name()).postcode().is_some() || is_of_most(column, postcode::is_zip_plus_four)
}

/// Whether most cells are dates of digits alone.
pub(crate) fn is_of_compact_dates(column: &Column) -> bool {
    is_of_most(column, dates::is_compact_date)
}

/// Whether `test` holds of half of the values at least, and of one.
fn is_of_most(column: &Column, test: impl Fn(&str) -> bool) -> bool {
    let values = || column.values().iter().filter(|value| !is_blank(value));
    let passed = values().filter(|value| test(value)).count();
    passed > 0 && 2 * passed >= values().count()
}

/// Not blank, and more than yes or no.
fn says_something(cell: &str) -> bool {
    const FLAGS: [&str; 12] = [
        "yes", "no", "true", "false", "y", "n", "0", "1", "?", "unknown", "na", "n/a",
    ];
    let cell = cell.trim();
    !is_blank(cell) && !FLAGS.iter().any(|flag| cell.eq_ignore_ascii_case(flag))
}

/// A capital letter and small ones; numbers may follow, as in made-up records.
fn looks_like_name(cell: &str) -> bool {
    let cell = cell
        .trim()
        .trim_end_matches(|character: char| character.is_ascii_digit());
    let mut characters = cell.chars();
    characters.next().is_some_and(char::is_uppercase)
        && characters.clone().any(char::is_lowercase)
        && characters.all(|character| character.is_alphabetic() || "-' .’".contains(character))
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
            .map(|finding| (finding.what, finding.hits))
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

    /// Columns of real systems, each of which looks a little like something else.
    #[test]
    fn realistic_columns_are_taken_for_nothing() {
        for (name, cells) in [
            (
                "ndc",
                &["50242-040-62", "0003-4215-10", "00002-7597-01"][..],
            ),
            ("loinc", &["2160-0", "4548-4", "1988-5"]),
            (
                "snomed",
                &[
                    "124171000119105",
                    "16114001000119106",
                    "368581000119106",
                    "44054006",
                ],
            ),
            ("icd10", &["E11.9", "Z00.00", "S72.001A", "V57"]),
            ("cpt", &["99213", "0001F", "90834"]),
            ("rxnorm", &["308192", "1049221", "313820"]),
            ("oid", &["2.16.840.1.113883.6.1", "1.2.840.10008.1.2"]),
            ("blood_pressure", &["120/80", "135/85", "98/60"]),
            ("platelets", &["150000", "243000", "450000", "199000"]),
            ("creatinine", &["0.2020", "12.1999", "1.05", "10.2020"]),
            ("ratio", &["1:64", "1:128", "3/4", "10:30:15"]),
            (
                "range",
                &["3.5-5.1", "135-145", "10000-19999", "1940-1959", "[70-80)"],
            ),
            (
                "genotype",
                &["c.76A>T", "p.Gly12Asp", "rs1801133", "NM_000546.5"],
            ),
            ("dose", &["500 mg", "2 x 250 mg/d", "0.5 ml", "40 units"]),
            (
                "hash",
                &[
                    "d41d8cd98f00b204e9800998ecf8427e",
                    "900150983cd24fb0d6963f7d28e17f72",
                ],
            ),
            ("version", &["1.2.3", "v10.4", "4.0.1"]),
            ("first_visit", &["yes", "no"]),
            ("last", &["1", "2", "3"]),
            ("image_type", &["CT", "MR", "XR"]),
            ("lat", &["left", "right", "both"]),
            ("phone_contact", &["yes", "no"]),
            ("time", &["10:30", "23:59:59", "07:15"]),
            ("year", &["1999", "2020", "1850"]),
            ("cost", &["1234.56", "129.16", "5000.00"]),
        ] {
            let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
            for cell in cells {
                builder.push_row([cell, &""]).unwrap();
            }
            let found = all_findings(&builder.finish().columns()[0]);
            assert_eq!(found, [], "{name}");
        }
    }

    #[test]
    fn columns_are_found_by_what_most_of_their_cells_are() {
        let rules = |name: &str, cells: &[&str]| -> Vec<(char, &'static str, usize)> {
            let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
            for cell in cells {
                builder.push_row([cell, &""]).unwrap();
            }
            let found = all_findings(&builder.finish().columns()[0]);
            let found = found.into_iter();
            found
                .map(|found| (found.rule.letter(), found.what, found.hits))
                .collect()
        };
        let made_up = ["999-49-3983", "", "999-17-9786"];
        assert_eq!(rules("x", &made_up), [('G', "social security number", 2)]);
        assert_eq!(rules("x", &["999-49-3983", "a", "b"]), []);
        let cards = ["4111111111111111", "5555555555554444"];
        assert_eq!(rules("x", &cards), [('J', "payment card number", 2)]);
        assert_eq!(rules("x", &["4111111111111111", "12", "13"]), []);
        let compact = ["20200131", "20200229103000"];
        assert_eq!(rules("x", &compact), [('C', spans::DATE, 2)]);
        assert_eq!(rules("x", &["20200131", "12345678", "23456789"]), []);
        assert_eq!(
            rules("x", &["02139-4307", "10001-0001"]),
            [('B', "postcode", 2)]
        );
        assert_eq!(rules("LAT", &["40.79", "41.3"]), [('B', "coordinate", 2)]);
        assert_eq!(
            rules("first", &["Ada", "Bob", ""]),
            [('A', "name of a person", 2)]
        );
        assert_eq!(
            rules("id", &["a", "b", "c"]),
            [('R', "number of a record", 3)]
        );
        assert_eq!(rules("id", &["a", "a", "c"]), []);
        assert_eq!(
            rules("city", &["Omaha", "Nebraska", "*", "NE"]),
            [('B', "place smaller than a state", 1)]
        );
        assert_eq!(
            rules("mac", &["00:1a:2b:3c:4d:5e"]),
            [('M', "address of a network device", 1)]
        );
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
            found("birthDate", &["1950-03", "1950"], Some(Role::Sensitive)),
            [("date of birth or death", 1)]
        );
        let years = ["1950", "1940-1959", "*", ""];
        assert_eq!(found("birthDate", &years, Some(Role::Plain)), []);
        assert_eq!(found("phone", &["yes", "no", "?"], Some(Role::Plain)), []);
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
        // Of codes with letters nearly all are enough, and a number in digits may be a measurement.
        let mut repeated = cells.clone();
        repeated[0] = repeated[1];
        let rule = "a different number in every row";
        assert_eq!(found("n", &repeated, Some(Role::Plain)), [(rule, 100)]);
        let twice: Vec<&str> = cells[..60].iter().flat_map(|cell| [*cell; 2]).collect();
        assert_eq!(found("n", &twice, Some(Role::Plain)), []);
        let mut digits: Vec<&str> = cells.iter().map(|cell| &cell[1..]).collect();
        assert_eq!(found("n", &digits, Some(Role::Plain)), [(rule, 100)]);
        digits[0] = digits[1];
        assert_eq!(found("n", &digits, Some(Role::Plain)), []);
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
