//! Nsig (SPEC §1.6): whether the node that a body names has signed it.

use std::cell::RefCell;
use std::collections::VecDeque;

use alloy_primitives::{Address, B256, FixedBytes};
use alloy_signer::SignerSync;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, PublicKey, SECP256K1};

/// Bytes of a [`NodeSignature`].
pub(super) const SIGNATURE_BYTES: usize = 64;

/// A node's signature in a body: r ‖ s. The body names its signer, so there is no v.
pub type NodeSignature = FixedBytes<SIGNATURE_BYTES>;

/// How many keys a thread remembers, 84 bytes each. Where more nodes than these write in turn, keys are recovered anew.
const KEYS: usize = 64;
/// The points R that can stand behind one r: of either parity, with r or r + n for x.
const CANDIDATES: [RecoveryId; 4] = [
    RecoveryId::Zero,
    RecoveryId::One,
    RecoveryId::Two,
    RecoveryId::Three,
];

thread_local! {
    /// Accounts and their keys, the latest last. A node signs many blocks, and verification is faster than recovery.
    static KNOWN: RefCell<VecDeque<(Address, PublicKey)>> = const { RefCell::new(VecDeque::new()) };
}

/// Whether the key of `account` has signed `digest`: ECDSA verifies under a public key whose address that is, and s is
/// in the lower half (EIP-2). Which keys are remembered makes no difference to the answer.
#[must_use]
pub fn is_signed_by(account: Address, digest: B256, signature: &NodeSignature) -> bool {
    // Refuses r and s that are not below the order; the verification refuses zeros and an s in the upper half.
    let Ok(ecdsa) = Signature::from_compact(signature.as_slice()) else {
        return false;
    };
    let message = Message::from_digest(digest.0);
    let verifies = |key: &PublicKey| SECP256K1.verify_ecdsa(message, &ecdsa, key).is_ok();
    if known(account).is_some_and(|key| verifies(&key)) {
        return true;
    }
    let key = candidates(message, signature)
        .find(|key| address_of(key) == account)
        .filter(verifies);
    key.inspect(|key| remember(account, *key)).is_some()
}

/// Signs `digest`.
pub(super) fn sign(
    digest: &B256,
    signer: &impl SignerSync,
) -> Result<NodeSignature, alloy_signer::Error> {
    let [signature @ .., _v] = signer.sign_hash_sync(digest)?.as_bytes();
    Ok(NodeSignature::new(signature))
}

/// The keys under which the signature may verify.
fn candidates(message: Message, signature: &NodeSignature) -> impl Iterator<Item = PublicKey> {
    CANDIDATES.into_iter().filter_map(move |id| {
        let recoverable = RecoverableSignature::from_compact(signature.as_slice(), id);
        SECP256K1.recover_ecdsa(message, &recoverable.ok()?).ok()
    })
}

fn address_of(key: &PublicKey) -> Address {
    Address::from_raw_public_key(&key.serialize_uncompressed()[1..])
}

fn known(account: Address) -> Option<PublicKey> {
    KNOWN.with_borrow(|keys| {
        let mut latest_first = keys.iter().rev();
        let found = latest_first.find(|(of, _)| *of == account);
        found.map(|(_, key)| *key)
    })
}

fn remember(account: Address, key: PublicKey) {
    KNOWN.with_borrow_mut(|keys| {
        if keys.len() == KEYS {
            keys.pop_front();
        }
        keys.push_back((account, key));
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_signer_local::PrivateKeySigner;

    const DIGEST: B256 = B256::repeat_byte(9);

    fn wallet(number: usize) -> PrivateKeySigner {
        let secret = B256::left_padding_from(&(number + 1).to_be_bytes());
        PrivateKeySigner::from_bytes(&secret).unwrap()
    }

    #[test]
    fn a_key_that_is_known_and_one_that_is_not_give_one_answer() {
        let (one, other) = (wallet(0), wallet(1));
        let signature = sign(&DIGEST, &one).unwrap();
        for is_known in [false, true] {
            assert_eq!(known(one.address()).is_some(), is_known);
            assert!(is_signed_by(one.address(), DIGEST, &signature));
        }
        assert!(!is_signed_by(one.address(), B256::ZERO, &signature));
        assert!(!is_signed_by(other.address(), DIGEST, &signature));
        assert_eq!(known(other.address()), None);
        let others = sign(&DIGEST, &other).unwrap();
        assert!(!is_signed_by(one.address(), DIGEST, &others));
    }

    /// Whether an address is known says nothing about whose a signature is: another key may have the same address.
    #[test]
    fn a_wrong_key_in_memory_does_not_hide_the_right_one() {
        let (one, other) = (wallet(0), wallet(1));
        assert!(is_signed_by(
            other.address(),
            DIGEST,
            &sign(&DIGEST, &other).unwrap()
        ));
        remember(one.address(), known(other.address()).unwrap());
        let signature = sign(&DIGEST, &one).unwrap();
        assert!(is_signed_by(one.address(), DIGEST, &signature));
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_latest() {
        for wallet in (0..KEYS + 5).map(wallet) {
            let signature = sign(&DIGEST, &wallet).unwrap();
            assert!(is_signed_by(wallet.address(), DIGEST, &signature));
            assert!(is_signed_by(wallet.address(), DIGEST, &signature));
        }
        assert_eq!(KNOWN.with_borrow(VecDeque::len), KEYS);
        let is_known = |number| known(wallet(number).address()).is_some();
        assert!(!is_known(4) && is_known(5) && is_known(KEYS + 4));
        let forgotten = wallet(0);
        let signature = sign(&DIGEST, &forgotten).unwrap();
        assert!(is_signed_by(forgotten.address(), DIGEST, &signature));
    }
}
