//! Secrets at rest: contract secrets and custodian's shares are encrypted in the store.
//!
//! AES-256-GCM under a key derived from the node's key (HKDF, `medshare/at-rest/v1`); a random nonce stands in front
//! of the ciphertext; the name of table and row is authenticated, so that no secret can be moved to another row.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::id::PackageId;
use zeroize::Zeroizing;

use crate::node_key;

const AT_REST: &[u8] = b"medshare/at-rest/v1";
const NONCE_BYTES: usize = 12;

/// What a secret is: part of what is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Secret half of a contract key.
    Contract,
    /// The custodian's share of a data key.
    Share,
}

impl Secret {
    const fn column(self) -> &'static [u8] {
        match self {
            Self::Contract => b"package.contract_secret",
            Self::Share => b"package.custodian_share",
        }
    }
}

/// Why a secret cannot be kept or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
    /// Another node's key, another row, or changed bytes.
    #[error(
        "a stored secret does not open: the store belongs to another node key, or it was changed"
    )]
    NotOurs,
}

/// Encrypts and decrypts 32-byte secrets. The key is wiped on drop.
pub struct AtRest {
    cipher: Aes256Gcm,
}

impl AtRest {
    /// Under the key that follows from the node's.
    #[must_use]
    pub fn new(signer: &PrivateKeySigner) -> Self {
        let key = node_key::derive(signer, &[AT_REST]);
        Self {
            cipher: Aes256Gcm::new((&*key).into()),
        }
    }

    /// Encrypts a secret of `package`.
    ///
    /// # Errors
    /// [`SecretError::NoRandomness`].
    pub fn encrypt(
        &self,
        secret: Secret,
        package: PackageId,
        plaintext: &[u8; 32],
    ) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SecretError::NoRandomness)?;
        let aad = row(secret, package);
        let sealed = self
            .cipher
            .encrypt(
                (&nonce).into(),
                Payload {
                    msg: plaintext,
                    aad: &aad,
                },
            )
            .expect("32 bytes are below AES-GCM's limit");
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a secret of `package`.
    ///
    /// # Errors
    /// [`SecretError::NotOurs`].
    pub fn decrypt(
        &self,
        secret: Secret,
        package: PackageId,
        sealed: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SecretError::NotOurs)?;
        let aad = row(secret, package);
        let opened = self
            .cipher
            .decrypt(
                nonce.into(),
                Payload {
                    msg: ciphertext,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| SecretError::NotOurs)?;
        let mut plaintext = Zeroizing::new([0; 32]);
        if opened.len() != plaintext.len() {
            return Err(SecretError::NotOurs);
        }
        plaintext.copy_from_slice(&opened);
        Ok(plaintext)
    }
}

fn row(secret: Secret, package: PackageId) -> Vec<u8> {
    [secret.column(), b"/", package.as_slice()].concat()
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtRest(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_primitives::B256;

    fn at_rest(byte: u8) -> AtRest {
        AtRest::new(&PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap())
    }

    #[test]
    fn a_secret_opens_in_its_own_row_of_its_own_node_only() {
        let package = PackageId(B256::repeat_byte(1));
        let secret = [7; 32];
        let sealed = at_rest(1).encrypt(Secret::Share, package, &secret).unwrap();
        assert_eq!(
            *at_rest(1).decrypt(Secret::Share, package, &sealed).unwrap(),
            secret
        );
        let other = PackageId(B256::repeat_byte(2));
        for refused in [
            at_rest(2).decrypt(Secret::Share, package, &sealed),
            at_rest(1).decrypt(Secret::Contract, package, &sealed),
            at_rest(1).decrypt(Secret::Share, other, &sealed),
            at_rest(1).decrypt(Secret::Share, package, &sealed[..11]),
            at_rest(1).decrypt(Secret::Share, package, &sealed[..sealed.len() - 1]),
        ] {
            assert_eq!(refused.unwrap_err(), SecretError::NotOurs);
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same_and_is_never_shown() {
        let package = PackageId(B256::repeat_byte(1));
        let rest = at_rest(1);
        let one = rest.encrypt(Secret::Contract, package, &[7; 32]).unwrap();
        let two = rest.encrypt(Secret::Contract, package, &[7; 32]).unwrap();
        assert_ne!(one, two);
        assert_eq!(format!("{rest:?}"), "AtRest(…)");
    }
}
