//! What is derived from a node's one secret key, so that an operator has one keystore to guard.
//!
//! HKDF-SHA256 (RFC 5869) with the secret key as input and one `info` for each use: none of the derived keys tells
//! anything about another, or about the secret key.

use alloy_signer_local::PrivateKeySigner;
use hkdf::Hkdf;
use medshare_protocol::seal::SealingSecret;
use sha2::Sha256;
use zeroize::Zeroizing;

const NODE_SEALING: &[u8] = b"medshare/node-sealing/v1";

/// The 32 bytes for the use that `info` names.
#[must_use]
pub fn derive(signer: &PrivateKeySigner, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let secret = Zeroizing::new(signer.to_bytes().0);
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret.as_slice())
        .expand_multi_info(info, key.as_mut_slice())
        .expect("32 bytes are within HKDF's limit of 255 blocks");
    key
}

/// The X25519 secret that other nodes seal to. Its public key is what `registerNode` puts on chain.
#[must_use]
pub fn sealing_secret(signer: &PrivateKeySigner) -> SealingSecret {
    SealingSecret::from_bytes(*derive(signer, &[NODE_SEALING]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_primitives::B256;

    #[test]
    fn each_key_and_each_use_gives_bytes_of_its_own_and_always_the_same() {
        let one = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap();
        let two = PrivateKeySigner::from_bytes(&B256::repeat_byte(2)).unwrap();
        let all = [
            derive(&one, &[b"a"]),
            derive(&one, &[b"b"]),
            derive(&two, &[b"a"]),
        ];
        for (index, key) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|earlier| earlier != key));
        }
        assert_eq!(derive(&one, &[b"a", b"b"]), derive(&one, &[b"ab"]));
        assert_eq!(sealing_secret(&one).public(), sealing_secret(&one).public());
        assert_ne!(sealing_secret(&one).public(), sealing_secret(&two).public());
    }
}
