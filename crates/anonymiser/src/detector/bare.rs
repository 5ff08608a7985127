//! Numbers of digits alone, and other short cells, that are told by what most cells of a column are.

use super::look::{Look, UNIQUE_NUMBER_MIN_ROWS};
use super::{dates, is_blank};
use crate::safe_harbor::SafeHarborRule::{self, *};
use crate::table::Column;

/// A column has such numbers when this share of its values has the form: a measurement is hardly ever of one length.
const MOST_PERCENT: usize = 90;
/// Fewer values may all have it by chance.
const MIN_VALUES: usize = 10;

/// What a column may have, which no machine can tell.
pub(crate) struct Doubt {
    pub(crate) rule: SafeHarborRule,
    /// What is there.
    pub(crate) seen: &'static str,
    /// What it may be.
    pub(crate) may_be: &'static str,
    pub(crate) rows: usize,
}

/// A form of whole cells.
struct Form {
    rule: SafeHarborRule,
    /// What it is, where hardly a value is in two rows.
    what: Option<&'static str>,
    seen: &'static str,
    may_be: &'static str,
    has: fn(&str) -> bool,
}

static FORMS: [Form; 5] = [
    Form {
        rule: SocialSecurityNumbers,
        what: Some("social security number"),
        seen: "numbers of nine digits",
        may_be: "social security numbers",
        has: is_social_security_number,
    },
    Form {
        rule: TelephoneNumbers,
        what: Some("telephone number"),
        seen: "numbers of ten digits",
        may_be: "telephone numbers",
        has: is_american_phone,
    },
    Form {
        rule: Dates,
        what: Some("seconds since 1970"),
        seen: "numbers of ten or thirteen digits",
        may_be: "seconds or milliseconds since 1970",
        has: is_epoch,
    },
    Form {
        rule: Geography,
        what: None,
        seen: "numbers of five digits",
        may_be: "ZIP codes",
        has: |cell| is_digits(cell, 5),
    },
    Form {
        rule: Dates,
        what: None,
        seen: "two numbers with a stroke",
        may_be: "days of a month",
        has: dates::is_month_and_day,
    },
];

fn is_digits(cell: &str, length: usize) -> bool {
    cell.len() == length && cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// Nine digits as the Social Security Administration gives them out (20 CFR 422.103): no area 000, 666 or from 900 on, no group 00,
/// no serial 0000.
fn is_social_security_number(cell: &str) -> bool {
    is_digits(cell, 9)
        && !matches!(&cell[..3], "000" | "666")
        && !cell.starts_with('9')
        && &cell[3..5] != "00"
        && &cell[5..] != "0000"
}

/// Ten digits of the North American numbering plan: neither area nor exchange begins with 0 or 1.
fn is_american_phone(cell: &str) -> bool {
    let is_first = |at: usize| cell.as_bytes()[at] >= b'2';
    is_digits(cell, 10) && is_first(0) && is_first(3)
}

/// From 2001 to 2033.
fn is_epoch(cell: &str) -> bool {
    (is_digits(cell, 10) || is_digits(cell, 13)) && cell.starts_with('1')
}

impl Look<'_> {
    /// Numbers that each row has its own of.
    pub(super) fn note_bare(&mut self) {
        for form in &FORMS {
            if let Some(what) = form.what
                && is_certain(self.column(), form)
            {
                self.note_where(form.rule, what, |cell| (form.has)(cell.trim()));
            }
        }
    }
}

/// Values of a column that say anything, and how many of them have the form.
fn share(column: &Column, form: &Form) -> (usize, usize) {
    let values = column.values().iter().filter(|value| !is_blank(value));
    values.fold((0, 0), |(all, having), value| {
        (all + 1, having + usize::from((form.has)(value.trim())))
    })
}

fn is_likely(column: &Column, form: &Form) -> bool {
    let (all, having) = share(column, form);
    having > 0 && having * 100 >= all * MOST_PERCENT
}

/// Codes of drugs and diagnoses have the same forms, and are in many rows each.
fn is_certain(column: &Column, form: &Form) -> bool {
    let (all, having) = share(column, form);
    all >= MIN_VALUES && having * 100 >= all * MOST_PERCENT && is_nearly_unique(column, all)
}

/// Whether hardly one of the values, of which there are so many, is in two rows.
fn is_nearly_unique(column: &Column, values: usize) -> bool {
    let filled = filled(column);
    values * 100 >= filled * super::look::UNIQUE_CODE_PERCENT
}

fn filled(column: &Column) -> usize {
    let counts = column.counts();
    let rows = column.values().iter().zip(counts);
    let rows = rows.filter(|(value, _)| !is_blank(value));
    rows.map(|(_, count)| count).sum()
}

/// What is likely and not certain, and dates of digits alone among other cells.
pub(crate) fn doubts(column: &Column) -> Vec<Doubt> {
    let rows_where = |has: fn(&str) -> bool| -> usize {
        let rows = column.values().iter().zip(column.counts());
        let rows = rows.filter(|(value, _)| has(value.trim()));
        rows.map(|(_, count)| count).sum()
    };
    let is_in_doubt = |form: &&Form| {
        is_likely(column, form) && (form.what.is_none() || !is_certain(column, form))
    };
    let mut doubts: Vec<Doubt> = FORMS
        .iter()
        .filter(is_in_doubt)
        .map(|form| Doubt {
            rule: form.rule,
            seen: form.seen,
            may_be: form.may_be,
            rows: rows_where(form.has),
        })
        .collect();
    let is_of_dates = super::is_of_compact_dates(column);
    let rows = if is_of_dates {
        0
    } else {
        rows_where(dates::is_compact_date)
    };
    if rows > 0 {
        doubts.push(Doubt {
            rule: Dates,
            seen: "numbers of eight or more digits",
            may_be: "dates",
            rows,
        });
    }
    doubts
}

