//! How somebody is reached: electronic mail, the web, telephones.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::text::{Pattern, digits, pattern, places, stands_alone};

/// Digits of a telephone number, with and without a country code (ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;
/// … where the text says that it is one.
const NAMED_PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// `local@host.ending`.
pub(super) fn emails(cell: &str) -> Vec<Range<usize>> {
    static EMAIL: Pattern = Pattern::new(|| pattern(r#"[^\s<>()\[\]{},;"'|@:=]+@[\p{L}\p{N}.-]+"#));
    if !cell.contains('@') {
        return Vec::new();
    }
    places(&EMAIL, cell)
        .filter_map(|place| {
            let text = cell[place.clone()].trim_end_matches(['.', '-']);
            let (_, domain) = text.rsplit_once('@')?;
            let (host, ending) = domain.rsplit_once('.')?;
            let is_ending = ending.chars().count() >= 2 && ending.chars().all(char::is_alphabetic);
            (!host.is_empty() && is_ending).then(|| place.start..place.start + text.len())
        })
        .collect()
}

/// What begins with a scheme of the web, or with `www.`.
pub(super) fn web_addresses(cell: &str) -> Vec<Range<usize>> {
    static URL: Pattern = Pattern::new(|| {
        pattern(r#"(?:[Hh][Tt][Tt][Pp][Ss]?://|[Ff][Tt][Pp]://|[Ww]{3}\.)[^\s<>"'|{}\[\]]+"#)
    });
    if !cell.contains("://") && !cell.contains(['w', 'W']) {
        return Vec::new();
    }
    places(&URL, cell)
        .filter(|place| !cell[..place.start].ends_with(char::is_alphanumeric))
        .map(|place| {
            let end = [')', '.', ',', ';', ':', '!', '?'];
            let text = cell[place.clone()].trim_end_matches(end);
            place.start..place.start + text.len()
        })
        .filter(|place| !cell[place.clone()].ends_with("//"))
        .collect()
}

/// A whole cell, a number in a text as it is written in North America or after a plus, or one that the text names.
pub(super) fn phones(cell: &str) -> Vec<Range<usize>> {
    static AMERICAN: Pattern = Pattern::new(|| {
        pattern(r"(?:\+?1[-. ])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4}")
    });
    static INTERNATIONAL: Pattern =
        Pattern::new(|| pattern(r"\+[0-9]{1,3}(?:[ ./()-]{0,3}[0-9]){7,13}"));
    static NAMED: Pattern = Pattern::new(|| {
        pattern(
            r"(?-u:\b)(?:[Tt]el|TEL|[Tt]elephone|[Pp]hone|PHONE|[Ff]ax|FAX|[Mm]obile)(?-u:\b)[^0-9+\n]{0,12}(\+?[0-9][0-9 ()./-]{5,20}[0-9])",
        )
    });
    let count = |text: &str| digits(text).count();
    if count(cell) < *NAMED_PHONE_DIGITS.start() {
        return Vec::new();
    }
    let whole = cell.trim();
    if is_phone(whole) {
        let start = cell.len() - cell.trim_start().len();
        return std::iter::once(start..start + whole.len()).collect();
    }
    let mut found: Vec<_> = places(&AMERICAN, cell)
        .filter(|place| stands_alone(cell, place, "-./"))
        .collect();
    found.extend(places(&INTERNATIONAL, cell).filter(|place| {
        PHONE_DIGITS.contains(&count(&cell[place.clone()])) && stands_alone(cell, place, "")
    }));
    let named = NAMED.captures_iter(cell);
    let named = named
        .filter_map(|found| found.get(1))
        .map(|found| found.range());
    found.extend(named.filter(|place| {
        NAMED_PHONE_DIGITS.contains(&count(&cell[place.clone()]))
            && super::dates::dates(&cell[place.clone()]).is_empty()
            && stands_alone(cell, place, "")
    }));
    found
}

/// A whole cell that is a telephone number: digits in groups, or after a plus. Ranges, dates and
/// numbers with decimals, which generalised cells hold, are none.
fn is_phone(cell: &str) -> bool {
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
        && !super::numbers::has_form_of_social_security_number(cell)
        && super::dates::dates(cell).is_empty()
        && !is_drug_code(cell)
        && !is_object_identifier(cell)
}

/// `2.16.840.1.113883.6.1`, as HL7 names code systems: no telephone number is written with dots and has a group of one digit.
fn is_object_identifier(cell: &str) -> bool {
    let mut parts = cell.split('.');
    cell.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && parts.any(|part| part.len() == 1)
}

/// A National Drug Code: labeler, product and package, in digits (21 CFR 207.33).
fn is_drug_code(cell: &str) -> bool {
    let parts: Vec<usize> = cell.split('-').map(str::len).collect();
    cell.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
        && matches!(parts[..], [4..=6, 3..=4, 1..=2])
}
