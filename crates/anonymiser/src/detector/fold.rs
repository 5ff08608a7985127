//! One way to write what can be written in many: detectors see the folded text, and say where in the original it stands.
//!
//! An identifier stays one when its digits are full-width, its hyphens are dashes or its spaces do not break
//! (§164.514(b)(2)(i) names what is identified, and no way to write it).

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::table::Column;

/// The zeros of the decimal digits that NFKC leaves alone; the other nine of each script come behind it (Unicode 16, general
/// category Nd, of which the standard promises this).
const ZEROS: [u32; 70] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0,
    0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0,
    0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1E140, 0x1E2F0, 0x1E4F0,
    0x1E5F1, 0x1E950, 0x1FBF0, 0x1CCF0,
];

/// A text as detectors see it.
pub(crate) struct Folded<'a> {
    text: Cow<'a, str>,
    /// Where each stretch begins in the folded text, and what of the original it is made of. None, where nothing was folded.
    stretches: Vec<(usize, Range<usize>)>,
}

impl<'a> Folded<'a> {
    pub(crate) fn of(original: &'a str) -> Self {
        let mut folded = Self {
            text: Cow::Borrowed(original),
            stretches: Vec::new(),
        };
        // Nearly all texts; a look at each byte, and no copy.
        if original.is_ascii() {
            return folded;
        }
        let mut text = String::with_capacity(original.len());
        for stretch in stretches(original) {
            let start = text.len();
            push(&mut text, &original[stretch.clone()]);
            if text.len() > start {
                folded.stretches.push((start, stretch));
            }
        }
        folded.text = Cow::Owned(text);
        folded
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What of the original a place in the folded text is made of: whole characters, with the marks upon them.
    pub(crate) fn original(&self, place: Range<usize>) -> Range<usize> {
        let stretch_at = |at: usize| {
            let behind = self.stretches.partition_point(|(start, _)| *start <= at);
            self.stretches.get(behind.checked_sub(1)?)
        };
        let first = stretch_at(place.start);
        let last = stretch_at(place.end.saturating_sub(1));
        match (first, last) {
            (Some((_, first)), Some((_, last))) => first.start..last.end,
            _ => place,
        }
    }
}

/// The text as detectors see it, where nobody asks what stands where.
pub(crate) fn folded(original: &str) -> Cow<'_, str> {
    Folded::of(original).text
}

/// The column as detectors see it. What is folded alike is one value.
pub(crate) fn folded_column(column: &Column) -> Cow<'_, Column> {
    if column.values().iter().all(|value| value.is_ascii()) {
        return Cow::Borrowed(column);
    }
    Cow::Owned(column.rewritten(|value| (!value.is_ascii()).then(|| folded(value).into_owned())))
}

/// Characters, each with the marks behind it, so that what is written in parts is put together.
fn stretches(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = rest.next()?;
        while rest
            .next_if(|(_, next)| is_combining_mark(*next) && !is_unseen(*next))
            .is_some()
        {}
        let end = rest.peek().map_or(text.len(), |(end, _)| *end);
        Some(start..end)
    })
}

fn push(folded: &mut String, stretch: &str) {
    for character in stretch.nfkc() {
        match character {
            // A soft hyphen parts a word where a line ends, and groups of digits anywhere.
            '\u{AD}' if folded.ends_with(|last: char| last.is_ascii_digit()) => folded.push('-'),
            _ if is_unseen(character) => {}
            '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{30A0}' | '\u{58A}' => {
                folded.push('-');
            }
            '\u{2044}' | '\u{2215}' | '\u{29F8}' => folded.push('/'),
            '\u{66B}' => folded.push('.'),
            '\u{66C}' | '\u{60C}' => folded.push(','),
            '\u{85}' | '\u{2028}' | '\u{2029}' => folded.push('\n'),
            _ if !character.is_ascii() && character.is_whitespace() => folded.push(' '),
            _ => folded.push(digit(character).unwrap_or(character)),
        }
    }
}

/// What has no width: joiners, marks of direction, variation selectors, tags (default ignorable code points).
const fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// `٣` is a 3.
fn digit(character: char) -> Option<char> {
    let code = u32::from(character);
    // Most letters that are not of ASCII are of Latin, which has no other digits.
    if code < ZEROS[0] {
        return None;
    }
    let value = ZEROS
        .iter()
        .find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn what_is_written_in_many_ways_is_folded_to_one() {
        for (written, read) in [
            ("078‐05‑1120", "078-05-1120"),
            ("078–05—1120", "078-05-1120"),
            ("078―05−1120", "078-05-1120"),
            ("078\u{AD}05\u{AD}1120", "078-05-1120"),
            ("０７８－０５－１１２０", "078-05-1120"),
            ("٠٧٨-٠٥-١١٢٠", "078-05-1120"),
            ("०७८-०५-११२०", "078-05-1120"),
            ("078\u{A0}05\u{202F}1120", "078 05 1120"),
            ("078\u{2009}05\u{3000}1120", "078 05 1120"),
            ("0\u{200B}7\u{2060}8\u{FEFF}", "078"),
            ("ａｄａ＠ｃｌｉｎｉｃ．ｅｘａｍｐｌｅ", "ada@clinic.example"),
            ("Ma\u{308}rz", "März"),
            ("au\u{AD}gust", "august"),
            ("12⁄31∕1999", "12/31/1999"),
            ("plain", "plain"),
        ] {
            assert_eq!(folded(written), read);
        }
    }

    /// As many as the engine of patterns knows, which is of the same Unicode or a later one.
    #[test]
    fn every_digit_of_unicode_is_read() {
        let is_digit = Regex::new(r"^\p{Nd}$").unwrap();
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = character.to_string();
            let is_read = folded(&text).bytes().all(|byte| byte.is_ascii_digit());
            assert!(
                is_read || !is_digit.is_match(&text),
                "{:x}",
                u32::from(character)
            );
        }
    }

    proptest! {
        /// Any place in the folded text is made of whole characters; of places apart, in order, also the originals are in order.
        #[test]
        fn places_lie_on_borders_of_characters(text in "(\\PC|[\u{300}-\u{308}\u{200B}\u{AD}½０-９é–]){0,20}") {
            let folded = Folded::of(&text);
            let borders: Vec<usize> = folded.text().char_indices().map(|(at, _)| at).chain([folded.text().len()]).collect();
            let mut before = 0;
            for pair in borders.windows(2) {
                let original = folded.original(pair[0]..pair[1]);
                prop_assert!(text.get(original.clone()).is_some_and(|stretch| !stretch.is_empty()));
                prop_assert!(before <= original.start);
                before = original.start;
            }
            if let (Some(&first), Some(&last)) = (borders.first(), borders.last()) && first < last {
                let whole = folded.original(first..last);
                prop_assert_eq!(self::folded(&text[whole]), folded.text());
            }
        }
    }
}
