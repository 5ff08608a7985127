//! Sealing and the key schedule (P10, P15): HPKE (RFC 9180) to X25519 keys, HKDF (RFC 5869) for the data key.
//!
//! Suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256, AES-256-GCM, base mode. A sealed message is the
//! encapsulated key (32 bytes) ‖ the ciphertext with its tag.

use std::fmt;

use alloy_primitives::{Address, B256};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::id::PackageId;

/// What a sealed message is for: HPKE's `info`, so that none can be opened as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedFor {
    /// The requestor's share of the data key, in the package header.
    RequestorShare,
    /// The custodian's share of the data key, in the answer to the `decrypt` report.
    CustodianShare,
    /// The body of a report, to the contract key.
    Report,
    /// An output that is held back, to the contract key.
    HeldOutput,
    /// The same output once it is released, to the requestor.
    ReleasedOutput,
    /// A message to another node.
    Peer,
}

impl SealedFor {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::RequestorShare => b"medshare/requestor-share/v1",
            Self::CustodianShare => b"medshare/custodian-share/v1",
            Self::Report => b"medshare/report/v1",
            Self::HeldOutput => b"medshare/held-output/v1",
            Self::ReleasedOutput => b"medshare/released-output/v1",
            Self::Peer => b"medshare/peer/v1",
        }
    }
}

/// Length of the encapsulated key and the tag that sealing adds.
pub const SEAL_OVERHEAD_BYTES: usize = 32 + 16;

/// Length of a share, sealed.
pub const SEALED_SHARE_BYTES: usize = 32 + SEAL_OVERHEAD_BYTES;

/// Why sealing or opening failed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The recipient's key is no usable X25519 public key.
    #[error("the recipient's sealing key is not a usable X25519 key")]
    BadKey,
    /// Too short to be a sealed message.
    #[error("a sealed message has at least {SEAL_OVERHEAD_BYTES} bytes; this one has {0}")]
    TooShort(usize),
    /// Not sealed to this key, for this use and context, or changed on the way.
    #[error("the message was not sealed to this key for this use, or it was changed on the way")]
    NotForThisKey,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

/// An X25519 private key. Wiped on drop, never printed.
#[derive(Clone)]
pub struct SealingSecret(Zeroizing<[u8; 32]>);

impl SealingSecret {
    /// A fresh one from the operating system.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        random().map(Self)
    }

    /// From its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The 32 bytes, for a keystore.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> B256 {
        let public = X25519HkdfSha256::sk_to_pk(&self.key());
        B256::from_slice(&public.to_bytes())
    }

    fn key(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.0.as_slice())
            .expect("any 32 bytes are an X25519 private key")
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingSecret(…)")
    }
}

/// Seals `plaintext` to the public key `to`. `context` is authenticated and must be the same at opening.
///
/// # Errors
/// [`SealError::BadKey`] when `to` is a point of small order.
pub fn seal(
    to: B256,
    purpose: SealedFor,
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let to = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(to.as_slice())
        .map_err(|_| SealError::BadKey)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<
        AesGcm256,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &to, purpose.info(), plaintext, context)
    .map_err(|_| SealError::BadKey)?;
    Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`SealError::TooShort`], [`SealError::NotForThisKey`].
pub fn open(
    secret: &SealingSecret,
    purpose: SealedFor,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    open_with(secret, purpose.info(), context, sealed)
}

/// As [`open`], for any `info`: RFC 9180's own vectors go through here too.
fn open_with(
    secret: &SealingSecret,
    info: &[u8],
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if sealed.len() < SEAL_OVERHEAD_BYTES {
        return Err(SealError::TooShort(sealed.len()));
    }
    let (encapsulated, ciphertext) = sealed.split_at(32);
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated)
        .map_err(|_| SealError::NotForThisKey)?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.key(),
        &encapsulated,
        info,
        ciphertext,
        context,
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::NotForThisKey)
}

/// The context of both shares: package id ‖ requestor.
#[must_use]
pub fn share_context(package: PackageId, requestor: Address) -> [u8; 52] {
    let mut context = [0; 52];
    context[..32].copy_from_slice(package.as_slice());
    context[32..].copy_from_slice(requestor.as_slice());
    context
}

/// The context of a report's body: package id ‖ number, u32 little-endian.
#[must_use]
pub fn report_context(package: PackageId, number: u32) -> [u8; 36] {
    let mut context = [0; 36];
    context[..32].copy_from_slice(package.as_slice());
    context[32..].copy_from_slice(&number.to_le_bytes());
    context
}

/// One half of the data key's input. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Share(Zeroizing<[u8; 32]>);

impl Share {
    /// A fresh one from the operating system.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        random().map(Self)
    }

    /// From the bytes that were sealed.
    ///
    /// # Errors
    /// [`SealError::NotForThisKey`] when they are not 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SealError> {
        let bytes = bytes.try_into().map_err(|_| SealError::NotForThisKey)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The 32 bytes, to be sealed or encrypted at rest.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share(…)")
    }
}

/// Length of a data key: the AES-256 key and the nonce prefix.
pub const DATA_KEY_BYTES: usize = 32 + 7;

/// The key and nonce prefix that a payload is encrypted under. Wiped on drop, never printed.
pub struct DataKey {
    pub(crate) key: Zeroizing<[u8; 32]>,
    pub(crate) nonce_prefix: [u8; 7],
}

impl DataKey {
    /// HKDF-SHA256(salt = sha256(header), ikm = requestor's share ‖ custodian's share, info = `medshare/data/v1`),
    /// 39 bytes: the AES-256 key and the 7-byte nonce prefix of STREAM. Neither party can make it alone (P17).
    #[must_use]
    pub fn derive(header: &[u8], requestor: &Share, custodian: &Share) -> Self {
        let salt = crate::digest::sha256(&[header]);
        let mut input = Zeroizing::new([0; 64]);
        input[..32].copy_from_slice(requestor.expose());
        input[32..].copy_from_slice(custodian.expose());
        let mut output = Zeroizing::new([0; DATA_KEY_BYTES]);
        hkdf::Hkdf::<Sha256>::new(Some(salt.as_slice()), input.as_slice())
            .expand(b"medshare/data/v1", output.as_mut_slice())
            .expect("39 bytes are within HKDF's limit of 255 blocks");
        Self::from_bytes(&output)
    }

    /// From what [`DataKey::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; DATA_KEY_BYTES]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&bytes[..32]);
        let mut nonce_prefix = [0; 7];
        nonce_prefix.copy_from_slice(&bytes[32..]);
        Self { key, nonce_prefix }
    }

    /// Key ‖ nonce prefix, for a place in memory that is not swapped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; DATA_KEY_BYTES]> {
        let mut bytes = Zeroizing::new([0; DATA_KEY_BYTES]);
        bytes[..32].copy_from_slice(self.key.as_slice());
        bytes[32..].copy_from_slice(&self.nonce_prefix);
        bytes
    }

    /// The key of the file `id` that keeps what was written over the data: HKDF-SHA256(salt = `id`, ikm = the AES-256
    /// key, info = `medshare/overlay/v1`). It can be made again at the next opening, and then only.
    #[must_use]
    pub fn overlay(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        hkdf::Hkdf::<Sha256>::new(Some(id), self.key.as_slice())
            .expand(b"medshare/overlay/v1", key.as_mut_slice())
            .expect("32 bytes are one block of HKDF");
        key
    }
}

impl Drop for DataKey {
    fn drop(&mut self) {
        self.nonce_prefix.zeroize();
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
