//! Detectors for identifiers by the name of a column and by the shape of its cells, after the
//! list of HIPAA Safe Harbor (45 CFR 164.514(b)(2)).
//!
//! They are a net below the custodian's declaration, not a proof: what they find is there, what
//! they miss may be there. Hits carry counts and rules, never a value.

mod addresses;
mod ages;
mod bare;
mod contact;
mod dates;
mod fold;
mod images;
mod look;
mod named;
mod names;
mod network;
mod numbers;
mod persons;
mod spans;
mod spelled;
mod text;

pub(crate) use bare::doubts;
pub(crate) use dates::{is_years_only, year_of_compact_date, year_of_date};
pub(crate) use fold::{Folded, folded, folded_column};
pub(crate) use persons::{is_full_name, is_of_words};
pub use spans::spans;
pub(crate) use text::is_blank;

use look::Look;
use names::Said;

use crate::plan::Role;
use crate::pseudonym::is_pseudonym;
use crate::safe_harbor::SafeHarborRule::{self, OtherUniqueIdentifiers};
use crate::safe_harbor::{age, postcode};
use crate::table::Column;

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
    match role {
        // Reported by whoever asks, as the declaration says it already.
        Some(Role::Identifier) => Vec::new(),
        // As they are written: a pseudonym has one spelling.
        Some(Role::Pseudonym) => no_pseudonyms(column),
        _ => {
            let column = folded_column(column);
            let mut look = Look::at(&column);
            look.note_direct(role);
            look.found
        }
    }
}

fn no_pseudonyms(column: &Column) -> Vec<Finding> {
    let mut look = Look::at(column);
    let what = "cells that are no pseudonym";
    look.note_where(OtherUniqueIdentifiers, what, |cell| !is_pseudonym(cell));
    look.found
}

/// What stands in the way of Safe Harbor in one column, whatever it is declared to be: what identifies by itself, and places,
/// dates, ages and keys.
pub(crate) fn all_findings(column: &Column) -> Vec<Finding> {
    let folded = folded_column(column);
    let mut look = Look::at(&folded);
    look.note_direct(Some(Role::Plain));
    look.note_others();
    look.found
}

/// Whether the name says that it holds ages; or years, of which most are no more than an age.
pub(crate) fn is_of_ages(column: &Column) -> bool {
    let said = Said::by(column.name());
    said.age().is_some() || (said.years().is_some() && is_of_most(column, age::may_be_one))
}

/// Whether the name says that it holds postcodes, or the cells do: those with a stroke say what those of five digits are.
pub(crate) fn is_of_postcodes(column: &Column) -> bool {
    let is_long = postcode::is_zip_plus_four;
    Said::by(column.name()).postcode().is_some()
        || is_of_most(column, is_long)
        || (column.values().iter().any(|cell| is_long(cell))
            && is_of_most(column, |cell| is_long(cell) || postcode::is_zip(cell)))
}

/// Whether the name says that it holds places smaller than a state.
pub(crate) fn is_of_places(column: &Column) -> bool {
    Said::by(column.name()).place().is_some()
}

/// Whether the name says that it may hold places of any size.
pub(crate) fn is_of_sites(column: &Column) -> bool {
    Said::by(column.name()).site().is_some()
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

#[cfg(test)]
mod tests;
