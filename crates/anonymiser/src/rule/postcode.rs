//! Postcodes of the United States and of the United Kingdom.

/// Areas of three digits with 20,000 people or fewer, by the census of 2000: Safe Harbor (45 CFR 164.514(b)(2)(i)(B)) takes `000` in
/// their place. Source: US Department of Health and Human Services, Guidance Regarding Methods for De-identification of Protected
/// Health Information (2012), which still lists these.
const SMALL_AREAS: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878",
    "879", "884", "890", "893",
];

/// Five digits, three, and the first, which is a group of states.
pub(super) fn us_zip(code: &str, safe_harbor: bool) -> Option<Vec<String>> {
    let is_of_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (five, four) = code.split_at_checked(5)?;
    let four = four.strip_prefix('-').unwrap_or(four);
    let is_short = code.len() == 5;
    if !(is_of_digits(five) && is_of_digits(four) && (is_short || four.len() == 4)) {
        return None;
    }
    let three = &five[..3];
    if safe_harbor && SMALL_AREAS.contains(&three) {
        return Some(vec![
            five.to_owned(),
            "000**".to_owned(),
            "000**".to_owned(),
        ]);
    }
    Some(vec![
        five.to_owned(),
        format!("{three}**"),
        format!("{}****", &five[..1]),
    ])
}

/// Sector, district (the outward code) and area: of `SW1A 1AA` these are `SW1A 1`, `SW1A` and `SW`. The outward code alone is
/// taken, too.
///
/// Source: Royal Mail, Programmers' Guide to the Postcode Address File, on the structure of postcodes.
pub(super) fn uk_postcode(code: &str) -> Option<Vec<String>> {
    let code: String = code.split(' ').flat_map(str::chars).collect();
    let code = code.to_ascii_uppercase();
    let of_inward = |at| {
        code.split_at_checked(at)
            .filter(|(_, inward)| is_inward(inward))
    };
    let split = code.len().checked_sub(3).and_then(of_inward);
    let (district, sector) = match split {
        Some((district, inward)) => (district, format!("{district} {}", &inward[..1])),
        None => (&*code, code.clone()),
    };
    let letters = district.bytes().take_while(u8::is_ascii_uppercase).count();
    let (area, rest) = district.split_at(letters);
    let is_area = (1..=2).contains(&letters);
    let is_rest = match rest.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [digit, last] => {
            digit.is_ascii_digit() && (last.is_ascii_digit() || last.is_ascii_uppercase())
        }
        _ => false,
    };
    (is_area && is_rest).then(|| vec![sector, district.to_owned(), area.to_owned()])
}

fn is_inward(text: &str) -> bool {
    let [sector, unit @ ..] = text.as_bytes() else {
        return false;
    };
    sector.is_ascii_digit() && unit.iter().all(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_of_the_united_states() {
        let expected = ["02138", "021**", "0****"];
        for code in ["02138", "02138-1234", "021381234"] {
            assert_eq!(us_zip(code, false).unwrap(), expected);
            assert_eq!(us_zip(code, true).unwrap(), expected);
        }
        assert_eq!(us_zip("03601", false).unwrap()[1], "036**");
        assert_eq!(us_zip("03601", true).unwrap(), ["03601", "000**", "000**"]);
        for bad in [
            "",
            "2138",
            "02138-",
            "02138-12",
            "0213x",
            "02138 1234",
            "021é8",
        ] {
            assert_eq!(us_zip(bad, false), None, "{bad}");
        }
    }

    #[test]
    fn codes_of_the_united_kingdom() {
        let of = |code| uk_postcode(code).unwrap();
        assert_eq!(of("SW1A 1AA"), ["SW1A 1", "SW1A", "SW"]);
        assert_eq!(of("sw1a1aa"), ["SW1A 1", "SW1A", "SW"]);
        assert_eq!(of("M1 1AE"), ["M1 1", "M1", "M"]);
        assert_eq!(of("EH99 1SP"), ["EH99 1", "EH99", "EH"]);
        assert_eq!(of("EC1A"), ["EC1A", "EC1A", "EC"]);
        for bad in [
            "",
            "SW",
            "1AA",
            "ABC1 1AA",
            "SW1A 1A",
            "12345",
            "M 1AE",
            "SW1AAA 1AA",
            "É1",
        ] {
            assert_eq!(uk_postcode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_all_levels_or_none(text in "[A-Z]{0,3}[0-9]{0,6}[- A-Z0-9]{0,6}|\\PC{0,8}") {
            for labels in [us_zip(&text, true), us_zip(&text, false), uk_postcode(&text)].into_iter().flatten() {
                prop_assert_eq!(labels.len(), 3);
            }
        }
    }
}
