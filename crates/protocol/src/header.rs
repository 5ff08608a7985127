//! The header of a block: 80 bytes, as Bitcoin has them (P22), and its proof of work.
//!
//! On chain a header is anchored as an [`Entry`]: without its previous hash, which the contract holds, and with the
//! leaf hash of the block behind it.

mod entry;
mod target;

use std::ops::RangeInclusive;

use alloy_primitives::{B256, U256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::{sha256, sha256d};
use crate::id::HeaderHash;

pub use entry::{ENTRY_BYTES, Entry, RaggedEntries, entries};
pub use target::CompactTarget;

/// Length of a header in bytes.
pub const HEADER_BYTES: usize = 80;

/// What SHA-256 works through before it comes to the nonce: one block of 64 bytes.
const MIDSTATE_BYTES: usize = 64;

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
        self.bits
            .target()
            .is_some_and(|target| as_number(self.hash().0) <= target)
    }

    /// The same header with the first nonce, from 0, that meets its target. When all 2³² nonces are used up, the time
    /// moves on by a second. Bits that are no target cannot be met: the header then comes back as it was.
    ///
    /// Takes as long as the target is hard: about 2²⁵⁶ / target hashes.
    #[must_use]
    pub fn mine(self) -> Self {
        self.mine_among(0..=u32::MAX)
    }

    /// Mines with these nonces for each second.
    fn mine_among(mut self, nonces: RangeInclusive<u32>) -> Self {
        let Some(target) = self.bits.target() else {
            return self;
        };
        loop {
            if let Some(nonce) = self.search(target, nonces.clone()) {
                self.nonce = nonce;
                return self;
            }
            match self.time.checked_add(1) {
                Some(next_second) => self.time = next_second,
                None => return self,
            }
        }
    }

    /// The first of the nonces that meets `target`. The first 64 bytes do not change, so their state is kept.
    fn search(&self, target: U256, mut nonces: RangeInclusive<u32>) -> Option<u32> {
        let bytes = self.to_bytes();
        let midstate = Sha256::new().chain_update(&bytes[..MIDSTATE_BYTES]);
        let mut tail = [0; HEADER_BYTES - MIDSTATE_BYTES];
        tail.copy_from_slice(&bytes[MIDSTATE_BYTES..]);
        nonces.find(|nonce| {
            tail[12..16].copy_from_slice(&nonce.to_le_bytes());
            let once = midstate.clone().chain_update(tail).finalize();
            as_number(sha256(&[once.as_slice()])) <= target
        })
    }
}

/// A hash as the number that Bitcoin compares with the target: its bytes are little-endian.
fn as_number(hash: B256) -> U256 {
    U256::from_le_bytes(hash.0)
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
    fn mining_finds_the_first_nonce_and_changes_nothing_else() {
        let mined = easy().mine();
        assert!(mined.meets_its_target());
        assert_eq!(
            Header {
                nonce: easy().nonce,
                ..mined
            },
            easy()
        );
        for nonce in 0..mined.nonce {
            assert!(
                !Header { nonce, ..mined }.meets_its_target(),
                "nonce {nonce} would have done"
            );
        }
    }

    #[test]
    fn when_the_nonces_are_used_up_the_time_moves_on() {
        let mined = easy().mine_among(0..=9);
        assert!(mined.meets_its_target() && mined.nonce <= 9);
        assert!(mined.time > easy().time);
        let (nonce, time) = (easy().nonce, easy().time);
        assert_eq!(
            Header {
                nonce,
                time,
                ..mined
            },
            easy()
        );
        for time in easy().time..mined.time {
            for nonce in 0..=9 {
                assert!(
                    !Header {
                        nonce,
                        time,
                        ..mined
                    }
                    .meets_its_target()
                );
            }
        }
        let last = Header {
            time: u32::MAX,
            ..easy()
        };
        let given_up = Header {
            bits: CompactTarget(0x0300_0001),
            ..last
        };
        assert_eq!(given_up.mine_among(0..=9), given_up);
    }

    #[test]
    fn an_impossible_target_ends_at_once() {
        for bits in [0, 0x1f80_0001, 0xff12_3456] {
            let header = Header {
                bits: CompactTarget(bits),
                ..easy()
            };
            assert_eq!(header.mine(), header);
            assert!(!header.meets_its_target());
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
