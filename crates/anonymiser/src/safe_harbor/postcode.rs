//! ZIP codes, and what may be left of them.

/// Initial digits of a ZIP code that 20,000 people or fewer share, which become `000`: by the census of 2000, as listed in
/// HHS, Guidance Regarding Methods for De-identification of Protected Health Information (26 November 2012), question 3.1
/// of its part on Safe Harbor, "the 17 restricted ZIP codes".
pub const RESTRICTED_PREFIXES: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878",
    "879", "884", "890", "893",
];
/// What the end of a code is covered with.
const MASKS: [char; 4] = ['*', 'x', 'X', '#'];
/// What is put in their place.
pub(crate) const RESTRICTED: &str = "000";

/// The digits of a ZIP code or of a part of one, without a mask behind them: `02139-4307`, `021**`, `2139.0`.
fn code(cell: &str) -> String {
    let cell = cell.trim();
    let cell = cell.strip_suffix(".0").unwrap_or(cell);
    let code = cell.trim_end_matches(MASKS);
    code.chars()
        .filter(|character| !" -".contains(*character))
        .collect()
}

/// Whether a cell of a column of postcodes says more than the first three digits of a ZIP code, or three that few people
/// share. Postcodes with letters are of other countries, of which no census is at hand: these are too fine.
pub(crate) fn is_too_fine(cell: &str) -> bool {
    if covers_whole_prefixes(cell) {
        return false;
    }
    let code = code(cell);
    let has_digit = code.bytes().any(|byte| byte.is_ascii_digit());
    let is_digits = code.bytes().all(|byte| byte.is_ascii_digit());
    has_digit && (!is_digits || code.len() > 3 || RESTRICTED_PREFIXES.contains(&code.as_str()))
}

/// `02100-02199`: all codes that begin with three digits, which are none of the restricted ones alone.
fn covers_whole_prefixes(cell: &str) -> bool {
    let bounds = cell.trim().trim_matches(['[', ']']).split_once('-');
    let Some((from, to)) = bounds.map(|(from, to)| (from.trim(), to.trim())) else {
        return false;
    };
    let is_code = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_code(from)
        && is_code(to)
        && from.ends_with("00")
        && to.ends_with("99")
        && (from[..3] < to[..3]
            || (from[..3] == to[..3] && !RESTRICTED_PREFIXES.contains(&&from[..3])))
}

/// `02139-4307`, whatever the column is called.
pub(crate) fn is_zip_plus_four(cell: &str) -> bool {
    let parts = cell.trim().split_once('-');
    parts.is_some_and(|(code, more)| is_digits(code, 5) && is_digits(more, 4))
}

/// `02139`, which may be any other number.
pub(crate) fn is_zip(cell: &str) -> bool {
    is_digits(cell.trim(), 5)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What Safe Harbor leaves of one that is too fine: the first three digits, or `000`. A code that lost its zeros in front gets
/// them back first: `2139` is `02139`.
pub(crate) fn coarsened(cell: &str) -> String {
    let code = code(cell);
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return RESTRICTED.to_owned();
    }
    let is_cut = cell.trim().ends_with(MASKS);
    let full = match code.len() {
        _ if is_cut => code,
        4 | 5 => format!("{code:0>5}"),
        6..=9 => format!("{code:0>9}"),
        _ => code,
    };
    match full.get(..3) {
        Some(prefix) if !RESTRICTED_PREFIXES.contains(&prefix) => prefix.to_owned(),
        _ => RESTRICTED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_left_and_of_small_places_none() {
        for (code, left) in [
            ("02139", "021"),
            ("02139-4307", "021"),
            ("2139", "021"),
            ("2139.0", "021"),
            ("693391143", "693"),
            ("03601", "000"),
            ("89301-0001", "000"),
            ("036", "000"),
            ("SW1A 1AA", "000"),
            ("0213*", "021"),
        ] {
            assert!(is_too_fine(code), "{code}");
            assert_eq!(coarsened(code), left, "{code}");
            assert!(!is_too_fine(&coarsened(code)));
        }
        for coarse in [
            "021",
            "021**",
            "021xx",
            "000",
            "*",
            "",
            "?",
            "unknown",
            "02100-02199",
            "[02000-02999]",
            "0",
        ] {
            assert!(!is_too_fine(coarse), "{coarse}");
        }
        assert!(is_too_fine("02100-02149") && is_too_fine("03600-03699"));
        assert!(is_zip_plus_four("02139-4307") && !is_zip_plus_four("02139"));
    }

    /// Written down a second time, as the guidance lists them.
    #[test]
    fn the_restricted_ones_are_those_of_the_guidance() {
        let listed = "036 692 878 059 790 879 063 821 884 102 823 890 203 830 893 556 831";
        let mut listed: Vec<&str> = listed.split(' ').collect();
        listed.sort_unstable();
        assert_eq!(listed, RESTRICTED_PREFIXES);
    }
}
