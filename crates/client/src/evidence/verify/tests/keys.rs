//! Who signs. The nodes are those of the committed bundle, for its proofs tell whose they were: their keys are published,
//! as all of a chain for development are.

use alloy_primitives::{Address, B256, b256};
use alloy_signer_local::PrivateKeySigner;

const NODE: B256 = b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");
const SECOND: B256 = b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a");
const WALLET: B256 = B256::repeat_byte(0x11);
const SESSION: B256 = B256::repeat_byte(0x12);
const STRANGER: B256 = B256::repeat_byte(0x13);

fn key(secret: B256) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&secret).unwrap()
}

/// The custodian's node.
pub(super) fn node() -> PrivateKeySigner {
    key(NODE)
}

/// The second node.
pub(super) fn second() -> PrivateKeySigner {
    key(SECOND)
}

/// The requestor.
pub(super) fn wallet() -> PrivateKeySigner {
    key(WALLET)
}

/// What the requestor delegates to.
pub(super) fn session() -> PrivateKeySigner {
    key(SESSION)
}

/// Nobody who has to do with the package.
pub(super) fn stranger() -> PrivateKeySigner {
    key(STRANGER)
}

/// The key of an account: a block is signed by whom it names.
pub(super) fn of(account: Address) -> PrivateKeySigner {
    let all = [node(), second(), wallet(), session(), stranger()];
    let mut all = all.into_iter();
    all.find(|key| key.address() == account).unwrap()
}
