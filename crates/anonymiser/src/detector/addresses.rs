//! Places smaller than a state, by how they are written (§164.514(b)(2)(i)(B)): streets, post office boxes, codes behind a
//! state, and the "equivalent geocodes" of two coordinates. Names of towns alone look like any other words.

use std::ops::Range;

use super::text::{
    Pattern, apart, has_digits_together, has_word_and_digit, pattern, places, stands_alone,
};
use crate::safe_harbor::place;

/// `12 Main Street`, `Hauptstr. 5`, `12 rue de la Paix`, `PO Box 17`.
pub(super) fn streets(cell: &str) -> Vec<Range<usize>> {
    if !has_word_and_digit(cell) {
        return Vec::new();
    }
    let forms: [&Pattern; 5] = [&BOX, &ENGLISH, &SHORT_ENGLISH, &GERMAN, &FRENCH];
    let found = forms.into_iter().flat_map(|form| places(form, cell));
    let found = found.filter(|place| {
        stands_alone(cell, place, "") && !is_way_of_another_kind(&cell[place.clone()])
    });
    apart(found)
}

static BOX: Pattern = Pattern::new(|| {
    pattern(
        r"(?:[Pp]\.? ?[Oo]\.? ?[Bb][Oo][Xx]|[Pp]ost [Oo]ffice [Bb]ox|POST OFFICE BOX|Postfach|POSTFACH|[Bb]o[iî]te [Pp]ostale)[ :#]{1,3}[0-9]{1,6}",
    )
});
/// Up to four words with capitals, or a number with an ending, between the house and what kind of street it is.
static ENGLISH: Pattern = Pattern::new(|| {
    let kinds = "Street|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Terrace|Highway|Hwy|Parkway|Pkwy|Circle|Trail|Crescent|Court|Square|Alley";
    let capitals = "STREET|AVENUE|AVE|ROAD|RD|BOULEVARD|BLVD|LANE|DRIVE|TERRACE|HIGHWAY|HWY|PARKWAY|PKWY|TRAIL|CRESCENT";
    let small = "street|avenue|boulevard|blvd";
    let word = r"(?:\p{Lu}[\p{L}'’-]*\.?|[0-9]{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))";
    pattern(&format!(
        r"{HOUSE} (?:(?:{word} ){{1,4}}(?:{kinds}|{capitals})|\p{{Ll}}{{3,}} (?:{small}))(?-u:\b)\.?"
    ))
});
/// What `St`, `Dr`, `Ct`, `Pl` and `Way` are depends on what follows: at the end of a line they are streets, and no saints, doctors or
/// segments.
static SHORT_ENGLISH: Pattern = Pattern::new(|| {
    pattern(&format!(
        r"{HOUSE} (?:(?:\p{{Lu}}[\p{{L}}'’-]+|[NSEW]|[0-9]{{1,3}}(?:st|nd|rd|th))\.? ){{1,4}}(?:St|Dr|Ct|Pl|Sq|Way|Place|Cir)(?-u:\b)\.?(?:,|;|\)|\n|$|(?-u:\b) ?(?:Apt|Suite|Unit|#))"
    ))
});
const HOUSE: &str = "[0-9]{1,5}[A-Za-z]?(?:-[0-9]{1,5})?,?";
static GERMAN: Pattern = Pattern::new(|| {
    pattern(
        r"(?:\p{Lu}[\p{L}.-]* ){0,2}(?:\p{Lu}[\p{L}-]*(?:straße|strasse|str\.?|gasse|weg|allee|platz|ufer|chaussee)|(?:Straße|Strasse|Str\.|Gasse|Allee|Chaussee)) ?[0-9]{1,4}(?: ?[a-h])?(?: ?[-/] ?[0-9]{1,4})?",
    )
});
static FRENCH: Pattern = Pattern::new(|| {
    let joints = r"(?:(?:de la|de l'|de|du|des|la|le|les) ?|d'|l')";
    let name = r"\p{Lu}[\p{L}'’.-]*(?:[ -](?:de |du |des |la |le )?\p{Lu}[\p{L}'’.-]*){0,4}";
    pattern(&format!(
        r"[0-9]{{1,4}}(?: ?(?:bis|ter|quater))?,? (?:[Rr]ue|RUE|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d|[Cc]hemin|[Ii]mpasse|[Aa]llées?|[Pp]lace|[Qq]uai|[Rr]oute|[Cc]ours|[Ss]quare) {joints}{{0,2}}{name}"
    ))
});

