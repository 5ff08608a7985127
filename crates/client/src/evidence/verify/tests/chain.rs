//! A chain that grows, and the proofs of its blocks.

use alloy_primitives::{B256, FixedBytes};
use medshare_protocol::block::next_header;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{CompactTarget, Header};
use medshare_protocol::id::LeafHash;
use medshare_protocol::merkle::{Log, inclusion_proof};
use medshare_protocol::proof::{ChainEnd, InclusionProof};

/// Every second hash meets it.
const EASY: CompactTarget = CompactTarget(0x207f_ffff);
const TIME: u32 = 1_795_639_517;

pub(super) struct Chain {
    name: ChainName,
    leaves: Vec<LeafHash>,
    log: Log,
    last: Option<Header>,
    /// Hash of the last header, or the origin.
    pub(super) head: B256,
}

impl Chain {
    pub(super) fn new(name: ChainName, origin: B256) -> Self {
        Self {
            name,
            leaves: Vec::new(),
            log: Log::default(),
            last: None,
            head: origin,
        }
    }

    /// The mined header of one more block.
    pub(super) fn push(&mut self, leaf: LeafHash, version: u32) -> Header {
        self.leaves.push(leaf);
        self.log.push(leaf);
        let header = next_header(version, self.head, &self.log, TIME, 0, EASY);
        self.head = header.hash().0;
        self.last = Some(header);
        header
    }

    pub(super) fn proof(&self, index: usize) -> InclusionProof {
        InclusionProof {
            chain: self.name,
            leaf: self.leaves[index],
            index: index as u64,
            end: ChainEnd {
                size: self.log.size(),
                root: self.log.root(),
                header: FixedBytes(self.last.unwrap().to_bytes()),
            },
            path: inclusion_proof(&self.leaves, index).unwrap(),
        }
    }

    /// Of all blocks.
    pub(super) fn proofs(&self) -> Vec<InclusionProof> {
        (0..self.leaves.len())
            .map(|index| self.proof(index))
            .collect()
    }
}
