//! Proof of work: the search for a nonce.

use std::ops::RangeInclusive;
use std::slice::from_ref;

use alloy_primitives::{B256, U256};
use sha2::block_api::compress256;

use super::{HEADER_BYTES, Header};
use crate::id::HeaderHash;

/// A block of SHA-256.
type Block = [u8; 64];
/// A state of SHA-256: the chaining value between two blocks.
type State = [u32; 8];

/// Where SHA-256 begins (FIPS 180-4, 5.3.3).
const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Where the nonce stands in a header's second block.
const NONCE_AT: usize = HEADER_BYTES - 4 - size_of::<Block>();

impl Header {
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

    /// The first of the nonces that meets `target`.
    fn search(&self, target: U256, mut nonces: RangeInclusive<u32>) -> Option<u32> {
        let mut hasher = NonceHasher::of(self);
        nonces.find(|nonce| hasher.hash(*nonce).number() <= target)
    }
}

/// sha256d of one header under many nonces: two compressions each, where the hash as a whole takes three.
///
/// The first 64 bytes do not change, so their state is kept; and the padding of both hashes is written once. It is
/// `sha2`'s compression throughout; what is done here is what FIPS 180-4, 5.1.1 and 6.2 put around it.
struct NonceHasher {
    midstate: State,
    tail: Block,
    outer: Block,
}

impl NonceHasher {
    fn of(header: &Header) -> Self {
        let bytes = header.to_bytes();
        let (first, rest) = bytes
            .split_first_chunk()
            .expect("a header is longer than a block");
        let mut midstate = INITIAL;
        compress256(&mut midstate, from_ref(first));
        Self {
            midstate,
            tail: padded(rest, HEADER_BYTES),
            outer: padded(&[0; 32], 32),
        }
    }

    fn hash(&mut self, nonce: u32) -> HeaderHash {
        self.tail[NONCE_AT..NONCE_AT + 4].copy_from_slice(&nonce.to_le_bytes());
        let mut inner = self.midstate;
        compress256(&mut inner, from_ref(&self.tail));
        self.outer[..32].copy_from_slice(&bytes_of(inner));
        let mut outer = INITIAL;
        compress256(&mut outer, from_ref(&self.outer));
        HeaderHash(B256::new(bytes_of(outer)))
    }
}

/// The last block of a message of `length` bytes, of which `rest` is in this block (FIPS 180-4, 5.1.1).
fn padded(rest: &[u8], length: usize) -> Block {
    let mut block = [0; size_of::<Block>()];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x80;
    block[56..].copy_from_slice(&(8 * length as u64).to_be_bytes());
    block
}

fn bytes_of(state: State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::header::CompactTarget;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_hash_under_a_nonce_is_that_of_the_header_that_has_it(
            bytes: [[u8; 16]; 5], nonces: [u32; 3]
        ) {
            let header = Header::from_bytes(&bytes.concat().try_into().unwrap());
            let mut hasher = NonceHasher::of(&header);
            for nonce in nonces {
                prop_assert_eq!(hasher.hash(nonce), Header { nonce, ..header }.hash());
            }
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
}
