//! What a pool means when it does not take a transaction.

use crate::ChainError;

/// What the pool meant. The texts are those of geth, reth, Besu and anvil; there are no codes for them.
pub(super) enum Refusal {
    KnownAlready,
    Overtaken,
    Unanswered,
    Final,
}

impl Refusal {
    pub(super) fn of(error: &ChainError) -> Self {
        if error.is_transient() {
            return Self::Unanswered;
        }
        let ChainError::Rpc { message, .. } = error else {
            return Self::Final;
        };
        let message = message.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if says(&["already known", "already imported", "known transaction"]) {
            Self::KnownAlready
        } else if says(&["nonce too low", "underpriced", "base fee", "nonce_too_low"]) {
            Self::Overtaken
        } else {
            Self::Final
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> ChainError {
        ChainError::Rpc {
            endpoint: "http://localhost".into(),
            method: "eth_sendRawTransaction",
            code: -32003,
            message: message.into(),
        }
    }

    #[test]
    fn the_pools_refusals_are_told_apart() {
        assert!(matches!(
            Refusal::of(&refused("transaction already imported")),
            Refusal::KnownAlready
        ));
        for overtaken in [
            "nonce too low",
            "replacement transaction underpriced",
            "max fee per gas less than block base fee",
        ] {
            assert!(
                matches!(Refusal::of(&refused(overtaken)), Refusal::Overtaken),
                "{overtaken}"
            );
        }
        assert!(matches!(
            Refusal::of(&refused("invalid sender")),
            Refusal::Final
        ));
        let lost = ChainError::Unreachable {
            endpoint: String::new(),
            reason: String::new(),
        };
        assert!(matches!(Refusal::of(&lost), Refusal::Unanswered));
    }
}
