//! Ages over 89, and what becomes of them.

/// The category that they may be put into.
pub(crate) const OLDEST: &str = "90+";
/// Nobody is older: a class that ends there has no end.
const NOBODY_IS_OLDER: f64 = 120.0;

/// What a cell of a column of ages says: from, and up to.
struct Span {
    from: f64,
    to: f64,
}

/// Whether a cell tells an age over 89, rather than one category of 90 or older: `93`, `[90-100)`, `95+` do, and `90+`,
/// `>89` and `80-95` do not.
pub(crate) fn is_told_over_89(cell: &str) -> bool {
    let Some(Span { from, to }) = span(cell) else {
        return false;
    };
    from > 90.0 || (from == 90.0 && to < NOBODY_IS_OLDER)
}

/// Whether a cell tells no number that nobody is old, such as a year of the calendar.
pub(crate) fn may_be_one(cell: &str) -> bool {
    span(cell).is_none_or(|span| span.from <= NOBODY_IS_OLDER)
}

fn span(cell: &str) -> Option<Span> {
    let is_number =
        |character: char| character.is_ascii_digit() || character == '.' || character == '*';
    let mut numbers = cell
        .split(|character: char| !is_number(character))
        .filter(|number| number.starts_with(|first: char| first.is_ascii_digit()));
    let bound = |number: &str, digit: &str| {
        number
            .trim_end_matches('.')
            .replace('*', digit)
            .parse::<f64>()
            .ok()
    };
    let first = numbers.next()?;
    let from = bound(first, "0")?;
    let to = match numbers.next() {
        Some(second) => bound(second, "9")?,
        None => bound(first, "9")?,
    };
    let lower = cell.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["<", "≤", "under", "below", "younger", "up to"]) {
        return Some(Span { from: 0.0, to });
    }
    let is_strict = says(&[">", "over", "above", "more"]) && !says(&[">="]);
    if is_strict || says(&["+", "≥", ">=", "older", "and up", "plus"]) {
        let next = if is_strict && !says(&["or older"]) {
            from.floor() + 1.0
        } else {
            from
        };
        return Some(Span {
            from: next,
            to: f64::INFINITY,
        });
    }
    Some(Span { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_category_of_90_or_older_is_allowed() {
        for allowed in [
            "",
            "*",
            "89",
            "89.9",
            "90+",
            "≥90",
            ">=90",
            ">89",
            "over 89",
            "90 or older",
            "80-95",
            "[80-90)",
            "80+",
            "<95",
            "90-120",
            "8*",
            "?",
            "unknown",
            "≤ 100",
        ] {
            assert!(!is_told_over_89(allowed), "{allowed}");
        }
        for told in [
            "90",
            "93",
            "93.5",
            "103 years",
            "[90-100)",
            "90-94",
            "95+",
            ">90",
            ">94",
            "9*",
            "1**",
            "91-120",
        ] {
            assert!(is_told_over_89(told), "{told}");
        }
        assert!(may_be_one("95") && may_be_one("") && may_be_one("?") && !may_be_one("1995"));
    }
}
