//! Why a stage does not go on: one sentence for the person at the terminal.

use std::fmt;

/// The sentence.
#[derive(Debug)]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was tried when it fails.
pub(super) trait OrRefuse<T> {
    fn or_refuse(self, what: impl fmt::Display) -> Result<T, Refusal>;
}

impl<T, E: fmt::Display> OrRefuse<T> for Result<T, E> {
    fn or_refuse(self, what: impl fmt::Display) -> Result<T, Refusal> {
        self.map_err(|error| Refusal(format!("{what}: {error}")))
    }
}
