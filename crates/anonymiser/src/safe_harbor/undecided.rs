//! What a machine cannot judge, of 45 CFR §164.514(b)(2)(i): a line with such a sentence never says that there is none.

use super::SafeHarborRule::{self, Dates, Geography, Names, OtherUniqueIdentifiers};
use crate::detector::{
    doubts, folded_column, is_full_name, is_of_places, is_of_sites, is_of_words, is_years_only,
};
use crate::plan::Role;
use crate::safe_harbor::place;
use crate::table::Column;

/// A cell of so many words is a text, which may hold a name.
const TEXT_MIN_WORDS: usize = 5;
/// So many different words may be a list that somebody keeps, such as of sexes or of drugs; more are written by people.
const LIST_MAX_VALUES: usize = 20;
/// … if each stands in so many rows, on average.
const LIST_MIN_ROWS_PER_VALUE: usize = 5;

/// What has to be judged by a person, in sentences that quote no value.
///
/// By the cells and the role alone: a second node, which has no hierarchies, comes to the same.
pub(super) fn undecided(column: &Column, role: Option<Role>) -> Vec<(SafeHarborRule, String)> {
    let name = column.name();
    if role == Some(Role::Pseudonym) {
        return vec![(
            OtherUniqueIdentifiers,
            format!(
                "Column `{name}` holds keyed pseudonyms; a code is permitted when it cannot be translated back and its key is not disclosed (§164.514(c))."
            ),
        )];
    }
    let column = &*folded_column(column);
    let mut sentences = of_words(column, role);
    if is_of_birth(name) && column.values().iter().any(|value| is_year(value)) {
        sentences.push((
            Dates,
            format!("Column `{name}` has years; whether one tells an age over 89 depends on the day of release."),
        ));
    }
    sentences.extend(of_places(column));
    sentences.extend(doubts(column).into_iter().map(|doubt| {
        let (seen, may_be, rows) = (doubt.seen, doubt.may_be, in_rows(doubt.rows));
        let sentence = format!("Column `{name}` has {seen} in {rows}; they may be {may_be}.");
        (doubt.rule, sentence)
    }));
    sentences
}

/// Texts and words, which may name a person or a place.
fn of_words(column: &Column, role: Option<Role>) -> Vec<(SafeHarborRule, String)> {
    let name = column.name();
    let counts = column.counts();
    let rows_where = |test: &dyn Fn(&str) -> bool| -> usize {
        let rows = column.values().iter().zip(&counts);
        let rows = rows.filter(|(value, _)| test(value));
        rows.map(|(_, count)| count).sum()
    };
    let texts = rows_where(&is_text);
    let words = match role {
        Some(Role::Text) => rows_where(&|value| !is_text(value) && is_of_words(value)),
        _ if is_of_a_list(column, &counts) => rows_where(&is_full_name),
        _ => rows_where(&|value| is_uncontrolled(value) && !is_text(value)),
    };
    let mut sentences = Vec::new();
    if texts > 0 {
        sentences.push((
            Names,
            format!("Column `{name}` has text in {texts} rows; names in a text are not found by their shape."),
        ));
    }
    if words > 0 {
        let rows = in_rows(words);
        sentences.push((
            Names,
            format!("Column `{name}` has words in {rows}; they may be names of persons."),
        ));
    }
    if texts + words > 0 {
        let rows = in_rows(texts + words);
        sentences.push((
            Geography,
            format!(
                "Column `{name}` has words in {rows}; they may tell a place smaller than a state."
            ),
        ));
    }
    sentences
}

/// Words in columns of places, which are few and in many rows where all people live in one town (§164.514(b)(2)(i)(B)).
fn of_places(column: &Column) -> Option<(SafeHarborRule, String)> {
    let name = column.name();
    let (is_place, seen): (fn(&str) -> bool, _) = if is_of_places(column) {
        (place::is_city_as_well, "that are a state and a city")
    } else if is_of_sites(column) {
        (
            is_uncontrolled,
            "that may tell a place smaller than a state",
        )
    } else {
        return None;
    };
    let counts = column.counts();
    let rows = column.values().iter().zip(counts);
    let rows: usize = rows
        .filter(|(value, _)| is_place(value))
        .map(|(_, count)| count)
        .sum();
    let sentence = || format!("Column `{name}` has words {seen} in {}.", in_rows(rows));
    (rows > 0).then(|| (Geography, sentence()))
}

fn is_text(value: &str) -> bool {
    value.split_whitespace().nth(TEXT_MIN_WORDS - 1).is_some()
}

/// Words that are no state and no larger place.
fn is_uncontrolled(value: &str) -> bool {
    is_of_words(value) && !place::is_state_or_larger(value)
}

/// Whether the words of a column are few and each is in many rows: a list, and not what people are called.
fn is_of_a_list(column: &Column, counts: &[usize]) -> bool {
    let words = column.values().iter().zip(counts);
    let words = words.filter(|(value, _)| is_uncontrolled(value));
    let (values, rows) = words.fold((0, 0), |(values, rows), (_, count)| {
        (values + 1, rows + count)
    });
    values <= LIST_MAX_VALUES && rows >= LIST_MIN_ROWS_PER_VALUE * values
}

fn in_rows(rows: usize) -> String {
    match rows {
        1 => "1 row".to_owned(),
        _ => format!("{rows} rows"),
    }
}

fn is_of_birth(name: &str) -> bool {
    let name = name.to_lowercase();
    ["birth", "dob", "geburt", "naissance"]
        .iter()
        .any(|word| name.contains(word))
}

fn is_year(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit()) && is_years_only(value)
}
