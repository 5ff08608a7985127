//! What a node answers when it does not do what it was asked to. `query` maps each to an HTTP answer.

use medshare_chain::ChainError;
use medshare_protocol::usage::State;

/// Why a node did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There is no such thing here. The text names it.
    #[error("{0}")]
    NotFound(String),
    /// Checked and refused; what was refused is recorded (P2).
    #[error("refused: {reason}")]
    Refused {
        /// Why, in one sentence.
        reason: String,
    },
    /// What was sent is not well formed, or contradicts itself.
    #[error("{0}")]
    BadRequest(String),
    /// Well formed, but not what is due now: a gap in the reports, another session, another state.
    #[error("{0}")]
    Conflict(String),
    /// More waits than the node takes at once.
    #[error("{waiting} requests are waiting, which is as many as this node takes: try again later")]
    TooMany {
        /// How many wait.
        waiting: u64,
    },
    /// The chain cannot be seen. What was recorded goes on when it is back.
    #[error("the chain cannot be reached, so nothing can be decided now: {0}")]
    ChainUnavailable(String),
    /// No key and no lease is given.
    #[error("the package is {state:?}: {reason}")]
    LeaseRefused {
        /// The package's state on chain.
        state: State,
        /// Why, in one sentence.
        reason: String,
    },
    /// The second node examined the work and refused it (P13).
    #[error("the second node refused: {0}")]
    PeerRefused(String),
    /// No second node could be reached.
    #[error("no second node could be reached: {0}")]
    PeerUnavailable(String),
    /// The store cannot be read or written.
    #[error("the node's store failed: {0}")]
    Store(#[from] crate::store::StoreError),
    /// Something that should hold does not.
    #[error("internal fault: {0}")]
    Internal(String),
}

impl NodeError {
    /// The refusal with this reason.
    #[must_use]
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }

    /// Whether the same may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::ChainUnavailable(_) | Self::PeerUnavailable(_) | Self::TooMany { .. }
        )
    }
}

impl From<ChainError> for NodeError {
    fn from(error: ChainError) -> Self {
        if error.is_transient() {
            return Self::ChainUnavailable(error.to_string());
        }
        match error.contract_error() {
            Some(reason) => Self::refused(reason.to_string()),
            None => Self::Internal(error.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for NodeError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(format!("a task ended early: {error}"))
    }
}

impl From<crate::peer::PeerError> for NodeError {
    fn from(error: crate::peer::PeerError) -> Self {
        use crate::peer::PeerError;
        match error {
            PeerError::Refused { reason, .. } => Self::PeerRefused(reason),
            PeerError::NoPeer | PeerError::Unreachable(_) => {
                Self::PeerUnavailable(error.to_string())
            }
            PeerError::Chain(chain) => Self::from(chain),
            PeerError::BlockWithheld(_) => Self::NotFound(error.to_string()),
            PeerError::Envelope(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<crate::secrets::SecretError> for NodeError {
    fn from(error: crate::secrets::SecretError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<medshare_protocol::seal::SealError> for NodeError {
    fn from(error: medshare_protocol::seal::SealError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<alloy_signer::Error> for NodeError {
    fn from(error: alloy_signer::Error) -> Self {
        Self::Internal(format!("the node key could not sign: {error}"))
    }
}
