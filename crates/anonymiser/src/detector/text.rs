//! What detectors of content share.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A pattern that is compiled once.
pub(super) type Pattern = LazyLock<Regex>;

/// A pattern of this crate, which a test compiles.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Where a pattern stands in a cell.
pub(super) fn places<'a>(
    pattern: &'a Regex,
    cell: &'a str,
) -> impl Iterator<Item = Range<usize>> + 'a {
    pattern.find_iter(cell).map(|found| found.range())
}

/// Whether a place is no part of a longer word or number: no letter or digit is next to it, nor behind one of `joiners`.
pub(super) fn stands_alone(cell: &str, place: &Range<usize>, joiners: &str) -> bool {
    fn joins(mut next: impl Iterator<Item = char>, joiners: &str) -> bool {
        match next.next() {
            Some(first) if first.is_alphanumeric() => true,
            Some(first) if joiners.contains(first) => {
                next.next().is_some_and(char::is_alphanumeric)
            }
            _ => false,
        }
    }
    !joins(cell[..place.start].chars().rev(), joiners) && !joins(cell[place.end..].chars(), joiners)
}

/// Whether a cell says nothing: empty, or suppressed.
pub(crate) fn is_blank(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty() || cell == "*"
}

pub(super) fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.chars().filter_map(|character| character.to_digit(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_inside_a_longer_one_does_not_stand_alone() {
        let alone = |cell: &str| {
            let start = cell.find("17").map_or(0, |start| start);
            stands_alone(cell, &(start..start + 2), "-.")
        };
        for cell in ["17", "a 17.", "(17)", "é-17", "17- 3", "17.-3"] {
            assert_eq!(alone(cell), cell != "é-17", "{cell}");
        }
        for cell in ["x17", "175", "é17", "3-17", "17.5"] {
            assert!(!alone(cell), "{cell}");
        }
    }
}
