//! Which node, which chain, which contract.

use std::path::Path;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::PurseError;

/// What commands need to know besides the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Address of the custodian's node, such as `http://127.0.0.1:8080`.
    pub node: String,
    /// Address of an RPC endpoint of the chain.
    pub rpc: String,
    /// The contract.
    pub contract: Address,
}

impl Profile {
    pub(super) fn read(path: &Path) -> Result<Self, PurseError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PurseError::NoProfile(path.to_owned()));
            }
            Err(error) => {
                return Err(PurseError::Disk {
                    path: path.to_owned(),
                    error,
                });
            }
        };
        toml::from_str(&text).map_err(|error| {
            let reason = error.to_string().trim().replace('\n', " ");
            PurseError::BadProfile {
                path: path.to_owned(),
                reason,
            }
        })
    }

    pub(super) fn to_text(&self) -> String {
        toml::to_string(self).expect("three strings are TOML")
    }
}