/// Ways of the body and of speech, and places of work or to lie in.
fn is_way_of_another_kind(street: &str) -> bool {
    const OTHERS: [&str; 17] = [
        "atemweg",
        "luftweg",
        "harnweg",
        "gallenweg",
        "umweg",
        "heimweg",
        "rückweg",
        "ausweg",
        "infektionsweg",
        "zugangsweg",
        "applikationsweg",
        "arbeitsweg",
        "arbeitsplatz",
        "bettplatz",
        "stellplatz",
        "sitzplatz",
        "parkplatz",
    ];
    let street = street.to_lowercase();
    OTHERS.iter().any(|other| street.contains(other))
}

/// `02139-4307`, and a ZIP code behind the abbreviation of its state: `MA 02139`.
pub(super) fn zip_codes(cell: &str) -> Vec<Range<usize>> {
    static CODE: Pattern =
        Pattern::new(|| pattern(r"[0-9]{5}-[0-9]{4}|(?P<state>[A-Z]{2}),? [0-9]{5}(?:-[0-9]{4})?"));
    // Five digits before a stroke or behind letters.
    if !has_digits_together(cell, 5) || !(cell.contains('-') || has_word_and_digit(cell)) {
        return Vec::new();
    }
    let found = CODE.captures_iter(cell).filter_map(|captures| {
        let place = captures.get(0)?.range();
        let is_of_a_state = captures
            .name("state")
            .is_none_or(|state| place::is_state_or_larger(state.as_str()));
        (is_of_a_state && stands_alone(cell, &place, "-./")).then_some(place)
    });
    found.collect()
}

/// Latitude and longitude: `48.137, 11.575`, `48.137° N 11.575° E`, `48°08'13"N 11°34'31"E`, `POINT(11.575 48.137)`.
pub(super) fn coordinates(cell: &str) -> Vec<Range<usize>> {
    static DECIMALS: Pattern = Pattern::new(|| {
        pattern(
            r"[-+]?[0-9]{1,3}\.[0-9]{3,}°?(?: ?[NS])?(?:[,;/] ?| )[-+]?[0-9]{1,3}\.[0-9]{3,}(?:°?(?: ?[EWO](?-u:\b))|°)?",
        )
    });
    static DEGREES: Pattern = Pattern::new(|| {
        let angle = r#"[0-9]{1,3}°(?: ?[0-9]{1,2}(?:\.[0-9]+)?['′’]{1,2})?(?: ?[0-9]{1,2}(?:\.[0-9]+)?(?:["”″]|['′’]{2}))? ?"#;
        pattern(&format!("{angle}[NS][,;/]? ?{angle}[EWO]"))
    });
    if cell.matches('.').nth(1).is_none() && !cell.contains('°') {
        return Vec::new();
    }
    let is_pair =
        |place: &Range<usize>| is_pair(&cell[place.clone()], place.len() == cell.trim().len());
    let mut found: Vec<_> = places(&DECIMALS, cell)
        .filter(|place| is_pair(place) && stands_alone(cell, place, "-.,"))
        .collect();
    if cell.contains('°') {
        found.extend(places(&DEGREES, cell).filter(|place| stands_alone(cell, place, "")));
    }
    found
}

