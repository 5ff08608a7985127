//! What a text tells of days and ages by the words beside them (§164.514(b)(2)(i)(C)).

use std::ops::Range;

use super::text::{Pattern, has_word_and_digit, pattern, places, stands_alone};

/// What is no age of a person in years, or is the category that may be told.
const BEHIND: [&str; 21] = [
    "+",
    "%",
    "month",
    "mos",
    "week",
    "day",
    "hour",
    "monat",
    "woche",
    "tag",
    "mois",
    "semaine",
    "jour",
    "ago",
    "or older",
    "or over",
    "and older",
    "and over",
    "and above",
    "und älter",
    "et plus",
];

/// Days that are dates by what stands before them, however they are written: `DOB 3/4/60`, `born 030460`, `geb. 4.3.`.
pub(super) fn named_dates(cell: &str) -> Vec<Range<usize>> {
    static NAMED: Pattern = Pattern::new(|| {
        let names = r"dob|d\.o\.b|dod|birth ?date|date of (?:birth|death|admission|discharge)|born(?: on)?|died(?: on)?|admitted(?: on)?|discharged(?: on)?|geb|geboren(?: am)?|geburtsdatum|verstorben(?: am)?|date de naissance|née? le";
        let day = r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{1,2}[/-][0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.|[0-9]{8}|[0-9]{6}";
        pattern(&format!(
            r"(?-u:\b)(?i-u:{names})(?-u:\b)[ .:(-]{{1,3}}(?P<day>{day})"
        ))
    });
    if !has_word_and_digit(cell) {
        return Vec::new();
    }
    let found = NAMED.captures_iter(cell).filter_map(|captures| {
        let place = captures.name("day")?.range();
        stands_alone(cell, &place, "").then_some(place)
    });
    found.collect()
}

/// `aged 93`, `93 years old`, `93-year-old`, `93 Jahre alt`, `âgé de 93 ans`, `ninety-three years old`; not `90 or older`.
pub(super) fn over_89(cell: &str) -> Vec<Range<usize>> {
    static WORDS: Pattern = Pattern::new(|| {
        pattern(
            r"(?i-u:nonagenarian|centenarian|ninety(?:[- ][a-z]{3,5})?[- ]years?[- ](?:old|of age))",
        )
    });
    let mut found = Vec::new();
    if has_word_and_digit(cell) && cell.contains(['9', '1']) {
        let ages = AGE.captures_iter(cell).filter_map(|captures| {
            let age = captures.name("named").or_else(|| captures.name("age"))?;
            let end = captures.get(0)?.end();
            is_age(cell, &age.range(), end).then(|| age.range())
        });
        found.extend(ages);
    }
    // The shortest of the words.
    if cell.len() >= "centenarian".len() {
        let spelled = places(&WORDS, cell);
        found.extend(spelled.filter(|place| stands_alone(cell, place, "")));
    }
    found
}

static AGE: Pattern = Pattern::new(|| {
    let number = r"(?:9[0-9]|1[0-2][0-9])(?:\.[0-9]+| ?- ?(?:9[0-9]|1[0-2][0-9]))?";
    let before = "aged|age|age is|age of|alter|alter von|âge|âgée? de";
    let behind = [
        r"(?:years?|yrs?|y)[- ]?(?:old|o)(?-u:\b)",
        r"yo(?-u:\b)",
        r"y/o(?-u:\b)",
        r"y\.o\.?",
        "years? of age",
        "year-olds?",
        r"yrs?(?-u:\b)",
        r"(?:jähr|jaehr)ige?[rnms]?(?-u:\b)",
        r"jahre(?-u:\b)",
        r"ans(?-u:\b)",
    ]
    .join("|");
    pattern(&format!(
        r"(?-u:\b)(?i-u:{before})[ :=]{{1,3}}(?P<named>{number})|(?P<age>{number})[- ]?(?i-u:{behind})"
    ))
});

/// Whether nothing before or behind the number makes it another one; with its unit it ends at `end`.
fn is_age(cell: &str, place: &Range<usize>, end: usize) -> bool {
    let ends_word = |before: char| before.is_alphanumeric() || ".,/<>≥≤-".contains(before);
    let mut behind = cell[place.end..].chars();
    let is_cut = behind.next().is_some_and(|next| {
        next.is_ascii_digit()
            || ("./,-".contains(next) && behind.next().is_some_and(|next| next.is_ascii_digit()))
    });
    let is_other = |rest: &str| {
        let start: String = rest.chars().take(12).collect();
        let start = start.to_lowercase();
        let start = start.trim_start_matches([' ', '-']);
        BEHIND.iter().any(|word| start.starts_with(word))
    };
    !cell[..place.start].ends_with(ends_word)
        && !is_cut
        && !is_other(&cell[place.end..])
        && !is_other(&cell[end.max(place.end)..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(find: fn(&str) -> Vec<Range<usize>>, cell: &str) -> Vec<&str> {
        find(cell).into_iter().map(|place| &cell[place]).collect()
    }

    #[test]
    fn ages_over_89_are_found_by_the_words_beside_them() {
        for (text, age) in [
            ("aged 93", "93"),
            ("Age: 93", "93"),
            ("at age 101.", "101"),
            ("93 years old", "93"),
            ("a 93-year-old woman", "93"),
            ("93 year old", "93"),
            ("93yo M", "93"),
            ("93 y/o", "93"),
            ("93 y.o.", "93"),
            ("92 years of age", "92"),
            ("94 Jahre alt", "94"),
            ("eine 94-jährige Frau", "94"),
            ("âgée de 95 ans", "95"),
            ("aged 93, alone", "93"),
            ("age 90-95", "90-95"),
            ("age 93.5", "93.5"),
            ("a nonagenarian", "nonagenarian"),
            ("ninety-three years old", "ninety-three years old"),
        ] {
            assert_eq!(found(over_89, text), [age], "{text}");
        }
        for other in [
            "aged 89",
            "aged 65",
            "age 90 months",
            "aged 100 days",
            "aged 90 or older",
            "90+ years old",
            "90 years or older",
            "90 Jahre und älter",
            "93 years ago",
            "for 93 years",
            "dosage 100",
            "193 years old",
            "1.93 yo",
            "age 93/4",
            "stage 93",
            "93 mg",
            "90 ans et plus",
            "BP 120/80",
        ] {
            assert_eq!(found(over_89, other), [""; 0], "{other}");
        }
    }

    #[test]
    fn days_are_dates_by_what_stands_before_them() {
        for (text, day) in [
            ("DOB 3/4/60", "3/4/60"),
            ("DOB: 3-4-60", "3-4-60"),
            ("D.O.B. 3/4", "3/4"),
            ("born 030460", "030460"),
            ("Born on 03041960", "03041960"),
            ("geb. 4.3.", "4.3."),
            ("geboren am 4.3.60", "4.3.60"),
            ("née le 4/3/60", "4/3/60"),
        ] {
            assert_eq!(found(named_dates, text), [day], "{text}");
        }
        for other in [
            "DOB unknown",
            "died 10.5 days later",
            "born at 38 weeks",
            "stubborn 3/4",
            "3/4",
        ] {
            assert_eq!(found(named_dates, other), [""; 0], "{other}");
        }
    }

    proptest! {
        #[test]
        fn places_lie_on_borders_of_characters(text in "(aged? |9[0-9]|100|-|years old|ans|âgé|DOB |3/4|geb\\. |né le |\\PC){0,12}") {
            for find in [over_89, named_dates] {
                for place in find(&text) {
                    prop_assert!(text.get(place).is_some_and(|found| !found.is_empty()));
                }
            }
        }
    }
}
