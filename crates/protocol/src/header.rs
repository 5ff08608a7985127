//! The header of a block: 80 bytes, as Bitcoin has them (P22), and its proof of work.
//!
//! On chain a header is anchored as an [`Entry`]: without its previous hash, which the contract holds, and with the
//! leaf hash of the block behind it.

mod entry;
mod mining;
mod target;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::digest::sha256d;
use crate::id::HeaderHash;

pub use entry::{ENTRY_BYTES, Entry, RaggedEntries, entries};
pub use target::CompactTarget;

/// Length of a header in bytes.
pub const HEADER_BYTES: usize = 80;

/// A block header. Hashes are in internal byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// Parent block: data version. Side-block: number of the report.
    pub version: u32,
    /// Hash of the header before; in the first block the chain's origin.
    pub previous: B256,
    /// sha256(MTH ‖ size as u64), see [`crate::merkle::header_root`].
    pub merkle_root: B256,
    /// Seconds since the Unix epoch; never before the previous header's.
    pub time: u32,
    /// The target that the hash must not exceed.
    pub bits: CompactTarget,
    /// What was searched for.
    pub nonce: u32,
}

impl Header {
    /// The 80 bytes: version ‖ previous ‖ merkle root ‖ time ‖ bits ‖ nonce, integers little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(self.previous.as_slice());
        bytes[36..68].copy_from_slice(self.merkle_root.as_slice());
        bytes[68..72].copy_from_slice(&self.time.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        bytes[76..80].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// Back from the 80 bytes; any 80 bytes are a header.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Self {
        Self {
            version: little_endian(bytes, 0),
            previous: B256::from_slice(&bytes[4..36]),
            merkle_root: B256::from_slice(&bytes[36..68]),
            time: little_endian(bytes, 68),
            bits: CompactTarget(little_endian(bytes, 72)),
            nonce: little_endian(bytes, 76),
        }
    }

    /// sha256d of the 80 bytes, in internal byte order (explorers of Bitcoin print it reversed).
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        HeaderHash(sha256d(&[&self.to_bytes()]))
    }

    /// Whether the hash, read as a little-endian number, is at most the target.
    #[must_use]
    pub fn meets_its_target(&self) -> bool {
        self.bits.is_met_by(self.hash())
    }
}

fn little_endian(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn easy() -> Header {
        Header {
            version: 0x0001_0001,
            previous: B256::repeat_byte(1),
            merkle_root: B256::repeat_byte(2),
            time: 1_700_000_000,
            bits: CompactTarget(0x1f0f_ffff),
            nonce: 99,
        }
    }

    #[test]
    fn every_byte_counts() {
        let bytes = easy().to_bytes();
        assert_eq!(Header::from_bytes(&bytes), easy());
        for position in 0..HEADER_BYTES {
            let mut other = bytes;
            other[position] ^= 1;
            let header = Header::from_bytes(&other);
            assert_ne!(header, easy());
            assert_eq!(header.to_bytes(), other);
        }
    }
}