/// Numbers on the globe. Two that are below ten are hardly ever a place on land, and often an interval of a ratio or of densities;
/// with a blank alone between them two numbers of a text are a row of values, and a whole cell is a place.
fn is_pair(text: &str, is_whole: bool) -> bool {
    let numbers = text
        .split(|character: char| !(character.is_ascii_digit() || "+-.".contains(character)))
        .filter_map(|number| number.parse::<f64>().ok());
    let numbers: Vec<f64> = numbers.map(f64::abs).collect();
    let [one, other] = numbers[..] else {
        return false;
    };
    let is_parted = text.contains([',', ';', '/', '°']);
    let is_on_globe = one.max(other) <= 180.0 && one.min(other) <= 90.0;
    is_on_globe && one.max(other) >= 10.0 && (is_whole || is_parted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(find: fn(&str) -> Vec<Range<usize>>, cell: &str) -> Vec<&str> {
        find(cell).into_iter().map(|place| &cell[place]).collect()
    }

    #[test]
    fn streets_are_found_where_they_stand() {
        for street in [
            "12 Main Street",
            "12 main street",
            "12 MAIN STREET",
            "221B Baker Street",
            "1600 Pennsylvania Ave",
            "350 Fifth Avenue",
            "20 W 34th Street",
            "7 Old Mill Rd.",
            "Hauptstr. 5",
            "Hauptstraße 12a",
            "Berliner Straße 12",
            "Am Lindenweg 3",
            "12 rue de la Paix",
            "12 bis, rue de l'Église",
            "3 avenue Victor Hugo",
            "4 place de la Concorde",
            "PO Box 17",
            "P.O. Box 1234",
            "Postfach 1234",
        ] {
            assert_eq!(found(streets, street), [street]);
            let text = format!("lives at {street}, alone");
            assert_eq!(found(streets, &text), [street]);
        }
        for street in ["12 Elm St", "12 Elm St.", "5 N Oak Dr", "9 Court Pl"] {
            assert_eq!(found(streets, street), [street]);
        }
        assert_eq!(found(streets, "12 Elm St, Omaha"), ["12 Elm St,"]);
    }

    #[test]
    fn other_words_behind_numbers_are_no_streets() {
        for other in [
            "5 mg",
            "Stage 3",
            "3 Chest CT",
            "2 MM ST DEPRESSION",
            "5 minute drive",
            "2 miles down the road",
            "3 patients seen by Dr. Smith",
            "Grade 2 Left St. Jude valve",
            "3 way stopcock",
            "BP 120/80",
            "Atemweg 2",
            "Arbeitsplatz 3",
            "2 cours de chimiothérapie",
            "4 place in line",
            "12 Lead ECG",
            "Ring 2",
            "Type 2 Diabetes Mellitus",
            "PO 5 mg",
            "Strasse",
        ] {
            assert_eq!(found(streets, other), [""; 0], "{other}");
        }
    }

    #[test]
    fn codes_and_coordinates_are_found_where_they_stand() {
        for code in ["02139-4307", "MA 02139", "MA 02139-4307", "NE, 68198"] {
            assert_eq!(found(zip_codes, code), [code]);
            assert_eq!(found(zip_codes, &format!("of {code}.")), [code]);
        }
        for other in [
            "XY 02139",
            "2160-0",
            "10000-19999",
            "02139",
            "50242-040-62",
            "x02139-4307",
        ] {
            assert_eq!(found(zip_codes, other), [""; 0], "{other}");
        }
        for pair in [
            "48.137, 11.575",
            "48.1374,11.5755",
            "-33.8688; 151.2093",
            "51.5072, -0.1276",
            "48.137° N, 11.575° E",
            "48°08'13\"N 11°34'31\"E",
            "48°08′13″N, 11°34′31″O",
        ] {
            assert_eq!(found(coordinates, pair), [pair]);
            assert_eq!(found(coordinates, &format!("at ({pair})")), [pair]);
        }
        assert_eq!(found(coordinates, "48.137 11.575"), ["48.137 11.575"]);
        for other in [
            "1.5 - 2.0",
            "1.025, 1.030",
            "7.35, 7.45",
            "0.045 12.001 0.5",
            "values 12.345 13.456",
            "200.123, 11.575",
            "95.123, 97.456",
            "2.16.840.1.113883",
            "45° E",
            "37.5°",
            "10.25, 11.50",
        ] {
            assert_eq!(found(coordinates, other), [""; 0], "{other}");
        }
    }

    proptest! {
        #[test]
        fn places_lie_on_borders_of_characters(text in "(12|02139-4307|MA |48\\.137|, |11\\.575|°|N|Main |Street|Hauptstr\\. |rue |de la |Paix|é|\\PC){0,12}") {
            for find in [streets, zip_codes, coordinates] {
                for place in find(&text) {
                    prop_assert!(text.get(place).is_some_and(|found| !found.is_empty()));
                }
            }
        }
    }
}
