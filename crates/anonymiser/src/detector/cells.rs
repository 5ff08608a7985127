//! Shapes of cells that only identifiers have.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Digits of a telephone number, with and without a country code (ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;

/// A rule and its test of one cell.
pub(super) type CellRule = (&'static str, &'static dyn Fn(&str) -> bool);

/// The rules for declared columns.
pub(super) const CELL_RULES: [CellRule; 5] = [
    ("e-mail address", &|cell| words(cell).any(is_email)),
    ("web address", &|cell| words(cell).any(is_url)),
    ("IP address", &|cell| words(cell).any(is_ip)),
    ("social security number", &|cell| {
        words(cell).any(is_social_security_number)
    }),
    ("telephone number", &is_phone),
];

pub(super) fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|character: char| character.is_whitespace() || "<>()[]{},;\"'|".contains(character))
        .map(|word| word.trim_end_matches(['.', ':', '!', '?']))
}

pub(super) fn is_email(word: &str) -> bool {
    let Some((local, domain)) = word.rsplit_once('@') else {
        return false;
    };
    let Some((host, ending)) = domain.rsplit_once('.') else {
        return false;
    };
    let of_host =
        |character: char| character.is_alphanumeric() || character == '-' || character == '.';
    !local.is_empty()
        && !host.is_empty()
        && host.chars().all(of_host)
        && ending.chars().count() >= 2
        && ending.chars().all(char::is_alphabetic)
}

pub(super) fn is_url(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    ["http://", "https://", "ftp://", "www."]
        .iter()
        .any(|start| lower.len() > start.len() && lower.starts_with(start))
}

pub(super) fn is_ip(word: &str) -> bool {
    let is_long_v6 =
        || word.matches(':').count() >= 2 && word.len() > 4 && word.parse::<Ipv6Addr>().is_ok();
    word.parse::<Ipv4Addr>().is_ok() || is_long_v6()
}

pub(super) fn is_social_security_number(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().map(|part| part.len()).eq([3, 2, 4]) && parts.iter().all(|part| digits(part))
}

/// A whole cell that is a telephone number: digits in groups, or after a plus. Ranges, dates and
/// numbers with decimals, which generalised cells hold, are none.
pub(super) fn is_phone(cell: &str) -> bool {
    let cell = cell.trim();
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let separators = cell.bytes().filter(|byte| b" -()./".contains(byte)).count();
    let plus = cell.starts_with('+');
    let only_phone = cell.bytes().enumerate().all(|(at, byte)| {
        byte.is_ascii_digit() || b" -()./".contains(&byte) || (byte == b'+' && at == 0)
    });
    let decimals_in_range = cell.contains('.') && cell.contains(['-', ' ', '/']);
    let starts_like_year = (cell.starts_with("19") || cell.starts_with("20"))
        && cell
            .as_bytes()
            .get(4)
            .is_some_and(|byte| b"-./ ".contains(byte));
    only_phone
        && PHONE_DIGITS.contains(&digits)
        && (plus || separators >= 2)
        && !(decimals_in_range || starts_like_year || cell.contains(" - "))
        && cell.parse::<Ipv4Addr>().is_err()
        && !is_social_security_number(cell)
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
        let is_day_and_month = |one: u32, two: u32| {
            (1..=31).contains(&one) && (1..=31).contains(&two) && one.min(two) <= 12
        };
        (parts[0].len() == 4 && is_day_and_month(two, three))
            || (parts[2].len() == 4 && is_day_and_month(one, two))
    })
}
