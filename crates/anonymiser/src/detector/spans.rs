//! Where in a text an identifier stands.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fold::Folded;
use super::{addresses, ages, contact, dates, named, network, numbers};
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
const SSN: &str = "social security number";

/// In the order in which they are believed: an address of the web may hold what looks like others.
pub(super) static LOCATED: [Located; 24] = [
    direct(WebAddresses, "web address", contact::web_addresses),
    direct(EmailAddresses, "e-mail address", contact::emails),
    direct(IpAddresses, "IP address", network::ip_addresses),
    direct(
        DeviceIdentifiers,
        "address of a network device",
        network::mac_addresses,
    ),
    direct(SocialSecurityNumbers, SSN, numbers::social_security_numbers),
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
    indirect(Geography, "coordinate", addresses::coordinates),
    indirect(Dates, DATE, dates::dates),
    indirect(Dates, DATE, ages::named_dates),
    indirect(Dates, "age over 89", ages::over_89),
    direct(Geography, "postal address", addresses::streets),
    indirect(Geography, "postcode", addresses::zip_codes),
    // By what a text calls them.
    direct(SocialSecurityNumbers, SSN, named::social_security_numbers),
    direct(
        MedicalRecordNumbers,
        "record or account number",
        named::record_numbers,
    ),
    direct(HealthPlanNumbers, "health plan number", named::plan_numbers),
    direct(AccountNumbers, "account number", named::account_numbers),
    direct(
        LicenceNumbers,
        "certificate or licence number",
        named::licences,
    ),
    direct(VehicleIdentifiers, "vehicle number", named::plates),
    direct(DeviceIdentifiers, "device number", named::serials),
    direct(TelephoneNumbers, "telephone number", contact::phones),
];

/// Identifiers in a text: bytes, on the borders of characters, and what stands there. In order, none overlaps another; of two
/// that would, the one is told that an earlier detector found, and of the other what is left of it. They are looked for in the
/// folded text, and told of the original.
pub fn spans(cell: &str) -> Vec<(Range<usize>, &'static str)> {
    let folded = Folded::of(cell);
    let mut found = Found::new();
    for located in &LOCATED {
        for place in (located.places)(folded.text()) {
            let place = folded.original(place);
            for left in left_of(place, &found) {
                if cell[left.clone()].contains(char::is_alphanumeric) {
                    found.insert(left.start, (left.end, located.what));
                }
            }
        }
    }
    let found = found.into_iter();
    found
        .map(|(start, (end, what))| (start..end, what))
        .collect()
}

/// Places that lie apart: by their beginnings the ends, and what they are.
type Found = BTreeMap<usize, (usize, &'static str)>;

/// The parts of a place that nothing known covers, from its end to its beginning.
fn left_of(place: Range<usize>, known: &Found) -> Vec<Range<usize>> {
    let mut left = Vec::new();
    let mut end = place.end;
    for (&start, &(stop, _)) in known.range(..place.end).rev() {
        if stop <= place.start {
            break;
        }
        if stop < end {
            left.push(stop..end);
        }
        end = start;
    }
    if place.start < end {
        left.push(place.start..end);
    }
    left
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

    #[test]
    fn what_an_earlier_detector_leaves_of_a_place_is_told_as_well() {
        assert_eq!(
            told("since May 12 Main Street"),
            [("May 12", DATE), (" Main Street", "postal address")]
        );
    }

    #[test]
    fn the_original_is_told_however_it_is_written() {
        let letter = "né\u{A0}: SSN 078‐05‑1120, tel. ０３０\u{A0}１２３４５６７, ａｄａ＠clinic.example; vu le ٢٠٢٠-٠٣-٠٤, 4. Ma\u{308}rz 2020.";
        assert_eq!(
            told(letter),
            [
                ("078‐05‑1120", "social security number"),
                ("０３０\u{A0}１２３４５６７", "telephone number"),
                ("ａｄａ＠clinic.example", "e-mail address"),
                ("٢٠٢٠-٠٣-٠٤", DATE),
                ("4. Ma\u{308}rz 2020", DATE),
            ]
        );
    }

    proptest! {
        /// Places lie on the borders of characters, in order, apart; what a scrubbed text holds is not found again.
        #[test]
        fn places_can_be_cut_out(text in "([a-zé@.:/ +()-]|[0-9]{1,4}|Jan|www\\.|http://|078-05-1120|a@b\\.cc|2020-01-02|10\\.0\\.0\\.7|[–－\u{200B}\u{A0}\u{301}½]|[０-９]{1,4}){0,20}|\\PC{0,60}") {
            let mut end = 0;
            let mut scrubbed = String::new();
            for (place, _) in spans(&text) {
                prop_assert!(end <= place.start && place.start < place.end);
                prop_assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end));
                scrubbed.push_str(&text[end..place.start]);
                scrubbed.push_str("[]");
                end = place.end;
            }
            scrubbed.push_str(&text[end..]);
        }
    }
}
