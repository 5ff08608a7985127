//! Numbers that a text names: `MRN: 12345` is one, though any number has its form.

use std::ops::Range;

use regex::Regex;

use super::text::{Pattern, has_digits_together, has_word_and_digit, pattern};

/// Digits that a number has at least to be somebody's.
const MIN_DIGITS: usize = 4;
/// … and what is on a car.
const MIN_DIGITS_OF_PLATES: usize = 2;

/// (G), in blanks, in one, or the last four digits alone.
pub(super) fn social_security_numbers(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"ssn|ss#|soc\.? ?sec\.?|social security|sozialversicherungs-?|sv-?nummer|sv-?nr|sécurité sociale|nir",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// (H)
pub(super) fn record_numbers(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"mrn|mr#|medical rec(?:ord|\.)?|chart|(?:hospital|patient|visit|encounter|accession|case|pt\.?) ?(?:no|number|id|nr|#)|accession|patienten-?(?:nummer|nr|id)|pat\.?-?(?:nr|id)|fall-?(?:nummer|nr)|aufnahme-?(?:nummer|nr)|ipp|(?:numéro de )?dossier",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// (I)
pub(super) fn plan_numbers(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"policy|(?:member|membership|insurance|group) ?(?:no|number|id|#)|subscriber|beneficiary|hicn|medicare|medicaid|kvnr|versicherten-?|versicherungs-?(?:nummer|nr)|policen-?|police",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// (J)
pub(super) fn account_numbers(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern =
        Pattern::new(|| named(r"acct|account|acc\.? (?:no|number)|a/c|konto-?|kto\.?-?|compte"));
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// (K)
pub(super) fn licences(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"licen[cs]e|dl ?#|passport|certificate|führerschein-?|(?:reise)?pass-?(?:nummer|nr)|ausweis-?|permis de conduire|passeport",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// Of (L) what is on a car.
pub(super) fn plates(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"(?:licen[cs]e|number|registration) plate|plate (?:no|number)|kennzeichen|immatriculation",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS_OF_PLATES)
}

/// (M)
pub(super) fn serials(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        named(
            r"serial|s/n|ser\.? (?:no|nr)|imei|udi|serien-?|geräte-?(?:nummer|nr)|numéro de série",
        )
    });
    numbers(&NAMED, cell, MIN_DIGITS)
}

/// A number in groups behind one of these names, of which letters with marks may be written without them.
fn named(names: &str) -> Regex {
    let names = names.replace('é', "(?:é|É|e)").replace('ä', "(?:ä|Ä|ae)");
    let names = names.replace('ü', "(?:ü|Ü|ue)");
    let joint = r"(?: ?(?i-u:numbers?|nummer|num|nr|no|n°|id|is|ends? in|ending(?: in)?|ist|lautet)|[ .:#=°(-]){0,6}";
    let number = r"(?:[A-Z]{1,3}[ -]){0,2}(?:[A-Za-z]{1,4}-?)?[0-9][0-9A-Za-z]*(?:[./-][0-9A-Za-z]+| [0-9]{2,})*";
    pattern(&format!(
        r"(?-u:\b)(?i-u:{names})(?P<joint>{joint})(?P<number>{number})"
    ))
}

fn numbers(form: &Pattern, cell: &str, min_digits: usize) -> Vec<Range<usize>> {
    if !(has_word_and_digit(cell) && has_digits_together(cell, min_digits)) {
        return Vec::new();
    }
    let found = form.captures_iter(cell).filter_map(|captures| {
        let place = captures.name("number")?.range();
        let number = &cell[place.clone()];
        // `the policy 2019` is of a year, `policy no. 2019` is not.
        let is_year = captures.name("joint")?.as_str().trim().is_empty() && is_year(number);
        let is_one = has_digits_together(number, min_digits)
            && !is_year
            && !cell[place.end..].starts_with(char::is_alphanumeric)
            && super::dates::dates(number).is_empty();
        is_one.then_some(place)
    });
    found.collect()
}

fn is_year(number: &str) -> bool {
    number.len() == 4 && (number.starts_with("19") || number.starts_with("20"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Find = fn(&str) -> Vec<Range<usize>>;

    const ALL: [Find; 7] = [
        social_security_numbers,
        record_numbers,
        plan_numbers,
        account_numbers,
        licences,
        plates,
        serials,
    ];

    fn found(cell: &str) -> Vec<(usize, &str)> {
        let found = ALL.iter().enumerate().flat_map(|(which, find)| {
            let places = find(cell).into_iter();
            places.map(move |place| (which, &cell[place]))
        });
        found.collect()
    }

    #[test]
    fn a_number_is_what_the_text_names_it() {
        for (text, which, number) in [
            ("SSN 078 05 1120", 0, "078 05 1120"),
            ("ssn: 078051120.", 0, "078051120"),
            ("SSN ending in 1120", 0, "1120"),
            ("SS# 078 05 1120", 0, "078 05 1120"),
            ("Social Security No. 078 05 1120", 0, "078 05 1120"),
            ("Sozialversicherungsnummer 65 170839 J003", 0, "65 170839"),
            ("MRN: 12345", 1, "12345"),
            ("MRN12345", 1, "12345"),
            ("mrn #A-00471", 1, "A-00471"),
            ("medical record number 00-47-11", 1, "00-47-11"),
            ("Patient ID P00471", 1, "P00471"),
            ("Fallnummer 1234567", 1, "1234567"),
            ("numéro de dossier 12345", 1, "12345"),
            ("policy no 4711-22", 2, "4711-22"),
            ("Policy No.: AB 123456", 2, "AB 123456"),
            ("member ID W123456789", 2, "W123456789"),
            ("Versichertennummer A123456789", 2, "A123456789"),
            ("acct 12345678", 3, "12345678"),
            ("Account number: 1234 5678", 3, "1234 5678"),
            ("Kontonummer 1234567", 3, "1234567"),
            ("driver's license no. S123-4567", 4, "S123-4567"),
            ("passport C01234567", 4, "C01234567"),
            ("license plate ABC 1234", 5, "ABC 1234"),
            ("Kennzeichen B-AB 1234", 5, "B-AB 1234"),
            ("pacemaker serial no. PJN123456", 6, "PJN123456"),
            ("S/N 99-1234", 6, "99-1234"),
        ] {
            let found = found(text);
            assert!(found.contains(&(which, number)), "{text}: {found:?}");
        }
    }

    #[test]
    fn numbers_that_nothing_names_are_left() {
        for other in [
            "MRN unknown",
            "chart reviewed 2 times",
            "policy of 2019",
            "the policy 2019",
            "Medicare 1965",
            "on account of 5 episodes",
            "accountable for 1200 beds",
            "account 2020-01-02",
            "ICD 250.83",
            "BP 120/80",
            "platelets 150000",
            "SNOMED 124171000119105",
            "serial ECGs 3",
            "case 12",
            "growth plate 4",
        ] {
            assert_eq!(found(other), [], "{other}");
        }
    }

    proptest! {
        #[test]
        fn places_lie_on_borders_of_characters(text in "(SSN|mrn|policy|acct|plate no| no\\.? ?|[ :#-]|[0-9]{1,6}|é|n°|\\PC){0,12}") {
            for find in ALL {
                for place in find(&text) {
                    prop_assert!(text.get(place).is_some_and(|found| !found.is_empty()));
                }
            }
        }
    }
}
