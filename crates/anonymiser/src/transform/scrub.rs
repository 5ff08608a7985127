//! Free text: what detectors find in it is taken out.
//!
//! Names of persons and places are *not* found: no detector knows them; those of the record's own person are taken out by
//! [`own_words`](super::own_words). A column of free text is therefore dropped from a release,
//! unless the plan says that it may be released scrubbed.

use crate::detector::spans;

/// How often a text is scrubbed: taking something out may bring together what then looks like an identifier.
const MAX_PASSES: usize = 4;
/// What is left of a text that does not come clean.
const REMOVED: &str = "[removed]";
/// What stands for some of what is found; for all else, what it is stands in brackets.
const SHORT: [(&str, &str); 7] = [
    ("e-mail address", "email"),
    ("web address", "url"),
    ("IP address", "ip"),
    ("social security number", "ssn"),
    ("telephone number", "phone"),
    ("full date", "date"),
    ("date finer than a year", "date"),
];

/// Whether a detector finds an identifier in a text.
pub(crate) fn is_clean(cell: &str) -> bool {
    spans(cell).is_empty()
}

/// The text with `[email]`, `[phone]`, `[date]` and the like for what is found, until nothing is; `None` when nothing is at once.
pub(crate) fn scrubbed(cell: &str) -> Option<String> {
    let mut text = scrubbed_once(cell)?;
    for _ in 1..MAX_PASSES {
        match scrubbed_once(&text) {
            Some(cleaner) => text = cleaner,
            None => return Some(text),
        }
    }
    Some(if is_clean(&text) {
        text
    } else {
        REMOVED.to_owned()
    })
}

fn scrubbed_once(cell: &str) -> Option<String> {
    let spans = spans(cell);
    let mut text = String::with_capacity(cell.len());
    let mut end = 0;
    for (place, what) in &spans {
        let short = SHORT.iter().find(|(long, _)| long == what);
        text.push_str(&cell[end..place.start]);
        text.push('[');
        text.push_str(short.map_or(what, |(_, short)| short));
        text.push(']');
        end = place.end;
    }
    text.push_str(&cell[end..]);
    (!spans.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_found_is_taken_out_and_all_else_stays() {
        let letter = "Ada, seen 2020-03-02: write to <ada@clinic.example> or call (212) 555-0123.\nSSN 078-05-1120";
        assert_eq!(
            scrubbed(letter).as_deref(),
            Some("Ada, seen [date]: write to <[email]> or call [phone].\nSSN [ssn]")
        );
        assert_eq!(scrubbed("metformin 500 mg, E11.9"), None);
        assert_eq!(scrubbed(""), None);
    }

    #[test]
    fn what_stands_for_an_identifier_is_none() {
        for (long, short) in SHORT {
            assert!(is_clean(&format!("[{long}] [{short}]")), "{long}");
        }
        assert!(is_clean(REMOVED));
    }

    proptest! {
        #[test]
        fn nothing_is_found_in_a_scrubbed_text(text in "([a-zé@.:/ +()-]|[0-9]{1,4}|www\\.|078-05-1120|a@b\\.cc|2020-01-02|10\\.0\\.0\\.7){0,20}|\\PC{0,60}") {
            match scrubbed(&text) {
                Some(clean) => prop_assert!(is_clean(&clean) && !is_clean(&text)),
                None => prop_assert!(is_clean(&text)),
            }
        }
    }
}
