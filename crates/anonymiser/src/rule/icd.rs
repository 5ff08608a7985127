//! Diagnoses by the International Classification of Diseases: the code, its category, its block and its chapter.

use super::icd10_blocks::CHAPTERS;

/// Categories that only the US modification (ICD-10-CM) has, which does not end them in a digit, and the category of the WHO's
/// beside which they stand.
const US_CATEGORIES: [(&str, &str); 9] = [
    ("C4A", "C43"),
    ("C7A", "C76"),
    ("C7B", "C76"),
    ("D3A", "D36"),
    ("I1A", "I10"),
    ("J4A", "J44"),
    ("M1A", "M10"),
    ("O9A", "O99"),
    ("Z3A", "Z39"),
];

/// Characters behind the category, in any national modification.
const ICD10_DETAIL: usize = 4;
/// Marks of an aetiology (dagger), a manifestation (asterisk) and of an additional code.
const MARKS: [char; 4] = ['+', '*', '†', '!'];

/// Category, block and chapter of a code, with or without its point: `E11.9`, `E119`, `e11`, `G63.2*`.
pub(super) fn icd10(code: &str) -> Option<Vec<String>> {
    let code = code.strip_suffix(MARKS).unwrap_or(code);
    let code = code.to_ascii_uppercase();
    let (category, detail) = code.split_at_checked(3)?;
    let detail = detail.strip_prefix('.').unwrap_or(detail);
    let is_detail = detail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let ends_in_point = code.len() == 4 && code.ends_with('.');
    if detail.len() > ICD10_DETAIL || !is_detail || ends_in_point || !is_category(category) {
        return None;
    }
    let beside = US_CATEGORIES.iter().find(|(own, _)| *own == category);
    let placed = beside.map_or(category, |(_, who)| who);
    let (chapter, blocks) = CHAPTERS
        .iter()
        .find(|(chapter, _)| holds(chapter, placed))?;
    let block = blocks.iter().find(|block| holds(block, placed))?;
    Some([category, block, chapter].map(str::to_owned).into())
}

fn is_category(text: &str) -> bool {
    let [letter, tens, ones] = text.as_bytes() else {
        return false;
    };
    let is_us = || US_CATEGORIES.iter().any(|(own, _)| *own == text);
    letter.is_ascii_uppercase() && tens.is_ascii_digit() && (ones.is_ascii_digit() || is_us())
}

/// Whether a category lies in a range such as `A00-A09`.
fn holds(range: &str, category: &str) -> bool {
    let (first, last) = range
        .split_once('-')
        .expect("a range has a first and a last");
    (first..=last).contains(&category)
}

/// Chapters of ICD-9-CM (National Center for Health Statistics, 1979 to 2015): numbers, and the supplements of external causes and of
/// other contacts with health services.
const ICD9_CHAPTERS: [&str; 19] = [
    "001-139",
    "140-239",
    "240-279",
    "280-289",
    "290-319",
    "320-389",
    "390-459",
    "460-519",
    "520-579",
    "580-629",
    "630-679",
    "680-709",
    "710-739",
    "740-759",
    "760-779",
    "780-799",
    "800-999",
    "E000-E999",
    "V01-V91",
];

