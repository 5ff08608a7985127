//! Numbers that a person has, told by their form and their check digits.

use std::ops::Range;

use super::text::{Pattern, digits, pattern, places, stands_alone};

/// `AAA-GG-SSSS` as the Social Security Administration gives them out: no area 000 or 666, no group 00, no serial 0000; of
/// areas 900 to 999 the groups that the IRS gives to taxpayers instead (IRM 3.21.263).
pub(super) fn social_security_numbers(cell: &str) -> Vec<Range<usize>> {
    let mut found = places_of_form(cell);
    found.retain(|place| is_given_out(&cell[place.clone()]));
    found
}

/// Whether a whole cell has the form, also of numbers that are never given out: made-up records hold those.
pub(super) fn has_form_of_social_security_number(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() == 11 && places_of_form(cell).len() == 1
}

fn places_of_form(cell: &str) -> Vec<Range<usize>> {
    static FORM: Pattern = Pattern::new(|| pattern(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"));
    if cell.matches('-').nth(1).is_none() {
        return Vec::new();
    }
    places(&FORM, cell)
        .filter(|place| stands_alone(cell, place, "-./"))
        .collect()
}

fn is_given_out(number: &str) -> bool {
    let (area, group, serial) = (&number[..3], &number[4..6], &number[7..]);
    let group_number: u32 = group.parse().unwrap_or_default();
    let is_taxpayer = || matches!(group_number, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    !matches!(area, "000" | "666")
        && group != "00"
        && serial != "0000"
        && (area < "900" || is_taxpayer())
}

/// Payment cards: a known issuer, its number of digits, and Luhn's check digit (ISO/IEC 7812); written in groups or in one.
pub(super) fn payment_cards(cell: &str) -> Vec<Range<usize>> {
    static DIGITS: Pattern = Pattern::new(|| pattern(r"[0-9](?:[ -]?[0-9]){12,18}"));
    if digits(cell).nth(12).is_none() {
        return Vec::new();
    }
    places(&DIGITS, cell)
        .filter(|place| is_card(&cell[place.clone()]) && stands_alone(cell, place, "-./"))
        .collect()
}

/// Without those that are a whole cell of digits: one number in fifty of the right length is a card by chance.
pub(super) fn payment_cards_for_certain(cell: &str) -> Vec<Range<usize>> {
    let is_number = |text: &str| text.trim().bytes().all(|byte| byte.is_ascii_digit());
    if is_number(cell) {
        return Vec::new();
    }
    payment_cards(cell)
}

fn is_card(text: &str) -> bool {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let length = number.len();
    let begins = |from: &str, to: &str| {
        let start = &number[..from.len()];
        from <= start && start <= to
    };
    let is_issued = (begins("4", "4") && matches!(length, 13 | 16 | 19))
        || (length == 16 && (begins("51", "55") || begins("2221", "2720")))
        || (length == 15 && (begins("34", "34") || begins("37", "37")))
        || (length == 16 && (begins("6011", "6011") || begins("644", "659")))
        || (length == 14 && (begins("300", "305") || begins("36", "36") || begins("38", "39")))
        || (length == 16 && begins("3528", "3589"));
    is_issued && has_luhn_digit(&number)
}

/// Luhn's check (ISO/IEC 7812-1, annex B).
fn has_luhn_digit(number: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits(number)
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 1 {
                doubled(digit)
            } else {
                digit
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// International bank account numbers (ISO 13616), in one or in groups of four.
pub(super) fn bank_accounts(cell: &str) -> Vec<Range<usize>> {
    static IBAN: Pattern = Pattern::new(|| pattern(r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}"));
    places(&IBAN, cell)
        .filter_map(|place| {
            // A word in capitals behind it may have been taken along.
            let ends = cell[place.clone()].match_indices(' ').map(|(end, _)| end);
            let ends =
                std::iter::once(place.len()).chain(ends.collect::<Vec<_>>().into_iter().rev());
            let places = ends.map(|end| place.start..place.start + end);
            places
                .filter(|place| stands_alone(cell, place, ""))
                .find(|place| is_iban(&cell[place.clone()]))
        })
        .collect()
}

fn is_iban(text: &str) -> bool {
    let number: String = text.chars().filter(|character| *character != ' ').collect();
    if !(15..=34).contains(&number.len()) {
        return false;
    }
    let (start, rest) = number.split_at(4);
    let remainder = rest.chars().chain(start.chars()).fold(0, |sum, character| {
        let value = character.to_digit(36).unwrap_or_default();
        (sum * if value > 9 { 100 } else { 10 } + value) % 97
    });
    remainder == 1
}

/// Vehicle identification numbers with the check digit of North America (49 CFR 565.15).
pub(super) fn vehicles(cell: &str) -> Vec<Range<usize>> {
    static VIN: Pattern = Pattern::new(|| pattern(r"[A-HJ-NPR-Z0-9]{17}"));
    places(&VIN, cell)
        .filter(|place| is_vehicle(&cell[place.clone()]) && stands_alone(cell, place, "-./"))
        .collect()
}

fn is_vehicle(number: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let letter = |character| match character {
        'A' | 'J' => Some(1),
        'B' | 'K' | 'S' => Some(2),
        'C' | 'L' | 'T' => Some(3),
        'D' | 'M' | 'U' => Some(4),
        'E' | 'N' | 'V' => Some(5),
        'F' | 'W' => Some(6),
        'G' | 'P' | 'X' => Some(7),
        'H' | 'Y' => Some(8),
        'R' | 'Z' => Some(9),
        _ => None,
    };
    // A code of digits alone is some other number.
    if number.bytes().filter(u8::is_ascii_alphabetic).count() < 3 {
        return false;
    }
    let value = |character: char| character.to_digit(10).or_else(|| letter(character));
    let sum = number
        .chars()
        .zip(WEIGHTS)
        .try_fold(0, |sum, (character, weight)| {
            Some(sum + value(character)? * weight)
        });
    let check = match sum.map(|sum| sum % 11) {
        Some(10) => Some('X'),
        Some(digit) => char::from_digit(digit, 10),
        None => None,
    };
    check.is_some() && number.chars().nth(8) == check
}

/// Medicare beneficiary identifiers (CMS, Understanding the MBI Format): no S, L, O, I, B, Z.
pub(super) fn medicare_numbers(cell: &str) -> Vec<Range<usize>> {
    static MBI: Pattern = Pattern::new(|| {
        let letter = "[AC-HJKMNP-RT-Y]";
        let either = "[0-9AC-HJKMNP-RT-Y]";
        pattern(&format!(
            "[1-9]{letter}{either}[0-9]-?{letter}{either}[0-9]-?{letter}{{2}}[0-9]{{2}}"
        ))
    });
    places(&MBI, cell)
        .filter(|place| stands_alone(cell, place, "-./"))
        .collect()
}

/// UUIDs (RFC 9562).
pub(super) fn uuids(cell: &str) -> Vec<Range<usize>> {
    static UUID: Pattern = Pattern::new(|| {
        pattern(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
    });
    if cell.matches('-').nth(3).is_none() {
        return Vec::new();
    }
    places(&UUID, cell)
        .filter(|place| stands_alone(cell, place, "-"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(find: fn(&str) -> Vec<Range<usize>>, cell: &str) -> Vec<&str> {
        find(cell).into_iter().map(|place| &cell[place]).collect()
    }

    #[test]
    fn numbers_that_are_never_given_out_are_no_social_security_numbers() {
        for never in [
            "000-12-3456",
            "666-12-3456",
            "123-00-4567",
            "123-45-0000",
            "999-49-3983",
            "900-10-1234",
        ] {
            assert_eq!(found(social_security_numbers, never), [""; 0], "{never}");
            assert!(has_form_of_social_security_number(never));
        }
        for given in ["078-05-1120", "899-99-9999", "900-70-1234"] {
            assert_eq!(found(social_security_numbers, given), [given]);
        }
        for longer in ["1078-05-1120", "078-05-11201", "12-078-05-1120"] {
            assert_eq!(found(social_security_numbers, longer), [""; 0], "{longer}");
        }
    }

    #[test]
    fn cards_have_an_issuer_and_a_check_digit() {
        for card in [
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "3782 822463 10005",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "2223003122003222",
        ] {
            let text = format!("paid with {card}.");
            assert_eq!(found(payment_cards, &text), [card]);
            assert_eq!(found(payment_cards_for_certain, &text), [card]);
        }
        for other in [
            "4111 1111 1111 1112",
            "1111 1111 1111 1117",
            "124171000119105",
            "411111111111111",
        ] {
            assert_eq!(found(payment_cards, other), [""; 0], "{other}");
        }
        assert_eq!(
            found(payment_cards_for_certain, "6011111111111117"),
            [""; 0]
        );
    }

    #[test]
    fn accounts_vehicles_and_the_insured() {
        let text = "IBAN DE89 3704 0044 0532 0130 00 AND MORE";
        assert_eq!(found(bank_accounts, text), ["DE89 3704 0044 0532 0130 00"]);
        assert_eq!(
            found(bank_accounts, "GB82WEST12345698765432"),
            ["GB82WEST12345698765432"]
        );
        assert_eq!(found(bank_accounts, "GB83WEST12345698765432"), [""; 0]);
        // The regulation's worked example, and SNOMED codes of the same length.
        assert_eq!(found(vehicles, "1M8GDM9AXKP042788"), ["1M8GDM9AXKP042788"]);
        for other in [
            "1M8GDM9A1KP042788",
            "11111111111111111",
            "16114001000119106",
        ] {
            assert_eq!(found(vehicles, other), [""; 0], "{other}");
        }
        assert_eq!(
            found(medicare_numbers, "MBI 1EG4-TE5-MK73"),
            ["1EG4-TE5-MK73"]
        );
        assert_eq!(found(medicare_numbers, "1EG4TE5MK73"), ["1EG4TE5MK73"]);
        assert_eq!(found(medicare_numbers, "1SG4TE5MK73"), [""; 0]);
    }
}
