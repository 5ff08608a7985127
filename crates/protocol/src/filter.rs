//! Which rows a request wants: the `filter` text of a [`Selection`](crate::typed::Selection).
//!
//! Empty: all rows. Otherwise a JSON object (RFC 8259) from column to the values that are wanted there; a row is
//! wanted when every named column has one of its values: `{"sex":["F"],"age":["20-39","40-59"]}`.

use std::collections::{BTreeMap, BTreeSet};

/// At most so many bytes of filter.
pub const MAX_FILTER_BYTES: usize = 64 * 1024;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// Column → wanted values.
    pub wanted: BTreeMap<String, BTreeSet<String>>,
}

/// Why a text is no filter.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// Not an object of arrays of strings.
    #[error(
        "the filter is no JSON object of columns and wanted values, such as {{\"sex\":[\"F\"]}}: {0}"
    )]
    Malformed(String),
    /// A column without values selects nothing.
    #[error(
        "the filter names no value for column `{0}`; leave the column out to have all its rows"
    )]
    NoValues(String),
    /// Too long.
    #[error("the filter has {0} bytes; at most {MAX_FILTER_BYTES} are taken")]
    TooLong(usize),
}

impl std::str::FromStr for Filter {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(FilterError::TooLong(text.len()));
        }
        if text.is_empty() {
            return Ok(Self::default());
        }
        let wanted: BTreeMap<String, BTreeSet<String>> = serde_json::from_str(text)
            .map_err(|error| FilterError::Malformed(error.to_string()))?;
        match wanted.iter().find(|(_, values)| values.is_empty()) {
            Some((column, _)) => Err(FilterError::NoValues(column.clone())),
            None => Ok(Self { wanted }),
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_string(&self.wanted).expect("maps of strings are JSON");
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn filters_survive_their_text() {
        let filter: Filter = r#"{"sex":["F"],"age":["20-39","40-59"]}"#.parse().unwrap();
        assert_eq!(filter.wanted["age"].len(), 2);
        assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        assert_eq!("".parse::<Filter>().unwrap(), Filter::default());
        assert_eq!(Filter::default().to_string(), "");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["sex = F", "[]", r#"{"sex":"F"}"#, r#"{"sex":[1]}"#, "null"] {
            assert!(
                matches!(text.parse::<Filter>(), Err(FilterError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(
            r#"{"sex":[]}"#.parse::<Filter>(),
            Err(FilterError::NoValues(_))
        ));
        let long = " ".repeat(MAX_FILTER_BYTES + 1);
        assert!(matches!(
            long.parse::<Filter>(),
            Err(FilterError::TooLong(_))
        ));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Filter>();
        }
    }
}
