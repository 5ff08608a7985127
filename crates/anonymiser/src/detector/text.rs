//! What detectors of content share.

use std::collections::BTreeMap;
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

/// Places in their order; of two that overlap the one that was given first. No more work than a look-up for each.
pub(super) fn apart(places: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for place in places {
        // Those that are taken lie apart, so the last that begins before its end reaches farthest.
        let last = taken.range(..place.end).next_back();
        if last.is_none_or(|(_, end)| *end <= place.start) {
            taken.insert(place.start, place.end);
        }
    }
    taken.into_iter().map(|(start, end)| start..end).collect()
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

/// Whether a text has a word, or what is cut to letters with strokes and points, beside a digit: most cells have none, and are looked
/// at no further.
pub(super) fn has_word_and_digit(cell: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let is_cut = |byte: u8| b"/.#".contains(&byte);
    let mut pairs = cell.as_bytes().windows(2);
    let has_word = pairs.any(|pair| is_letter(pair[0]) && (is_letter(pair[1]) || is_cut(pair[1])));
    has_word && cell.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether so many digits follow each other, with one other byte between two of them at most.
pub(super) fn has_digits_together(text: &str, count: usize) -> bool {
    let (mut together, mut apart) = (0, 0);
    text.bytes().any(|byte| {
        if byte.is_ascii_digit() {
            (together, apart) = (together + 1, 0);
        } else {
            apart += 1;
            if apart > 1 {
                together = 0;
            }
        }
        together >= count
    })
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
    fn what_is_worth_a_look() {
        for cell in ["SSN 1", "a/c 1", "D.O.B. 1", "4. März", "Jän 4"] {
            assert!(has_word_and_digit(cell), "{cell}");
        }
        for cell in ["E11.9", "250.83", "5 m", "word", ""] {
            assert!(!has_word_and_digit(cell), "{cell}");
        }
        assert!(has_digits_together("x 078 05 1120", 9) && has_digits_together("12-3/4", 4));
        assert!(!has_digits_together("12 mg, 34", 4) && !has_digits_together("123", 4));
    }

    #[test]
    fn of_two_places_that_overlap_the_first_is_taken() {
        let places = apart([4..8, 0..2, 7..9, 1..5, 2..4, 0..9, 8..9]);
        assert_eq!(places, [0..2, 2..4, 4..8, 8..9]);
    }

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
