//! Words that may name a person or a place: by how they are written, and by given names that are common.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::safe_harbor::place;

/// Words of a name; what has more is a text.
const MAX_WORDS: usize = 5;
/// Letters in a row that make a word; fewer are a unit or a code.
const MIN_LETTERS: usize = 3;
/// Small words inside a name.
const PARTICLES: [&str; 17] = [
    "von", "van", "vom", "zu", "zum", "zur", "der", "den", "de", "del", "della", "di", "da", "du",
    "la", "le", "bin",
];
/// Given names of many people in the United States, Germany and France. No list of names is whole: what is not on it is not decided.
const GIVEN: &str = "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty \
    Sandra Margaret Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon \
    Laura Cynthia Kathleen Amy Angela Shirley Anna Emma Olivia Sophia Isabella Helen Julia Alice Ruth Maria Ana \
    James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony \
    Steven Paul Andrew Joshua Kenneth Kevin Brian George Timothy Ronald Edward Jason Jeffrey Ryan Jacob Gary \
    Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Peter Henry Jack Juan Carlos Jose \
    Luis Ahmed Mohammed Muhammad Ali Fatima Wei Hans Jürgen Klaus Wolfgang Günter Horst Dieter Manfred Heinz Karl \
    Werner Ursula Renate Monika Petra Sabine Andrea Claudia Birgit Heike Gisela Ingrid Helga Stefan Andreas \
    Matthias Sebastian Lukas Felix Jonas Katharina Johanna Jean Pierre Jacques Philippe Alain Bernard Marie \
    Nathalie Isabelle Sylvie Catherine Françoise Monique Nicolas Julien Camille Léa Chloé Louis Antoine";

/// Whether a cell is written as a person is called, with two names at least: `Mary Brown`, `Brown, Mary`, `MARY J. BROWN`,
/// `Ludwig van Beethoven`. So are many other things; states are none.
pub(crate) fn is_full_name(cell: &str) -> bool {
    let words = || cell.split_whitespace();
    let full = words().filter(|word| is_name(word)).count();
    (2..=MAX_WORDS).contains(&words().count())
        && full >= 2
        && words().all(|word| is_name(word) || is_initial(word) || PARTICLES.contains(&word))
        && !place::is_state_or_larger(cell)
}

/// A capital letter, and letters behind it.
fn is_name(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.']);
    let letters = word.chars().filter(|character| character.is_alphabetic());
    let is_capital = |first: char| first.is_uppercase();
    word.starts_with(is_capital)
        && word
            .chars()
            .all(|character| character.is_alphabetic() || "-'’".contains(character))
        && (letters.count() >= MIN_LETTERS || word.chars().any(char::is_lowercase))
}

/// `J` or `J.`
fn is_initial(word: &str) -> bool {
    let mut letters = word.trim_end_matches(['.', ',']).chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_none()
}

/// Whether a full name has a given name that is common.
pub(super) fn has_given_name(cell: &str) -> bool {
    static KNOWN: LazyLock<HashSet<String>> =
        LazyLock::new(|| GIVEN.split_whitespace().map(str::to_lowercase).collect());
    let is_given = |word: &str| {
        let first = word.split(['-', ',', '.']).next();
        first.is_some_and(|first| KNOWN.contains(&first.to_lowercase()))
    };
    is_full_name(cell) && cell.split_whitespace().any(is_given)
}

/// Whether a cell is of words alone, as names and places are: three letters in a row, and no digit.
pub(crate) fn is_of_words(cell: &str) -> bool {
    let words = || cell.split(|character: char| !character.is_alphabetic());
    !cell.chars().any(char::is_numeric)
        && words().any(|word| word.chars().nth(MIN_LETTERS - 1).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_told_by_its_capitals() {
        for name in [
            "Mary Brown",
            "Brown, Mary",
            "MARY J. BROWN",
            "Mary-Ann O'Neill",
            "Ludwig van Beethoven",
            " Jürgen  Groß ",
            "Dr. Li Wu",
        ] {
            assert!(is_full_name(name), "{name}");
        }
        for other in [
            "Mary",
            "mary brown",
            "Metformin 500 MG",
            "type 2 Diabetes",
            "North Dakota",
            "United States",
            "CT MR",
            "A B",
            "",
            "Acute bronchitis",
        ] {
            assert!(!is_full_name(other), "{other}");
        }
    }

    #[test]
    fn common_given_names_make_a_person_of_it() {
        assert!(has_given_name("Mary Brown") && has_given_name("BROWN, MARY"));
        assert!(has_given_name("Karl-Heinz Groß") && has_given_name("GROSS, JÜRGEN"));
        for other in ["Heart Failure", "Never Married", "Mary", "Low Mary3"] {
            assert!(!has_given_name(other), "{other}");
        }
    }

    #[test]
    fn codes_and_numbers_are_no_words() {
        assert!(is_of_words("Boston") && is_of_words("aspirin") && is_of_words("Zoë K."));
        for other in ["E11", "kg", "mg/dL", "93", "", "*", "?", "ICD10 code"] {
            assert!(!is_of_words(other), "{other}");
        }
    }
}
