//! Where in a text an identifier stands.

use std::ops::Range;

use super::cells::{
    is_email, is_full_date, is_ip, is_phone, is_social_security_number, is_url, words,
};

type WordRule = (&'static str, fn(&str) -> bool);

/// What a word is found to be, in the order in which it is believed.
const WORD_RULES: [WordRule; 5] = [
    ("web address", is_url),
    ("e-mail address", is_email),
    ("IP address", is_ip),
    ("social security number", is_social_security_number),
    ("full date", is_full_date),
];

/// Identifiers in a text: bytes, on the borders of characters, and what stands there. In order, none overlaps another.
pub(crate) fn spans(cell: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for word in words(cell) {
        if let Some((what, _)) = WORD_RULES.iter().find(|(_, test)| test(word)) {
            found.push((place_of(word, cell), what));
        }
    }
    let mut end = 0;
    let mut phones = Vec::new();
    for (place, _) in &found {
        phones.extend(phones_in(&cell[end..place.start], cell));
        end = place.end;
    }
    phones.extend(phones_in(&cell[end..], cell));
    found.extend(phones.into_iter().map(|place| (place, "telephone number")));
    found.sort_unstable_by_key(|(place, _)| place.start);
    found
}

/// Runs of what telephone numbers are made of.
fn phones_in<'a>(text: &'a str, cell: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let runs = text.split(|character: char| !"0123456789 -()./+".contains(character));
    let runs = runs.map(|run| run.trim_matches([' ', '.', '-', '/']));
    runs.filter(|run| is_phone(run))
        .map(|run| place_of(run, cell))
}

/// Where in `whole` its part stands.
fn place_of(part: &str, whole: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(cell: &str) -> Vec<(&str, &'static str)> {
        let told = |(place, what): (Range<usize>, _)| (&cell[place], what);
        spans(cell).into_iter().map(told).collect()
    }

    #[test]
    fn each_identifier_of_a_letter_is_told() {
        let letter = "Seen 2020-03-02 (SSN 078-05-1120). Write to <ada@clinic.example>, call (212) 555-0123; \
            results at https://x.example/r?d=1 from 10.0.0.7.";
        assert_eq!(
            told(letter),
            [
                ("2020-03-02", "full date"),
                ("078-05-1120", "social security number"),
                ("ada@clinic.example", "e-mail address"),
                ("(212) 555-0123", "telephone number"),
                ("https://x.example/r?d=1", "web address"),
                ("10.0.0.7", "IP address"),
            ]
        );
        assert_eq!(told("BP 120/80, HbA1c 7.35 - 7.45 %, grade 3/4, E11.9"), []);
    }

    proptest! {
        #[test]
        fn places_lie_apart_and_in_order(text in "([a-zé@.:/ +()-]|[0-9]{1,4}|www\\.|078-05-1120|a@b\\.cc|2020-01-02|10\\.0\\.0\\.7){0,20}|\\PC{0,60}") {
            let mut end = 0;
            for (place, _) in spans(&text) {
                prop_assert!(end <= place.start && place.start < place.end);
                prop_assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end));
                end = place.end;
            }
        }
    }
}