/// Category and chapter of a code: `250.83`, `V57.1`, `E909`; also of one that lost its zeros in a spreadsheet, `8` for `008`.
pub(super) fn icd9(code: &str) -> Option<Vec<String>> {
    let code = code.to_ascii_uppercase();
    let (category, detail) = match code.split_once('.') {
        Some((category, detail)) => (category, Some(detail)),
        None => (&*code, None),
    };
    let is_of_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_detail = |detail: &str| (1..=2).contains(&detail.len()) && is_of_digits(detail);
    let digits = category.trim_start_matches(['E', 'V']);
    let is_category = is_of_digits(digits)
        && match category.as_bytes().first()? {
            b'E' => category.len() == 4 && digits.len() == 3,
            b'V' => category.len() == 3 && digits.len() == 2,
            _ => (1..=3).contains(&category.len()),
        };
    if !is_category || !detail.is_none_or(is_detail) {
        return None;
    }
    let category = format!("{category:0>3}");
    let of_kind = |chapter: &str| chapter.len() == 2 * category.len() + 1;
    let starts_alike = |chapter: &str| {
        let letter = |text: &str| text.chars().next().filter(char::is_ascii_alphabetic);
        letter(chapter) == letter(&category)
    };
    let chapter = ICD9_CHAPTERS
        .iter()
        .find(|chapter| of_kind(chapter) && starts_alike(chapter) && holds(chapter, &category))?;
    let chapter = (*chapter).to_owned();
    Some(vec![category, chapter])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_lie_in_their_blocks_and_chapters() {
        for (code, category, block, chapter) in [
            ("E11.9", "E11", "E10-E14", "E00-E90"),
            ("e119", "E11", "E10-E14", "E00-E90"),
            ("A00", "A00", "A00-A09", "A00-B99"),
            ("C50.9", "C50", "C50-C50", "C00-D48"),
            ("C83.3", "C83", "C81-C96", "C00-D48"),
            ("D48", "D48", "D37-D48", "C00-D48"),
            ("D50.0", "D50", "D50-D53", "D50-D89"),
            ("H59", "H59", "H55-H59", "H00-H59"),
            ("H60", "H60", "H60-H62", "H60-H95"),
            ("G63.2*", "G63", "G60-G64", "G00-G99"),
            ("E10.4†", "E10", "E10-E14", "E00-E90"),
            ("S72.001A", "S72", "S70-S79", "S00-T98"),
            ("S72001A", "S72", "S70-S79", "S00-T98"),
            ("W19", "W19", "W00-W19", "V01-Y98"),
            ("X60", "X60", "X60-X84", "V01-Y98"),
            ("Z51.1", "Z51", "Z40-Z54", "Z00-Z99"),
            ("U07.1", "U07", "U00-U49", "U00-U99"),
            ("M1A.0", "M1A", "M05-M14", "M00-M99"),
        ] {
            assert_eq!(icd10(code).unwrap(), [category, block, chapter], "{code}");
        }
        for bad in [
            "",
            "E",
            "E1",
            "A29",
            "A0A",
            "11E",
            "E11.",
            "E11.99999",
            "E11.9 ",
            "250.83",
            "É11",
            "E11é",
            "E11..9",
            "R99X99XX",
        ] {
            assert_eq!(icd10(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_blocks_are_in_order_and_within_their_chapters() {
        let ends = |range: &'static str| range.split_once('-').unwrap();
        let mut count = 0;
        for (chapter, blocks) in CHAPTERS {
            let mut before = "";
            let (first, last) = ends(chapter);
            assert_eq!(ends(blocks[0]).0, first);
            for block in blocks {
                let (low, high) = ends(block);
                assert!(before < low && low <= high && high <= last, "{block}");
                before = high;
                count += 1;
            }
        }
        assert_eq!(count, 263);
        for (_, beside) in US_CATEGORIES {
            assert!(icd10(beside).is_some(), "{beside}");
        }
    }

    #[test]
    fn codes_of_the_ninth_revision() {
        for (code, category, chapter) in [
            ("250.83", "250", "240-279"),
            ("8", "008", "001-139"),
            ("41.4", "041", "001-139"),
            ("v57", "V57", "V01-V91"),
            ("E909.1", "E909", "E000-E999"),
            ("999", "999", "800-999"),
            ("428", "428", "390-459"),
        ] {
            assert_eq!(icd9(code).unwrap(), [category, chapter], "{code}");
        }
        for bad in [
            "", "?", "0", "1000", "V", "V1", "V100", "V92", "E90", "E", "EV1", "250.", "250.831",
            "25O", "2.5.0", "-1", "é",
        ] {
            assert_eq!(icd9(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_all_levels_or_none(text in "[A-Za-z]?[0-9]{0,4}[.]?[0-9A-Z*]{0,5}|\\PC{0,6}") {
            if let Some(labels) = icd10(&text) {
                prop_assert!(labels.len() == 3 && text.to_ascii_uppercase().starts_with(&labels[0]));
            }
            if let Some(labels) = icd9(&text) {
                prop_assert_eq!(labels.len(), 2);
            }
        }
    }
}
