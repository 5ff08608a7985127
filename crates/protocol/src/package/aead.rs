//! AES-256-GCM (NIST SP 800-38D) in place, with nonces that the caller makes.
//!
//! The implementation was chosen by measurement (`benches/package.rs`): AWS-LC uses the wide AES instructions of current
//! processors. `aead-stream` over RustCrypto's `aes-gcm` is the independent witness in tests.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce; none may be used twice under one key.
pub const NONCE_BYTES: usize = 12;
/// Bytes that authentication adds.
pub const TAG_BYTES: usize = 16;

/// Something does not authenticate: another key, nonce or context, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAuthentic;

/// An expanded key. AWS-LC wipes it when it is freed.
pub struct Cipher(LessSafeKey);

impl Cipher {
    /// Expands `key`.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts `bytes` in place. The tag that comes back belongs behind them.
    ///
    /// # Errors
    /// [`NotAuthentic`] for more than 64 GiB at once, which GCM cannot take.
    pub fn seal(
        &self,
        nonce: [u8; NONCE_BYTES],
        context: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], NotAuthentic> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(context), bytes)
            .map_err(|_| NotAuthentic)?;
        tag.as_ref().try_into().map_err(|_| NotAuthentic)
    }

    /// Decrypts `sealed` (ciphertext ‖ tag) in place; the plaintext is all of it but the last [`TAG_BYTES`]. On failure
    /// nothing is left in it.
    ///
    /// # Errors
    /// [`NotAuthentic`].
    pub fn open<'a>(
        &self,
        nonce: [u8; NONCE_BYTES],
        context: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], NotAuthentic> {
        let length = sealed.len().checked_sub(TAG_BYTES).ok_or(NotAuthentic)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(context), sealed);
        if opened.is_err() {
            sealed.fill(0);
            return Err(NotAuthentic);
        }
        Ok(&mut sealed[..length])
    }
}
