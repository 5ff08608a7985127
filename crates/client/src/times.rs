//! Times for people and for other standards.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// ms since the Unix epoch as RFC 3339 in UTC; of what is no time of a calendar, the number.
#[must_use]
pub fn rfc3339(ms: u64) -> String {
    let nanoseconds = i128::from(ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_written_as_the_rfc_says() {
        assert_eq!(
            super::rfc3339(1_700_000_000_123),
            "2023-11-14T22:13:20.123Z"
        );
        assert_eq!(super::rfc3339(u64::MAX), format!("{} ms", u64::MAX));
    }
}
