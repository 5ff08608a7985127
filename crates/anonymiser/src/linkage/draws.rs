//! What attacks are carried out on, and with which luck: the same anywhere.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::table::Table;

/// The row of an attack: rows at even distances.
pub(super) fn spread(attack: usize, attacks: usize, rows: usize) -> usize {
    (attack as u128 * rows as u128 / attacks as u128) as usize
}

/// Numbers that follow from a table alone.
pub(super) struct Draws {
    seed: [u8; 32],
}

impl Draws {
    const DOMAIN: &'static [u8] = b"medshare/linkage/v1";

    /// Seeded by the SHA-256 of its CSV.
    pub(super) fn of(table: &Table) -> Self {
        let mut hash = Hash(Sha256::new());
        let written = table.write_csv(&mut hash);
        written.expect("hashing does not fail");
        Self {
            seed: hash.0.finalize().into(),
        }
    }

    /// A number from 0 to below `count`, of which there is at least one: the first 8 bytes of
    /// `SHA-256("medshare/linkage/v1" ‖ seed ‖ attack as u64 BE)`, as a share of 2^64, of `count`.
    pub(super) fn below(&self, attack: usize, count: usize) -> usize {
        let digest = Sha256::new()
            .chain_update(Self::DOMAIN)
            .chain_update(self.seed)
            .chain_update((attack as u64).to_be_bytes())
            .finalize();
        let first = digest.iter().take(8);
        let draw = first.fold(0_u64, |draw, &byte| draw << 8 | u64::from(byte));
        ((u128::from(draw) * count as u128) >> 64) as usize
    }
}

/// Takes what is written into a hash; `sha2` by itself is no writer any more.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_the_same_anywhere_and_spread() {
        let draws = Draws { seed: [7; 32] };
        let mut hits = [0; 4];
        for attack in 0..4_000 {
            hits[draws.below(attack, 4)] += 1;
        }
        assert!(
            hits.iter().all(|hits| (900..1_100).contains(hits)),
            "{hits:?}"
        );
        assert_eq!(draws.below(17, 1), 0);
        let targets: Vec<usize> = (0..4).map(|attack| spread(attack, 4, 10)).collect();
        assert_eq!(targets, [0, 2, 5, 7]);
    }
}
