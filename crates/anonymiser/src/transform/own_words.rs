//! What a record says of its own person, taken out of its free text: no detector knows names, but the columns that identify the
//! person have them. Names of others (relatives, physicians) are not found.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::detector::{Folded, folded};
use crate::table::Column;

/// What stands in a text for what the record's identifiers hold.
pub(super) const OWN: &str = "[identifier]";
/// Shorter words than this are compared as they are spelt: `Li` is a name, `li` is not.
const MIN_LETTERS: usize = 3;
/// Fewer digits than these are any number: a dose, a house.
const MIN_DIGITS: usize = 4;

/// The texts without the words of the same row's `identifiers`, as wholes and in any case.
pub(super) fn without_own_words(texts: &Column, identifiers: &[&Column]) -> Column {
    let words: Vec<Vec<HashSet<String>>> = identifiers
        .iter()
        .map(|column| column.values().iter().map(|value| words(value)).collect())
        .collect();
    let mut values = texts.values().to_vec();
    let codes = texts.codes().iter().enumerate().map(|(row, &code)| {
        let own = identifiers.iter().zip(&words);
        let own: Vec<_> = own
            .map(|(column, words)| &words[column.codes()[row] as usize])
            .collect();
        let is_own = |word: &str| {
            let word = spelling(word);
            own.iter().any(|words| words.contains(&word))
        };
        match without(&texts.values()[code as usize], is_own) {
            Some(text) => {
                values.push(text.into());
                values.len() as u32 - 1
            }
            None => code,
        }
    });
    let codes: Vec<u32> = codes.collect();
    Column::of_texts(Arc::clone(texts.name()), &codes, &values)
}

/// The words of an identifier that could stand in a text, as they are compared.
fn words(identifier: &str) -> HashSet<String> {
    let identifier = folded(identifier);
    let words = places(&identifier).map(|place| &identifier[place]);
    words.filter(|word| tells(word)).map(spelling).collect()
}

/// Letters and digits that stand together.
fn places(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = rest.find(|(_, letter)| letter.is_alphanumeric())?;
        while rest
            .next_if(|(_, letter)| letter.is_alphanumeric())
            .is_some()
        {}
        let end = rest.peek().map_or(text.len(), |(end, _)| *end);
        Some(start..end)
    })
}

fn tells(word: &str) -> bool {
    let is_number = word.chars().all(|letter| letter.is_ascii_digit());
    let least = if is_number { MIN_DIGITS } else { 2 };
    word.chars().nth(least - 1).is_some()
}

fn spelling(word: &str) -> String {
    match word.chars().nth(MIN_LETTERS - 1) {
        Some(_) => word.to_lowercase(),
        None => word.to_owned(),
    }
}

/// The text with [`OWN`] for each of these words, however their letters are composed; nothing when it has none.
fn without(text: &str, is_own: impl Fn(&str) -> bool) -> Option<String> {
    let mut left = String::with_capacity(text.len());
    let mut end = 0;
    let folded = Folded::of(text);
    for place in places(folded.text()).filter(|place| is_own(&folded.text()[place.clone()])) {
        let place = folded.original(place);
        if place.start < end {
            continue;
        }
        left.push_str(&text[end..place.start]);
        left.push_str(OWN);
        end = place.end;
    }
    left.push_str(&text[end..]);
    (end > 0).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scrubbed(identifier: &str, text: &str) -> String {
        let own = words(identifier);
        let is_own = |word: &str| own.contains(&spelling(word));
        without(text, is_own).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn words_of_the_identifier_are_taken_out_as_wholes() {
        for (identifier, text, expected) in [
            (
                "Ada Lovelace",
                "ADA fell; Ms. Lovelace's knee",
                "[identifier] fell; Ms. [identifier]'s knee",
            ),
            ("O'Brien", "o'brien, obrien", "o'[identifier], obrien"),
            (
                "Li Wei",
                "Li takes li 300 mg; wei",
                "[identifier] takes li 300 mg; [identifier]",
            ),
            (
                "MRN 00471",
                "seen as 00471, 471 and 100471",
                "seen as [identifier], 471 and 100471",
            ),
            (
                "12 Elm Street",
                "12 mg, elm bark",
                "12 mg, [identifier] bark",
            ),
            ("Émile", "ÉMILE, Emile", "[identifier], Emile"),
            // Composed, in parts, and of full width.
            ("Émile", "E\u{301}mile", "[identifier]"),
            ("E\u{301}mile", "(Émile)", "([identifier])"),
            ("Ada", "Ａｄａ fell", "[identifier] fell"),
            ("", "nobody", "nobody"),
            ("Ada", "", ""),
        ] {
            assert_eq!(scrubbed(identifier, text), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_of_it_is_left_and_nothing_else_is_taken(identifier in "\\PC{0,20}", text in "(\\PC{0,12} ?){0,5}") {
            let own = words(&identifier);
            let is_own = |text: &str, place: Range<usize>| own.contains(&spelling(&text[place]));
            let left = scrubbed(&identifier, &text);
            // What stands for a word is none of the identifier's, unless it is that very word.
            let read = folded(&left);
            let others = places(&read).filter(|place| &read[place.clone()] != "identifier");
            for place in others {
                prop_assert!(!is_own(&read, place));
            }
            let text = folded(&text).into_owned();
            if !places(&text).any(|place| is_own(&text, place)) {
                let left = folded(&left);
                prop_assert_eq!(left, text);
            }
        }
    }
}