/// Whether each row has a number or a code of its own that was counted up: `4711`, `4712`; `P-0`, `P-1`, …, `P-199`.
pub(super) fn is_counted_up(column: &Column) -> bool {
    let values = || column.values().iter().filter(|value| !is_blank(value));
    let count = values().count();
    if count < UNIQUE_NUMBER_MIN_ROWS || !is_nearly_unique(column, count) {
        return false;
    }
    let Some(first) = values().next().and_then(|value| split_number(value)) else {
        return false;
    };
    let mut range = (first.1, first.1);
    let all_alike = values().all(|value| {
        let number = split_number(value).filter(|(start, _)| *start == first.0);
        number.is_some_and(|(_, number)| {
            range = (range.0.min(number), range.1.max(number));
            true
        })
    });
    // Of a measurement the numbers lie apart.
    all_alike && range.1 - range.0 < 2 * count as u64
}

/// What stands before the digits at the end, and their number.
fn split_number(cell: &str) -> Option<(&str, u64)> {
    let cell = cell.trim();
    let start = cell.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_sign = start == "-" || start.ends_with(['.', ',']);
    let number = cell[start.len()..].parse().ok()?;
    (!is_sign).then_some((start, number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::detector::all_findings;
    use crate::table::Table;

    fn column(cells: impl IntoIterator<Item = String>) -> Table {
        let mut builder = Table::builder(vec!["x".into(), "other".into()]).unwrap();
        for cell in cells {
            builder.push_row([cell.as_str(), ""]).unwrap();
        }
        builder.finish()
    }

    fn found(cells: impl IntoIterator<Item = String>) -> Vec<(char, usize)> {
        let found = all_findings(&column(cells).columns()[0]);
        let found = found.iter();
        found
            .map(|found| (found.rule.letter(), found.hits))
            .collect()
    }

    fn doubted(cells: impl IntoIterator<Item = String>) -> Vec<(char, usize)> {
        let doubted = doubts(&column(cells).columns()[0]);
        let doubted = doubted.iter();
        doubted
            .map(|doubt| (doubt.rule.letter(), doubt.rows))
            .collect()
    }

    fn numbers(from: u64, step: u64) -> impl Iterator<Item = String> {
        (0..60).map(move |row| (from + step * row).to_string())
    }

    #[test]
    fn numbers_of_one_form_are_found_where_each_row_has_its_own() {
        for (from, step, letter) in [
            (123_456_789, 3_120_110, 'G'),
            (2_125_550_123, 60_017_113, 'D'),
            (1_583_280_000, 86_417, 'C'),
            (1_583_280_000_000, 86_417_003, 'C'),
        ] {
            let numbers = || numbers(from, step);
            assert_eq!(found(numbers()), [(letter, 60)], "{from}");
            assert_eq!(doubted(numbers()), [], "{from}");
            // Codes have the form too, and are in many rows.
            let codes = || numbers().chain(numbers());
            assert_eq!(found(codes()), [], "{from}");
            assert_eq!(doubted(codes()), [(letter, 120)], "{from}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_in_doubt() {
        assert_eq!(doubted(numbers(10_001, 997)), [('B', 60)]);
        assert_eq!(found(numbers(10_001, 997)), []);
        let days = || ["2/25", "3/17", "12/31"].map(str::to_owned);
        assert_eq!((found(days()), doubted(days())), (vec![], vec![('C', 3)]));
        let mixed = || ["low", "20200304", "high"].map(str::to_owned);
        assert_eq!((found(mixed()), doubted(mixed())), (vec![], vec![('C', 1)]));
    }

    #[test]
    fn measurements_are_neither_found_nor_in_doubt() {
        for (from, step) in [(90, 1_013), (98_000, 4_177), (0, 1), (35, 3), (100_000, 7)] {
            assert_eq!(doubted(numbers(from, step)), [], "{from}");
            assert_eq!(found(numbers(from, step)), [], "{from}");
        }
        let other = || ["120/80", "3/4", "1/2", "20/20"].map(str::to_owned);
        assert_eq!((found(other()), doubted(other())), (vec![], vec![]));
    }

    #[test]
    fn records_that_were_counted_up_are_found() {
        let counted = |start: &'static str, from: u64, step: u64| {
            (0..200).map(move |row| format!("{start}{}", from + step * row))
        };
        assert_eq!(found(counted("P-", 0, 1)), [('R', 200)]);
        assert_eq!(found(counted("", 4711, 1)), [('R', 200)]);
        assert_eq!(found(counted("", 1_011, 17)), []);
        assert_eq!(found(counted("", 4711, 1).take(99)), []);
        let twice = counted("", 4711, 1).chain(counted("", 4711, 1));
        assert_eq!(found(twice), []);
    }
}
