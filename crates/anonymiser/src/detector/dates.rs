//! Elements of dates that are finer than a year.

use std::ops::Range;

use super::spelled::spelled;
use super::text::{Pattern, apart, pattern, places, stands_alone};

/// Years that a record may speak of; other numbers of four digits are none.
const YEARS: std::ops::RangeInclusive<u32> = 1850..=2100;

/// Dates to the day or the month wherever they stand: ISO 8601, with `.`, `/` or `-`, and with the names of months.
pub(super) fn dates(cell: &str) -> Vec<Range<usize>> {
    if !cell.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    apart([days, spelled, months].iter().flat_map(|find| find(cell)))
}

/// A calendar date to the day, alone or followed by a time.
pub(super) fn is_full_date(cell: &str) -> bool {
    let date = cell.split(['T', ' ']).next().unwrap_or(cell);
    ['-', '/', '.'].iter().any(|&separator| {
        let parts: Vec<&str> = date.split(separator).collect();
        let number = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse::<u32>().ok())?
        };
        let [Some(one), Some(two), Some(three)] =
            parts.iter().map(|part| number(part)).collect::<Vec<_>>()[..]
        else {
            return false;
        };
        (parts[0].len() == 4 && is_day_and_month(two, three))
            || (parts[2].len() == 4 && is_day_and_month(one, two))
    })
}

fn is_day_and_month(one: u32, two: u32) -> bool {
    (1..=31).contains(&one) && (1..=31).contains(&two) && one.min(two) <= 12
}

fn numbers(text: &str) -> Vec<u32> {
    let runs = text.split(|character: char| !character.is_ascii_digit());
    runs.filter_map(|run| run.parse().ok()).collect()
}

/// Numbers alone, to the day, with a time perhaps.
fn days(cell: &str) -> Vec<Range<usize>> {
    static DAY: Pattern = Pattern::new(|| {
        let time = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?Z|[+-][0-9]{2}:?[0-9]{2})?)?";
        let begins_with_year = ["-", "/", r"\."]
            .map(|joint| format!("[0-9]{{4}}{joint}[0-9]{{1,2}}{joint}[0-9]{{1,2}}"))
            .join("|");
        let ends_in_year = ["-", "/", r"\."]
            .map(|joint| format!("[0-9]{{1,2}}{joint}[0-9]{{1,2}}{joint}[0-9]{{4}}"))
            .join("|");
        let short_year = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}|[0-9]{2}-[0-9]{2}-[0-9]{2}";
        pattern(&format!(
            "(?:{begins_with_year}|{ends_in_year}|{short_year}){time}"
        ))
    });
    places(&DAY, cell)
        .filter(|place| {
            let day = match numbers(&cell[place.clone()])[..] {
                [year, one, two, ..] if year >= 100 => {
                    YEARS.contains(&year) && is_day_and_month(one, two)
                }
                [one, two, year, ..] if year >= 100 => {
                    YEARS.contains(&year) && is_day_and_month(one, two)
                }
                [one, two, ..] => is_day_and_month(one, two),
                _ => false,
            };
            day && stands_alone(cell, place, "-/.") && !is_version(cell, place)
        })
        .collect()
}

