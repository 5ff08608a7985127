//! What a pool means when it does not take a transaction.

use crate::ChainError;

/// What the pool meant. The texts are those of geth, reth, Besu, anvil and Hardhat; there are no codes for them.
pub(super) enum Refusal {
    KnownAlready,
    Overtaken,
    Unanswered,
    Final,
}

const KNOWN_ALREADY: [&str; 3] = ["already known", "already imported", "known transaction"];
const OVERTAKEN: [&str; 5] = [
    "nonce too low",
    "nonce_too_low",
    "underpriced",
    "base fee",
    "basefeepergas",
];
const NO_FUNDS: [&str; 3] = [
    "insufficient funds",
    "exceeds account balance",
    "enough funds",
];

impl Refusal {
    pub(super) fn of(error: &ChainError) -> Self {
        if error.is_transient() {
            return Self::Unanswered;
        }
        let ChainError::Rpc { message, .. } = error else {
            return Self::Final;
        };
        if says_any(message, &KNOWN_ALREADY) {
            Self::KnownAlready
        } else if says_any(message, &OVERTAKEN) {
            Self::Overtaken
        } else {
            Self::Final
        }
    }
}

/// Whether an endpoint means that the sender cannot pay the gas, in the pool or when it estimates.
pub(super) fn says_no_funds(message: &str) -> bool {
    says_any(message, &NO_FUNDS)
}

fn says_any(message: &str, texts: &[&str]) -> bool {
    let message = message.to_lowercase();
    texts.iter().any(|text| message.contains(text))
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
            "Transaction maxFeePerGas (3) is too low for the next block, which has a baseFeePerGas of 7",
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
