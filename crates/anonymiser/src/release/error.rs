//! Why a table cannot be anonymised.

use crate::plan::PlanError;
use crate::safe_harbor::Found;

use super::MAX_LATTICE_NODES;

/// Why a table cannot be anonymised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnonymiseError {
    /// The plan does not fit the table.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The lattice is too large.
    #[error(
        "the hierarchies span {nodes} level combinations, and {MAX_LATTICE_NODES} is the limit of a search to the optimum; use fewer quasi-identifiers or levels, or search with a limit of nodes or of time"
    )]
    LatticeTooLarge {
        /// Combinations (saturated).
        nodes: usize,
    },
    /// The lattice is so large that its nodes cannot be counted.
    #[error(
        "the hierarchies span more than 2^62 level combinations, which no search of levels goes through; use fewer quasi-identifiers or levels, or the method `mondrian`"
    )]
    LatticeBeyondCount,
    /// The search ended before it found a release that keeps the promises.
    #[error(
        "the search ended after {checked} level combinations, before one was found that keeps the promises; let it go on for longer"
    )]
    Ended {
        /// Combinations that were checked.
        checked: usize,
    },
    /// Even the highest levels are not enough.
    #[error(
        "even at the highest levels more than {limit} rows would have to be suppressed to reach k = {k} and the models of sensitive columns; end the hierarchies in `*`, loosen the models, or raise the suppression limit"
    )]
    OutOfReach {
        /// The k asked for.
        k: usize,
        /// Rows that may be suppressed.
        limit: usize,
    },
    /// A shifted date leaves the calendar.
    #[error(
        "column `{column}`: the date in row {row} would be shifted out of the years 0001 to 9999; list what stands for a missing date under `missing`"
    )]
    DateBeyondYears {
        /// Name of the column.
        column: String,
        /// Row of the table from 1, the header not counted.
        row: usize,
    },
    /// Identifiers are in columns that nobody declared, or would be in the release.
    #[error(
        "identifiers would be released: {}; declare such a column an identifier or a pseudonym, generalise it, or let it accept the rule", list(.found)
    )]
    IdentifiersLeft {
        /// Column, rule and count of each.
        found: Vec<Found>,
    },
}

/// The most findings that an error spells out.
const MAX_LISTED: usize = 20;

fn list(found: &[Found]) -> String {
    let listed: Vec<String> = found
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    match found.len() - listed.len() {
        0 => listed.join("; "),
        more => format!("{}; and {more} more", listed.join("; ")),
    }
}
