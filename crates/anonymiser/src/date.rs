//! Calendar dates as ISO 8601 writes them, of the years 0001 to 9999.

use time::{Date, Duration, Month};

/// A date that may be followed by a time of day, which is not looked at beyond its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) date: Date,
    /// What follows the date: nothing, or `T` or a blank, a time of day and perhaps a zone.
    pub(crate) rest: &'a str,
}

/// A date that may lack its day, or its month as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partial {
    pub(crate) year: i32,
    pub(crate) month: Option<u8>,
    pub(crate) day: Option<u8>,
}

impl<'a> Written<'a> {
    /// Reads `2020-01-31`, `2020-01-31T10:00`, `2020-01-31 10:00:00.5+01:00` and the like.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let Partial { year, month, day } = Partial::parse_date(date)?;
        let month = Month::try_from(month?).ok()?;
        let date = Date::from_calendar_date(year, month, day?).ok()?;
        (rest.is_empty() || is_time(rest)).then_some(Self { date, rest })
    }

    /// The same time of another day, so many days later; `None` beyond the years that are written with four digits.
    pub(crate) fn shifted(self, days: i64) -> Option<String> {
        let date = self.date.checked_add(Duration::days(days))?;
        let (year, month, day) = date.to_calendar_date();
        let rest = self.rest;
        (1..=9999)
            .contains(&year)
            .then(|| format!("{year:04}-{:02}-{day:02}{rest}", month as u8))
    }
}

impl Partial {
    /// Reads what [`Written`] does, and `2020-01` and `2020`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(Written { date, .. }) = Written::parse(text) {
            let (year, month, day) = date.to_calendar_date();
            let (month, day) = (Some(month as u8), Some(day));
            return Some(Self { year, month, day });
        }
        Self::parse_date(text).filter(|date| date.day.is_none())
    }

    fn parse_date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|part| number(part, 2));
        let day = parts.next().map(|part| number(part, 2));
        let is_wrong = |part: Option<Option<i32>>| part == Some(None);
        if parts.next().is_some() || year < 1 || is_wrong(month) || is_wrong(day) {
            return None;
        }
        let [month, day] = [month, day].map(|part| part.flatten().map(|part| part as u8));
        let is_month = month.is_none_or(|month| (1..=12).contains(&month));
        is_month.then_some(Self { year, month, day })
    }
}

/// A number of so many digits.
fn number(text: &str, digits: usize) -> Option<i32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// `T10:00`, with seconds, their decimals and a zone where they are given.
fn is_time(text: &str) -> bool {
    let Some(text) = text.strip_prefix(['T', ' ']) else {
        return false;
    };
    let clock_ends = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(clock_ends);
    let (clock, decimals) = match clock.split_once('.') {
        Some((clock, decimals)) => (clock, Some(decimals)),
        None => (clock, None),
    };
    let is_number = |part: &str, below: i32| number(part, 2).is_some_and(|part| part < below);
    let is_clock = match clock.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => decimals.is_none() && is_number(hour, 24) && is_number(minute, 60),
        // Leap seconds are written as 60.
        [hour, minute, second] => {
            is_number(hour, 24) && is_number(minute, 60) && is_number(second, 61)
        }
        _ => false,
    };
    let are_decimals = decimals.is_none_or(|decimals| {
        !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_clock && are_decimals && is_zone(zone)
}

fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return zone.is_empty() || zone == "Z";
    };
    let (hours, minutes) = match offset.split_once(':') {
        Some(parts) => parts,
        None => offset.split_at_checked(2).unwrap_or((offset, "")),
    };
    number(hours, 2).is_some_and(|hours| hours < 24)
        && (minutes.is_empty() || number(minutes, 2).is_some_and(|minutes| minutes < 60))
        && !offset.ends_with(':')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iso_dates_are_read_and_no_others() {
        for good in [
            "2020-02-29",
            "0001-01-01",
            "9999-12-31",
            "2020-01-31T10:00",
            "2020-01-31 10:00:60",
            "2020-01-31T10:00:00.123Z",
            "2020-01-31T10:00:00+01:00",
            "2020-01-31T10:00:00-0530",
            "2020-01-31T10:00+01",
        ] {
            assert!(Written::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2020",
            "2020-01",
            "2021-02-29",
            "2020-13-01",
            "2020-1-1",
            "0000-01-01",
            "31.01.2020",
            "2020-01-31T",
            "2020-01-31x",
            "2020-01-31T24:00",
            "2020-01-31T10:00:00.",
            "2020-01-31T10:00.5",
            "2020-01-31T10:00+1",
            "2020-01-31T10:00+01:",
            "2020-01-31T10:60",
            "+020-01-31",
            "2020-01-3é",
            "2020-01-31T10",
        ] {
            assert_eq!(Written::parse(bad), None, "{bad}");
        }
        let month = Partial::parse("2020-05").unwrap();
        assert_eq!((month.year, month.month, month.day), (2020, Some(5), None));
        assert_eq!(Partial::parse("2020").unwrap().month, None);
        for bad in ["2020-13", "0000", "202", "2020-", "2020-05-", "2020-05-32"] {
            assert_eq!(Partial::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_shift_keeps_the_time_and_ends_with_the_years() {
        let shifted = |text: &str, days| Written::parse(text).unwrap().shifted(days);
        assert_eq!(
            shifted("2020-02-28T23:59:00Z", 2).unwrap(),
            "2020-03-01T23:59:00Z"
        );
        assert_eq!(shifted("0001-01-01", -1), None);
        assert_eq!(shifted("9999-12-31", 1), None);
        assert_eq!(shifted("9999-12-31", i64::MAX / 100_000), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "[-0-9T:+Z. ]{0,30}|\\PC{0,12}") {
            if let Some(written) = Written::parse(&text) {
                prop_assert_eq!(written.shifted(0), Some(text));
            }
        }

        #[test]
        fn shifting_back_gives_the_date_again(day in 0..3_000_000_i64, shift in -4_000..4_000_i64) {
            let first = Written::parse("0001-01-01").unwrap();
            if let Some(date) = first.shifted(day)
                && let Some(there) = Written::parse(&date).unwrap().shifted(shift)
            {
                prop_assert_eq!(Written::parse(&there).unwrap().shifted(-shift), Some(date));
            }
        }
    }
}