/// `version 4.10.12` is none of April or October, though a date could be written so.
fn is_version(cell: &str, place: &Range<usize>) -> bool {
    const WORDS: [&str; 6] = ["version", "vers", "ver", "v", "release", "build"];
    let is_dotted = !cell[place.clone()].contains(['-', '/']);
    let before = cell[..place.start].trim_end_matches([' ', ':', '.']);
    let start = before.rfind(|character: char| !character.is_alphabetic());
    let word = start.map_or(before, |start| {
        before[start..].trim_start_matches(|c: char| !c.is_alphabetic())
    });
    is_dotted && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// A month, a quarter or a week of a year, all of which are finer: `2020-01`, `01/2020`, `2020-Q1`, `Q1 2020`, `2020-W05`.
fn months(cell: &str) -> Vec<Range<usize>> {
    static MONTH: Pattern = Pattern::new(|| {
        pattern(
            r"[0-9]{4}[-/](?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])/[0-9]{4}|[0-9]{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?[0-9]{4}|[0-9]{4}-?W[0-5][0-9](?:-?[1-7])?",
        )
    });
    places(&MONTH, cell)
        .filter(|place| {
            let year = numbers(&cell[place.clone()]).into_iter().max();
            year.is_some_and(|year| YEARS.contains(&year)) && stands_alone(cell, place, "-/.")
        })
        .collect()
}

/// A whole cell of digits that is a date, or a date and a time, as HL7 writes them: `20200131`, `20200131103000`.
pub(super) fn is_compact_date(cell: &str) -> bool {
    let cell = cell.trim();
    let is_date = |year: &str, month: &str, day: &str| {
        let number = |text: &str| text.parse::<u32>().unwrap_or_default();
        YEARS.contains(&number(year))
            && (1..=12).contains(&number(month))
            && (1..=31).contains(&number(day))
    };
    matches!(cell.len(), 8 | 12 | 14)
        && cell.bytes().all(|byte| byte.is_ascii_digit())
        && is_date(&cell[..4], &cell[4..6], &cell[6..8])
}

/// A whole cell that may be a month and a day, in either order: `2/25`. A grade, a dilution and a visual acuity of `20/20` are none.
pub(super) fn is_month_and_day(cell: &str) -> bool {
    let is_number = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    cell.trim().split_once('/').is_some_and(|(one, two)| {
        let (low, high) = (number(one).min(number(two)), number(one).max(number(two)));
        is_number(one) && is_number(two) && (1..=12).contains(&low) && (13..=31).contains(&high)
    })
}

/// The year of a cell that is a date and nothing else.
pub(crate) fn year_of_date(cell: &str) -> Option<&str> {
    let text = cell.trim();
    let found = dates(text);
    let [place] = &found[..] else {
        return None;
    };
    if *place != (0..text.len()) {
        return None;
    }
    let mut runs = text.split(|character: char| !character.is_ascii_digit());
    runs.find(|run| run.len() == 4)
}

/// The year of a cell of digits that is a date, in a column of such.
pub(crate) fn year_of_compact_date(cell: &str) -> Option<&str> {
    is_compact_date(cell).then(|| &cell.trim()[..4])
}

/// Whether a cell of a column of dates says no more than years: `1950`, `1940-1959`, `195*`, `before 1950`.
pub(crate) fn is_years_only(cell: &str) -> bool {
    let runs = cell.split(|character: char| !character.is_ascii_digit() && character != '*');
    let mut runs = runs.filter(|run| !run.is_empty() && *run != "*");
    let is_years = runs.by_ref().take(2).all(|run| run.len() == 4);
    is_years && runs.next().is_none() && dates(cell).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cell: &str) -> Vec<&str> {
        dates(cell).into_iter().map(|place| &cell[place]).collect()
    }

    #[test]
    fn dates_are_found_where_they_stand() {
        for date in [
            "2020-01-31",
            "31.01.2020",
            "1/31/2020",
            "2020/1/31",
            "12/31/99",
            "2022-07-20T07:13:55Z",
            "2022-07-20 07:13:55.123+02:00",
            "3 March 2020",
            "3rd of March 2020",
            "March 3, 2020",
            "30-Jan-20",
            "Jan 2020",
            "sept. 2019",
            "2020-01",
            "01/2020",
            "5/2020",
            "04.03.20",
            "21.8.14",
            "12-31-99",
            "4. März 2020",
            "4 mars 2020",
            "March 4",
            "2020-Q2",
            "Q2 2020",
            "2020-W05",
            "2020-W05-3",
        ] {
            assert_eq!(found(date), [date]);
            let text = format!("seen on {date}, at ease");
            assert_eq!(found(&text), [date]);
        }
        assert_eq!(
            found("from 2020-01-02 to 2020-03-04."),
            ["2020-01-02", "2020-03-04"]
        );
        assert_eq!(found("2020-01 - 2020-06"), ["2020-01", "2020-06"]);
    }

    #[test]
    fn other_numbers_are_no_dates() {
        for other in [
            "2020",
            "1940-1959",
            "1999-2005",
            "250.83",
            "V57.1",
            "120/80",
            "7.35 - 7.45",
            "10000-19999",
            "2020-13-14",
            "1.2.3",
            "--",
            "10:30",
            "0.2020",
            "10.2020",
            "5 mg",
            "may 5 mg",
            "8500/3",
            "2020-01-x",
            "3/4",
            "1-2-3",
            "[70-80)",
            "1234-05",
            "50242-040-62",
            "decline 2000",
            "version 4.10.12",
            "v. 10.4.12",
            "v10.4.12",
            "10.4.12.1",
            "45.13.20",
            "1.2.345",
            "50-78-2",
            "7732-18-5",
            "030-12-34-56",
            "may 5",
            "OCT 4",
            "Q4 h",
            "2020-W99",
        ] {
            assert_eq!(found(other), [""; 0], "{other}");
        }
    }

    #[test]
    fn what_is_left_of_a_date_is_its_year() {
        for (date, year) in [
            ("2020-01-31", "2020"),
            (" 31.01.2020 ", "2020"),
            ("Jan 2020", "2020"),
            ("2022-07-20T07:13:55Z", "2022"),
            ("5/2020", "2020"),
            ("4. März 2020", "2020"),
            ("2020-Q2", "2020"),
        ] {
            assert_eq!(year_of_date(date), Some(year), "{date}");
        }
        for other in [
            "2020",
            "seen 2020-01-31",
            "12/31/99",
            "04.03.20",
            "March 4",
            "20200131",
            "",
        ] {
            assert_eq!(year_of_date(other), None, "{other}");
        }
        assert_eq!(year_of_compact_date("20200131103000"), Some("2020"));
        assert_eq!(
            year_of_compact_date("20201331").or(year_of_compact_date("99999999")),
            None
        );
        for years in [
            "1950",
            "1940-1959",
            "[1940, 1960)",
            "195*",
            "19**",
            "*",
            "",
            "before 1950",
            "1950s",
        ] {
            assert!(is_years_only(years), "{years}");
        }
        for finer in [
            "1950-01-02",
            "1950-01",
            "18295",
            "2.1950",
            "1/2/50",
            "1950 1951 1952",
            "Q1 1950",
            "March 4",
            "04.03.50",
        ] {
            assert!(!is_years_only(finer), "{finer}");
        }
    }
}
