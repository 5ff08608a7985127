//! Generalisation hierarchies of the hospital's quasi-identifiers, in ARX's CSV form: `value;level 1;…;*`.
//! They cover the whole domain, not just the values that occur, so that they say nothing about the patients.

use std::fmt::Write as _;

use time::{Date, Month};

use super::{ADMISSION_YEAR, BIRTHS};

/// Districts of the region (first two digits) and towns in each.
const DISTRICTS: std::ops::Range<u32> = 61..69;
const TOWNS_PER_DISTRICT: u32 = 24;

/// The five-digit codes of the region's towns.
pub(super) fn postcodes() -> impl Iterator<Item = String> {
    DISTRICTS.flat_map(|district| {
        // 37 is prime to 1,000: the towns fall on different codes, spread over the district.
        (0..TOWNS_PER_DISTRICT)
            .map(move |town| format!("{district}{:03}", (town * 37 + 11) % 1_000))
    })
}

/// Birth date → month → year → decade → *.
pub(super) fn birth_date() -> String {
    days(BIRTHS.0, BIRTHS.1, |date| {
        let year = date.year();
        format!("{};{year};{}s", month(date), year - year % 10)
    })
}

/// Day of the stay → month → quarter → year → *, for all years in the hospital's books.
pub(super) fn stay() -> String {
    days(ADMISSION_YEAR - 6, ADMISSION_YEAR + 1, |date| {
        let quarter = (u8::from(date.month()) - 1) / 3 + 1;
        format!("{1};{0}-Q{quarter};{0}", date.year(), month(date))
    })
}

/// Postcode → four digits → three → two → *.
pub(super) fn postcode() -> String {
    postcodes().fold(String::new(), |mut lines, code| {
        let (four, three, two) = (&code[..4], &code[..3], &code[..2]);
        writeln!(lines, "{code};{four}x;{three}xx;{two}xxx;*")
            .expect("writing to a string cannot fail");
        lines
    })
}

/// Sex → *.
pub(super) fn sex() -> String {
    "F;*\nM;*\n".to_owned()
}

fn days(first: i32, last: i32, levels: impl Fn(Date) -> String) -> String {
    let end = Date::from_calendar_date(last, Month::December, 31).expect("a date");
    let mut day = Date::from_calendar_date(first, Month::January, 1).expect("a date");
    let mut lines = String::new();
    loop {
        writeln!(lines, "{day};{};*", levels(day)).expect("writing to a string cannot fail");
        if day == end {
            return lines;
        }
        day = day.next_day().expect("far from the end of the calendar");
    }
}

fn month(date: Date) -> String {
    format!("{}-{:02}", date.year(), u8::from(date.month()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use medshare_anonymiser::Hierarchy;

    #[test]
    fn every_hierarchy_is_one() {
        for (text, levels) in [(birth_date(), 5), (stay(), 5), (postcode(), 5), (sex(), 2)] {
            assert_eq!(
                Hierarchy::from_csv(text.as_bytes(), b';').unwrap().levels(),
                levels
            );
        }
        assert!(birth_date().contains("\n1980-05-12;1980-05;1980;1980s;*\n"));
        assert!(stay().contains("\n2024-05-12;2024-05;2024-Q2;2024;*\n"));
    }
}
