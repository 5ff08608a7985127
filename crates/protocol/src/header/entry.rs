//! A header as it is anchored on chain.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::{CompactTarget, Header};
use crate::id::LeafHash;

/// Length of an entry in bytes.
pub const ENTRY_BYTES: usize = 80;

/// A header without its previous hash, and the leaf hash of the block behind it. The contract puts in the head that it
/// holds, so the link holds by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// As in [`Header`].
    pub version: u32,
    /// As in [`Header`].
    pub merkle_root: B256,
    /// Seconds since the Unix epoch.
    pub time: u32,
    /// As in [`Header`].
    pub bits: CompactTarget,
    /// As in [`Header`].
    pub nonce: u32,
    /// Leaf hash of the block's body.
    pub leaf: LeafHash,
}

/// Bytes that are no whole number of entries.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{length} bytes are no whole number of entries; each has {ENTRY_BYTES} bytes")]
pub struct RaggedEntries {
    /// How many bytes there were.
    pub length: usize,
}

impl Entry {
    /// The entry of `header` with the body behind it.
    #[must_use]
    pub const fn of(header: &Header, leaf: LeafHash) -> Self {
        Self {
            version: header.version,
            merkle_root: header.merkle_root,
            time: header.time,
            bits: header.bits,
            nonce: header.nonce,
            leaf,
        }
    }

    /// The whole header, on top of `previous`: the head before, or the chain's origin.
    #[must_use]
    pub const fn header(&self, previous: B256) -> Header {
        Header {
            version: self.version,
            previous,
            merkle_root: self.merkle_root,
            time: self.time,
            bits: self.bits,
            nonce: self.nonce,
        }
    }

    /// version 4 ‖ merkle root 32 ‖ time 4 ‖ bits 4 ‖ nonce 4 ‖ leaf hash 32; integers little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let header = self.header(B256::ZERO).to_bytes();
        bytes[..4].copy_from_slice(&header[..4]);
        bytes[4..48].copy_from_slice(&header[36..]);
        bytes[48..].copy_from_slice(self.leaf.as_slice());
        bytes
    }

    /// Back from the 80 bytes; any 80 bytes are an entry.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let mut header = [0; super::HEADER_BYTES];
        header[..4].copy_from_slice(&bytes[..4]);
        header[36..].copy_from_slice(&bytes[4..48]);
        Self::of(
            &Header::from_bytes(&header),
            LeafHash(B256::from_slice(&bytes[48..])),
        )
    }
}

/// The entries that stand one behind the other in `bytes`; none in no bytes.
///
/// # Errors
/// When the length is not a multiple of [`ENTRY_BYTES`].
pub fn entries(bytes: &[u8]) -> Result<Vec<Entry>, RaggedEntries> {
    let (whole, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    if rest.is_empty() {
        Ok(whole.iter().map(Entry::from_bytes).collect())
    } else {
        Err(RaggedEntries {
            length: bytes.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn entries_survive_their_bytes_and_give_the_header_back() {
        let bytes: Vec<u8> = (0..160).collect();
        let read = entries(&bytes).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!([read[0].to_bytes(), read[1].to_bytes()].concat(), bytes);
        let previous = B256::repeat_byte(7);
        let header = read[1].header(previous);
        assert_eq!(header.previous, previous);
        assert_eq!(Entry::of(&header, read[1].leaf), read[1]);
    }

    #[test]
    fn ragged_bytes_are_refused() {
        assert_eq!(entries(&[]), Ok(Vec::new()));
        assert_eq!(entries(&[0; 81]), Err(RaggedEntries { length: 81 }));
    }
}
