//! Dates with the name of a month, in English, German and French: all elements of dates but the year
//! (§164.514(b)(2)(i)(C)), also where the year is left out.

use std::ops::Range;

use regex::Regex;

use super::text::{Pattern, apart, has_word_and_digit, pattern, places, stands_alone};

/// Full names.
const NAMES: &str = "january february march april may june july august september october november december \
    januar jänner jaenner februar feber märz maerz mai juni juli oktober dezember \
    janvier février fevrier mars avril juin juillet août aout septembre octobre novembre décembre decembre";
/// What they are cut to, with a full stop behind them perhaps.
const SHORT: &str = "jan feb mar apr jun jul aug sept sep oct nov dec jän mär mrz okt dez janv févr fevr fév avr juil déc";
/// Full names that are other words as well, unless they begin with a capital: what one may do, how people march.
const OTHER_WORDS: [&str; 2] = ["may", "march"];
/// Behind a number these say that it is a dose, a measure or a count, and no day.
const UNITS: &str = "mg mcg µg μg ug g kg ml l dl cl mmol mol iu ie ui unit units mm cm m x tablet tablets tab tabs \
    dose doses day days week weeks month months year years hour hours patient patients percent";
const DAY: &str = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|\\.)?";

/// `March 4, 2020`, `4. März 2020`, `1er mars`, `Jan 2020`.
pub(super) fn spelled(cell: &str) -> Vec<Range<usize>> {
    if !has_word_and_digit(cell) {
        return Vec::new();
    }
    let with_year = places(&WITH_YEAR, cell).filter(|place| stands_alone(cell, place, ""));
    let day_first = without_year(&DAY_FIRST, cell, false);
    apart(
        with_year
            .chain(day_first)
            .chain(without_year(&MONTH_FIRST, cell, true)),
    )
}

static WITH_YEAR: Pattern = Pattern::new(|| {
    let month = any_month();
    let day = DAY.replace("?P<day>", "?:");
    pattern(&format!(
        r"{day}[ -]?(?:of )?{month}\.?,?[ -](?:[0-9]{{4}}|[0-9]{{2}})(?-u:\b)|(?-u:\b){month}\.? {day},? [0-9]{{4}}(?-u:\b)|(?-u:\b){month}\.?,?[ -]?[0-9]{{4}}(?-u:\b)"
    ))
});
static DAY_FIRST: Pattern =
    Pattern::new(|| pattern(&format!("{DAY}[ -]?(?:of )?(?P<month>{})", any_month())));
static MONTH_FIRST: Pattern =
    Pattern::new(|| pattern(&format!(r"(?P<month>{})\.? (?:the )?{DAY}", any_month())));

/// The name of any month, however it is cased; of two of which one begins the other the longer one.
fn any_month() -> String {
    let mut names: Vec<&str> = NAMES.split(' ').chain(SHORT.split(' ')).collect();
    names.retain(|name| !name.is_empty());
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let either = |letter: char| format!("[{letter}{}]", letter.to_uppercase());
    let names = names
        .iter()
        .map(|name| name.chars().map(either).collect::<String>());
    format!("(?:{})", names.collect::<Vec<_>>().join("|"))
}

fn without_year(form: &Regex, cell: &str, is_day_last: bool) -> Vec<Range<usize>> {
    let found = form.captures_iter(cell).filter_map(|captures| {
        let place = captures.get(0)?.range();
        let day: u32 = captures.name("day")?.as_str().parse().ok()?;
        let is_taken = (1..=31).contains(&day)
            && names_a_month(captures.name("month")?.as_str())
            && stands_alone(cell, &place, ".:")
            && !(is_day_last && begins_with_unit(&cell[place.end..]));
        is_taken.then_some(place)
    });
    found.collect()
}

/// Whether a word is surely a month without a year beside it: cut short it has one capital, as `Oct` and neither `OCT` nor `oct`.
fn names_a_month(word: &str) -> bool {
    let mut letters = word.chars();
    let has_one_capital =
        letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase);
    let lower = word.to_lowercase();
    let is_one_of = |words: &str| words.split(' ').any(|known| known == lower);
    has_one_capital || (is_one_of(NAMES) && !OTHER_WORDS.contains(&lower.as_str()))
}

fn begins_with_unit(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '-']);
    let end = rest.find(|character: char| !character.is_alphabetic());
    let word = rest[..end.unwrap_or(rest.len())].to_lowercase();
    rest.starts_with('%')
        || UNITS
            .split(' ')
            .any(|unit| !unit.is_empty() && unit == word)
}

/// A whole cell that is the name of a month.
pub(super) fn is_month(cell: &str) -> bool {
    static MONTH: Pattern = Pattern::new(|| pattern(&format!(r"^{}\.?$", any_month())));
    let cell = cell.trim();
    MONTH.is_match(cell) && names_a_month(cell.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(cell: &str) -> Vec<&str> {
        spelled(cell)
            .into_iter()
            .map(|place| &cell[place])
            .collect()
    }

    #[test]
    fn days_of_a_month_are_found_in_three_languages() {
        for date in [
            "March 4",
            "Mar. 4th",
            "4 March",
            "4th of July",
            "May 5",
            "march 4, 2020",
            "4. März 2020",
            "4. März",
            "4.März 2020",
            "31. Dezember",
            "3. Okt. 2019",
            "24. JÄNNER",
            "4 mars 2020",
            "4 mars",
            "1er août",
            "14 juillet 1989",
            "3 févr. 2020",
            "mars 2020",
            "Oktober 2019",
            "August 31",
        ] {
            assert_eq!(found(date), [date]);
            assert_eq!(found(&format!("seen ({date}), at ease")), [date]);
        }
        assert_eq!(
            found("March 4 and 4 March 2020"),
            ["March 4", "4 March 2020"]
        );
    }

    #[test]
    fn words_that_are_no_months_and_numbers_that_are_no_days_are_left() {
        for other in [
            "may 5 times",
            "may 5",
            "May 5 mg be given",
            "May 20% fall",
            "5 mg",
            "OCT 4",
            "oct 4",
            "Oct4",
            "MAR 1",
            "4 march fractures",
            "March 45",
            "March 0",
            "Stage 3",
            "sept 5",
            "a decade",
            "5 marsupials",
            "3 Junior nurses",
            "Mars 4.5",
            "12 decayed teeth",
        ] {
            assert_eq!(found(other), [""; 0], "{other}");
        }
        for month in [
            "March",
            "may".to_uppercase().as_str(),
            "Oct.",
            "août",
            "Dezember",
        ] {
            assert_eq!(is_month(month), month != "MAY", "{month}");
        }
        assert!(!is_month("may") && !is_month("OCT") && !is_month("Maybe") && !is_month(""));
    }

    proptest! {
        #[test]
        fn places_lie_on_borders_of_characters(text in "(March|märz|4|12|31|20|2020|[ .,-]|th|\\PC){0,12}") {
            for place in spelled(&text) {
                prop_assert!(text.get(place).is_some_and(|date| !date.is_empty()));
            }
        }
    }
}
