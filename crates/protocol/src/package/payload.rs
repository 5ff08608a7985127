//! The payload of a container: STREAM over AES-256-GCM, chunk by chunk, in any order.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::aead::{Cipher, NONCE_BYTES, TAG_BYTES};
use super::beside::{Last, hashed_beside};
use super::header::{PackageError, SignedHeader};
use crate::digest::Sha256d;
use crate::id::{ContainerHash, PayloadHash};
use crate::seal::DataKey;

/// Plaintext bytes of a chunk; the last one may have fewer.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// What STREAM leaves of a nonce for the key schedule to fill.
const NONCE_PREFIX_BYTES: usize = 7;

/// No payload is longer: its chunks are counted in 32 bits.
pub const MAX_PAYLOAD_BYTES: u64 = u32::MAX as u64 * CHUNK_BYTES as u64;

/// Encrypts and decrypts the chunks of one payload. The key inside is wiped on drop.
pub struct PayloadCipher {
    cipher: Cipher,
    nonce_prefix: [u8; NONCE_PREFIX_BYTES],
    length: u64,
    chunks: u32,
}

impl PayloadCipher {
    /// For a payload of `length` plaintext bytes.
    ///
    /// # Errors
    /// [`PackageError::TooLong`] beyond 2³² − 1 chunks.
    pub fn new(key: &DataKey, length: u64) -> Result<Self, PackageError> {
        // An empty payload still has one (empty, authenticated) chunk.
        let chunks = length.div_ceil(CHUNK_BYTES as u64).max(1);
        let chunks = u32::try_from(chunks).map_err(|_| PackageError::TooLong(length))?;
        Ok(Self {
            cipher: Cipher::new(&key.key),
            nonce_prefix: key.nonce_prefix,
            length,
            chunks,
        })
    }

    /// How many chunks it has.
    #[must_use]
    pub const fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Where chunk `index` begins behind the header, and how many bytes it has there.
    #[must_use]
    pub fn location(&self, index: u32) -> (u64, usize) {
        let sealed_chunk = (CHUNK_BYTES + TAG_BYTES) as u64;
        let plain = self.plain_length(index);
        (u64::from(index) * sealed_chunk, plain + TAG_BYTES)
    }

    /// Plaintext bytes of chunk `index`; none behind the last.
    #[must_use]
    pub fn plain_length(&self, index: u32) -> usize {
        let begin = u64::from(index) * CHUNK_BYTES as u64;
        let rest = self.length.saturating_sub(begin);
        usize::try_from(rest.min(CHUNK_BYTES as u64)).expect("at most CHUNK_BYTES")
    }

