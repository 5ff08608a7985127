//! Where in a text an identifier stands.

use std::ops::Range;

use super::{contact, dates, network, numbers};
use crate::safe_harbor::SafeHarborRule::{self, *};

/// A detector of content that says where.
pub(super) struct Located {
    pub(super) rule: SafeHarborRule,
    pub(super) what: &'static str,
    /// Whether it identifies by itself, rather than with others.
    pub(super) is_direct: bool,
    /// All places, also likely ones: a text is scrubbed of them.
    places: fn(&str) -> Vec<Range<usize>>,
    /// Places that a cell of a table is hardly by chance.
    pub(super) certain: fn(&str) -> Vec<Range<usize>>,
}

const fn direct(
    rule: SafeHarborRule,
    what: &'static str,
    places: fn(&str) -> Vec<Range<usize>>,
) -> Located {
    Located {
        rule,
        what,
        is_direct: true,
        places,
        certain: places,
    }
}

const fn indirect(
    rule: SafeHarborRule,
    what: &'static str,
    places: fn(&str) -> Vec<Range<usize>>,
) -> Located {
    Located {
        is_direct: false,
        ..direct(rule, what, places)
    }
}

pub(super) const DATE: &str = "date finer than a year";

/// In the order in which they are believed: an address of the web may hold what looks like others.
pub(super) static LOCATED: [Located; 12] = [
    direct(WebAddresses, "web address", contact::web_addresses),
    direct(EmailAddresses, "e-mail address", contact::emails),
    direct(IpAddresses, "IP address", network::ip_addresses),
    direct(
        DeviceIdentifiers,
        "address of a network device",
        network::mac_addresses,
    ),
    direct(
        SocialSecurityNumbers,
        "social security number",
        numbers::social_security_numbers,
    ),
    Located {
        certain: numbers::payment_cards_for_certain,
        ..direct(
            AccountNumbers,
            "payment card number",
            numbers::payment_cards,
        )
    },
    direct(
        AccountNumbers,
        "bank account number",
        numbers::bank_accounts,
    ),
    direct(
        HealthPlanNumbers,
        "Medicare number",
        numbers::medicare_numbers,
    ),
    direct(
        VehicleIdentifiers,
        "vehicle identification number",
        numbers::vehicles,
    ),
    indirect(OtherUniqueIdentifiers, "UUID", numbers::uuids),
    indirect(Dates, DATE, dates::dates),
    direct(TelephoneNumbers, "telephone number", contact::phones),
];

/// Identifiers in a text: bytes, on the borders of characters, and what stands there. In order, none overlaps another; of two
/// that would, the one is told that an earlier detector found.
pub fn spans(cell: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for located in &LOCATED {
        for place in (located.places)(cell) {
            let is_free = |(known, _): &(Range<usize>, _)| {
                place.end <= known.start || known.end <= place.start
            };
            if found.iter().all(is_free) {
                found.push((place, located.what));
            }
        }
    }
    found.sort_unstable_by_key(|(place, _)| place.start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(cell: &str) -> Vec<(&str, &'static str)> {
        let told = |(place, what): (Range<usize>, _)| (&cell[place], what);
        spans(cell).into_iter().map(told).collect()
    }

    #[test]
    fn each_identifier_of_a_letter_is_told() {
        let letter = "Seen 3 March 2020 (SSN 078-05-1120). Write to <ada@clinic.example>, call (212) 555-0123 or \
            tel. 030 1234567; results at https://x.example/r?d=2020-01-02&ip=10.0.0.7. From 10.0.0.8:443 and \
            2001:db8::17. Card 4111 1111 1111 1111, until 2021-05.";
        assert_eq!(
            told(letter),
            [
                ("3 March 2020", DATE),
                ("078-05-1120", "social security number"),
                ("ada@clinic.example", "e-mail address"),
                ("(212) 555-0123", "telephone number"),
                ("030 1234567", "telephone number"),
                (
                    "https://x.example/r?d=2020-01-02&ip=10.0.0.7",
                    "web address"
                ),
                ("10.0.0.8", "IP address"),
                ("2001:db8::17", "IP address"),
                ("4111 1111 1111 1111", "payment card number"),
                ("2021-05", DATE),
            ]
        );
    }

    #[test]
    fn a_clinical_text_is_left_alone() {
        for text in [
            "Amoxicillin 500 MG Oral Tablet, 2 x 250 mg/d for 10 days",
            "BP 120/80, HbA1c 7.35 - 7.45 %, platelets 150000-450000",
            "SNOMED 124171000119105 (disorder), LOINC 2160-0, ICD-10 E11.9, RxNorm 308192",
            "cell count 4500-11000; grade 3/4 of 8500/3, at 10:30",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }

    proptest! {
        /// Places lie on the borders of characters, in order, apart; what a scrubbed text holds is not found again.
        #[test]
        fn places_can_be_cut_out(text in "([a-zé@.:/ +()-]|[0-9]{1,4}|Jan|www\\.|http://|078-05-1120|a@b\\.cc|2020-01-02|10\\.0\\.0\\.7){0,20}|\\PC{0,60}") {
            let mut end = 0;
            let mut scrubbed = String::new();
            for (place, _) in spans(&text) {
                prop_assert!(end <= place.start && place.start < place.end);
                scrubbed.push_str(&text[end..place.start]);
                scrubbed.push_str("[]");
                end = place.end;
            }
            scrubbed.push_str(&text[end..]);
        }
    }
}
