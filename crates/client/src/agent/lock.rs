//! Why open data was closed, in sentences that say what can be done.

use std::fmt;
use std::path::PathBuf;

use medshare_protocol::usage::{Action, State};
use serde::{Deserialize, Serialize};

/// The reason. Whatever it is, the plaintext has been wiped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "lock", content = "detail")]
pub enum Lock {
    /// An action was tried that the usage contract does not permit.
    Violation(Action),
    /// The same, and the node does not have its report yet.
    Untold(Action),
    /// Access was taken away.
    Revoked,
    /// The owner took the data back.
    Retrieved,
    /// The time of the package is over.
    Expired,
    /// The chain does not know the package.
    Unknown,
    /// The lease ended without a renewal.
    LeaseEnded,
    /// The node refused a report or a renewal.
    Refused(String),
    /// The package does not hold what was validated.
    Damaged(String),
    /// The data was deleted, as was permitted.
    Deleted,
    /// The data was moved, as was permitted.
    Moved(PathBuf),
    /// Closed by its user.
    Closed,
}

impl Lock {
    /// For a state that is not usable.
    #[must_use]
    pub const fn of_state(state: State) -> Self {
        match state {
            State::Retrieved => Self::Retrieved,
            State::Expired => Self::Expired,
            State::None => Self::Unknown,
            State::Issued | State::Active | State::Revoked => Self::Revoked,
        }
    }

    /// Whether the user ended it, and nothing is wrong.
    #[must_use]
    pub const fn is_peaceful(&self) -> bool {
        matches!(self, Self::Deleted | Self::Moved(_) | Self::Closed)
    }
}

impl std::error::Error for Lock {}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(action) => write!(
                f,
                "`{action}` is not permitted by the usage contract: access is revoked pending the custodian's review, and the data was wiped from memory; ask the custodian to grant access again, then open the package anew"
            ),
            Self::Untold(action) => write!(
                f,
                "`{action}` is not permitted by the usage contract: the data is closed here and was wiped from memory; the report of the violation has not reached the node yet, is stored on this machine and goes out with the next contact, and access is revoked then: open the package again when the node can be reached, then ask the custodian to grant access again"
            ),
            Self::Revoked => f.write_str(
                "access to the package is revoked pending the custodian's review, and the data was wiped from memory; ask the custodian to grant access again, then open the package anew",
            ),
            Self::Retrieved => f.write_str(
                "the custodian took the data back, which is final; send a new request if you still need it",
            ),
            Self::Expired => f.write_str(
                "the time of the package is over, which is final; send a new request if you still need the data",
            ),
            Self::Unknown => f.write_str(
                "the chain does not know the package; check the RPC address and the contract of your profile",
            ),
            Self::LeaseEnded => f.write_str(
                "the lease ended before it could be renewed, and the data was wiped from memory; check the connection to the node, then open the package anew",
            ),
            Self::Refused(reason) => write!(
                f,
                "the node refused to renew the lease ({reason}), and the data was wiped from memory; open the package anew or ask the custodian"
            ),
            Self::Damaged(reason) => write!(
                f,
                "{reason}; the data was wiped from memory: download the package again, and ask the custodian if that does not help"
            ),
            Self::Deleted => f.write_str("the data was deleted"),
            Self::Moved(to) => write!(f, "the data was moved to {}", to.display()),
            Self::Closed => f.write_str("the data is closed; open the package to use it"),
        }
    }
}