    /// STREAM's: prefix ‖ index, big-endian ‖ whether it is the last.
    fn nonce(&self, index: u32) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..NONCE_PREFIX_BYTES].copy_from_slice(&self.nonce_prefix);
        nonce[NONCE_PREFIX_BYTES..NONCE_BYTES - 1].copy_from_slice(&index.to_be_bytes());
        nonce[NONCE_BYTES - 1] = u8::from(index + 1 == self.chunks);
        nonce
    }

    /// Encrypts chunk `index` in place. The tag that comes back belongs behind it.
    ///
    /// # Errors
    /// [`PackageError::WrongLength`] when the chunk is not of its length.
    pub fn encrypt(&self, index: u32, chunk: &mut [u8]) -> Result<[u8; TAG_BYTES], PackageError> {
        if index >= self.chunks || chunk.len() != self.plain_length(index) {
            return Err(self.wrong_length(index, chunk.len()));
        }
        self.cipher
            .seal(self.nonce(index), b"", chunk)
            .map_err(|_| PackageError::BadChunk(index))
    }

    /// Decrypts chunk `index`, with its tag, in place; its plaintext is what comes back. On failure nothing is left in it.
    ///
    /// # Errors
    /// [`PackageError::BadChunk`], [`PackageError::WrongLength`].
    pub fn decrypt<'a>(
        &self,
        index: u32,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], PackageError> {
        if index >= self.chunks || sealed.len() != self.plain_length(index) + TAG_BYTES {
            return Err(self.wrong_length(index, sealed.len().saturating_sub(TAG_BYTES)));
        }
        self.cipher
            .open(self.nonce(index), b"", sealed)
            .map_err(|_| PackageError::BadChunk(index))
    }

    fn wrong_length(&self, index: u32, found: usize) -> PackageError {
        let before = u64::from(index) * CHUNK_BYTES as u64;
        PackageError::WrongLength {
            expected: self.length,
            actual: before + found as u64,
        }
    }

    /// Decrypts the whole payload from `sealed`, which stands behind the header, into memory that is wiped on drop,
    /// and checks it against the payload hash that the second node signed.
    ///
    /// # Errors
    /// [`PackageError`]; no plaintext is returned unless all of it is right.
    pub fn decrypt_all(
        &self,
        header: &SignedHeader,
        sealed: &mut impl Read,
    ) -> Result<Zeroizing<Vec<u8>>, PackageError> {
        let mut hash = Sha256d::default();
        hash.update(header.header.payload_salt.as_slice());
        let capacity =
            usize::try_from(self.length).map_err(|_| PackageError::TooLong(self.length))?;
        let mut plaintext = Zeroizing::new(Vec::new());
        let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        for index in 0..self.chunks {
            chunk.resize(self.location(index).1, 0);
            sealed.read_exact(&mut chunk)?;
            let chunk = self.decrypt(index, &mut chunk)?;
            if index == 0 {
                // Only after a first chunk has authenticated is the claimed length worth memory; and all at once, so
                // that growing leaves no copies behind that nobody wipes.
                plaintext
                    .try_reserve_exact(capacity)
                    .map_err(|_| PackageError::TooLong(self.length))?;
            }
            hash.update(chunk);
            plaintext.extend_from_slice(chunk);
        }
        if sealed.read(&mut [0])? != 0 {
            return Err(PackageError::WrongLength {
                expected: self.length,
                actual: self.length + 1,
            });
        }
        if PayloadHash(hash.finish()) != header.header.payload_hash() {
            return Err(PackageError::WrongPayload);
        }
        Ok(plaintext)
    }
}

/// Size of a container whose header is `header`, which claims no more than [`MAX_PAYLOAD_BYTES`]: none does that was
/// read.
#[must_use]
pub fn container_length(header: &SignedHeader) -> u64 {
    let length = header.header.payload_length;
    let chunks = length.div_ceil(CHUNK_BYTES as u64).max(1);
    let tags = chunks * TAG_BYTES as u64;
    header
        .encoded_length()
        .saturating_add(length)
        .saturating_add(tags)
}

/// Writes a container: header, signature and the encrypted payload, some chunks in memory at a time. A second thread
/// hashes what is written.
///
/// # Errors
/// [`PackageError::WrongLength`] when `payload` has not the length that the header says, and what reading and writing
/// say.
pub fn write_container(
    header: &SignedHeader,
    key: &DataKey,
    payload: &mut impl Read,
    container: &mut impl Write,
) -> Result<ContainerHash, PackageError> {
    let length = header.header.payload_length;
    let cipher = PayloadCipher::new(key, length)?;
    let mut hash = Sha256d::default();
    let beginning = header.to_bytes();
    hash.update(&beginning);
    container.write_all(&beginning)?;
    let mut index = 0;
    let hash = hashed_beside(hash, |group| {
        let mut length = 0;
        for place in group.chunks_exact_mut(CHUNK_BYTES + TAG_BYTES) {
            if index == cipher.chunks() {
                break;
            }
            let (chunk, rest) = place.split_at_mut(cipher.plain_length(index));
            payload.read_exact(chunk)?;
            rest[..TAG_BYTES].copy_from_slice(&cipher.encrypt(index, chunk)?);
            length += chunk.len() + TAG_BYTES;
            index += 1;
        }
        container.write_all(&group[..length])?;
        let last = index == cipher.chunks();
        Ok((length, if last { Last::Yes } else { Last::No }))
    })?;
    if payload.read(&mut [0])? != 0 {
        return Err(PackageError::WrongLength {
            expected: length,
            actual: length + 1,
        });
    }
    Ok(ContainerHash(hash))
}

/// sha256d(salt ‖ plaintext).
#[must_use]
pub fn payload_hash(salt: alloy_primitives::B256, plaintext: &[u8]) -> PayloadHash {
    PayloadHash(crate::digest::sha256d(&[salt.as_slice(), plaintext]))
}
