//! One column, and what is found in it.

use std::cell::OnceCell;

use super::names::Said;
use super::spans::{DATE, LOCATED, Located};
use super::{
    Finding, bare, dates, images, is_blank, is_of_ages, is_of_most, is_of_postcodes, is_years_only,
    numbers, persons, spelled,
};
use crate::plan::Role;
use crate::safe_harbor::SafeHarborRule::{self, *};
use crate::safe_harbor::{age, place, postcode};
use crate::table::Column;

/// A column whose every value is different is a number of a person or an encounter, when it has
/// at least this many rows.
pub(super) const UNIQUE_NUMBER_MIN_ROWS: usize = 100;
/// … and each value is at least this long.
const UNIQUE_NUMBER_MIN_BYTES: usize = 5;
/// Of codes that mix letters and digits this share of the rows is enough: a person may have two rows.
pub(super) const UNIQUE_CODE_PERCENT: usize = 95;

/// A column that is looked at.
pub(super) struct Look<'a> {
    column: &'a Column,
    /// Rows of each value, once something was found: most columns have nothing.
    counts: OnceCell<Vec<usize>>,
    said: Said,
    pub(super) found: Vec<Finding>,
}

impl<'a> Look<'a> {
    pub(super) fn at(column: &'a Column) -> Self {
        Self {
            column,
            counts: OnceCell::new(),
            said: Said::by(column.name()),
            found: Vec::new(),
        }
    }

    pub(super) fn column(&self) -> &'a Column {
        self.column
    }

    fn values(&self) -> impl Iterator<Item = &'a str> {
        self.column.values().iter().map(|value| &**value)
    }

    /// Rows with a value for which `test` holds.
    fn rows_where(&self, test: impl Fn(&str) -> bool) -> usize {
        let found = self.values().enumerate().filter(|(_, value)| test(value));
        let counts = || self.counts.get_or_init(|| self.column.counts());
        found.map(|(code, _)| counts()[code]).sum()
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
    pub(super) fn note_where(
        &mut self,
        rule: SafeHarborRule,
        what: &'static str,
        test: impl Fn(&str) -> bool,
    ) {
        self.note(rule, what, self.rows_where(test));
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

    pub(super) fn note_direct(&mut self, role: Option<Role>) {
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
            if let Some(said) = self.said.person() {
                self.note_if_most(said.rule, said.what, persons::is_full_name);
            }
            if let Some(said) = self.said.reference() {
                self.note_if_most(said.rule, said.what, looks_like_code);
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

    pub(super) fn note_others(&mut self) {
        if let Some(said) = self.said.place() {
            self.note_where(said.rule, said.what, |cell| {
                says_something(cell) && !place::is_state_or_larger(cell)
            });
        }
        if let Some(said) = self.said.coordinate() {
            self.note_if_most(said.rule, said.what, place::is_coordinate);
        }
        if is_of_postcodes(self.column) {
            self.note_where(Geography, "postcode", postcode::is_too_fine);
        }
        if is_of_ages(self.column) {
            self.note_where(Dates, "age over 89", age::is_told_over_89);
        }
        self.note_if_most(Names, "name of a person", persons::has_given_name);
        self.note_bare();
        self.note_located(|located| !located.is_direct);
        self.note_if_most(Dates, DATE, dates::is_compact_date);
        self.note_if_most(Dates, "month", spelled::is_month);
        if let Some(said) = self.said.key()
            && self.column.codes().len() > 1
            && self.is_nearly_unique()
        {
            self.note_where(said.rule, said.what, says_something);
        }
        if bare::is_counted_up(self.column) {
            let what = "a different number in every row";
            self.note_where(OtherUniqueIdentifiers, what, |cell| !is_blank(cell));
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
        let mut values = self.values().filter(|value| !is_blank(value));
        let Some(first) = values.next() else {
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
            && is_code(first)
            && self.is_nearly_unique()
            && self.filled() >= UNIQUE_NUMBER_MIN_ROWS
            && values.all(is_code)
    }

    /// Rows that say anything.
    fn filled(&self) -> usize {
        self.rows_where(|value| !is_blank(value))
    }

    fn is_nearly_unique(&self) -> bool {
        let filled = self.values().filter(|value| !is_blank(value)).count();
        filled * 100 >= self.filled() * UNIQUE_CODE_PERCENT
    }
}

/// Not blank, and more than yes or no.
fn says_something(cell: &str) -> bool {
    const FLAGS: [&str; 12] = [
        "yes", "no", "true", "false", "y", "n", "0", "1", "?", "unknown", "na", "n/a",
    ];
    let cell = cell.trim();
    !is_blank(cell) && !FLAGS.iter().any(|flag| cell.eq_ignore_ascii_case(flag))
}

/// One word, with a digit.
fn looks_like_code(cell: &str) -> bool {
    let cell = cell.trim();
    cell.bytes().any(|byte| byte.is_ascii_digit()) && !cell.contains(char::is_whitespace)
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
