//! Byte ranges (RFC 9110, section 14), so that a broken download goes on where it was (P16).

use std::ops::Range;

/// What a client wants of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: no range, one that is not understood, or several; a server may ignore those.
    Whole,
    /// These bytes; never empty.
    Part(Range<u64>),
    /// Bytes behind the end.
    NotSatisfiable,
}

/// Reads the header `Range` for a file of `length` bytes.
pub(super) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-') else {
        return Wanted::Whole;
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(Some(last))) if first > last => Wanted::Whole,
        (Some(Some(first)), Some(last)) => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            if first < length {
                Wanted::Part(first..end)
            } else {
                Wanted::NotSatisfiable
            }
        }
        (Some(None), Some(Some(suffix))) => match suffix.min(length) {
            0 => Wanted::NotSatisfiable,
            suffix => Wanted::Part(length - suffix..length),
        },
        _ => Wanted::Whole,
    }
}

/// Nothing: not a number. `Some(None)`: left out.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More digits than fit: certainly behind the end.
    Some(Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (header, expected) in [
            ("bytes=0-499", Wanted::Part(0..500)),
            ("bytes=500-999", Wanted::Part(500..1000)),
            ("bytes=-500", Wanted::Part(500..1000)),
            ("bytes=9500-", Wanted::NotSatisfiable),
            ("bytes=999-", Wanted::Part(999..1000)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=-1", Wanted::Part(999..1000)),
            ("bytes=-5000", Wanted::Part(0..1000)),
            ("bytes=0-5000", Wanted::Part(0..1000)),
            ("bytes=1000-", Wanted::NotSatisfiable),
            ("bytes=-0", Wanted::NotSatisfiable),
            ("bytes=5-99999999999999999999999", Wanted::Part(5..1000)),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(header), 1000), expected, "{header}");
        }
        assert_eq!(wanted(None, 1000), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::NotSatisfiable);
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_behind_the_end(header: String, first: u64, last: u64, length: u64) {
            for header in [header, format!("bytes={first}-{last}"), format!("bytes=-{last}")] {
                if let Wanted::Part(part) = wanted(Some(&header), length) {
                    prop_assert!(part.start < part.end && part.end <= length);
                }
            }
        }
    }
}
