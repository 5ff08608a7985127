//! For whom a node vouches: to register a requestor on chain is to vouch for it (P1).

use std::collections::BTreeSet;

use alloy_primitives::B256;

/// At most so many credentials are listed.
pub const MAX_VOUCHED_CREDENTIALS: usize = 10_000;

/// Whose registrations a node relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// Of everybody whose signature holds: for development and demonstrations.
    Anyone,
    /// Of those with one of these credential hashes.
    Credentials(BTreeSet<B256>),
}

impl Default for Vouching {
    /// Nobody new: a custodian says for whom it answers.
    fn default() -> Self {
        Self::Credentials(BTreeSet::new())
    }
}

impl Vouching {
    /// Whether a requestor with this credential may be registered.
    #[must_use]
    pub fn covers(&self, credential: B256) -> bool {
        match self {
            Self::Anyone => true,
            Self::Credentials(credentials) => credentials.contains(&credential),
        }
    }

    /// Reads the value of the key `vouch-for`.
    ///
    /// # Errors
    /// What is wrong with it, and what it should be.
    pub fn read(value: &toml::Value) -> Result<Self, String> {
        if value.as_str() == Some("anyone") {
            return Ok(Self::Anyone);
        }
        let Some(list) = value.as_array() else {
            return Err(
                "it is \"anyone\" or a list of credential hashes, such as [\"0x…\"]".into(),
            );
        };
        if list.len() > MAX_VOUCHED_CREDENTIALS {
            return Err(format!(
                "it has {} credentials; at most {MAX_VOUCHED_CREDENTIALS} are taken",
                list.len()
            ));
        }
        let read = |item: &toml::Value| {
            let hash = item.as_str().and_then(|text| text.parse::<B256>().ok());
            hash.ok_or_else(|| {
                format!("{item} is no credential hash: 64 hexadecimal digits behind 0x")
            })
        };
        list.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self::Credentials)
    }
}
