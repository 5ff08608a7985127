//! Verification of one chain: the entries that the contract emitted, and the block records that somebody serves (P23).
//!
//! Names every fault by chain, height and kind, the first one first, and whom it is to be blamed on: a fault in what
//! was anchored on the author, a fault in what was served on the one who served it. A bad block keeps its index and
//! stops nobody. Memory is O(log n) for a chain of n blocks, plus the findings.
//!
//! What costs (the leaf hash of the body, its fields, its signature) depends on the record alone:
//! [`examine`] does it, on any core and in any order. What depends on the blocks before (link, work, merkle root, time,
//! the comparison of the envelope) is cheap and goes block by block: [`ChainVerifier::push_examined`].

mod examination;
mod fault;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::block::{Block, ParentBlock, SideBlock};
use crate::header::{CompactTarget, Entry, Header};
use crate::id::{BlockId, HeaderHash, LeafHash, Origin, PackageId};
use crate::merkle::Log;
use crate::origin::side_origin;

pub use examination::{Examined, examine};
pub use fault::{Blame, ChainName, Fault, Finding};

use examination::{Body, Served};

/// One block as the contract and a node show it.
pub struct Anchored<'a> {
    /// What the contract emitted.
    pub entry: Entry,
    /// The whole record as it was served; `None`: nobody serves it.
    pub record: Option<Vec<u8>>,
    /// Whether an account was a registered node when the entry was anchored.
    pub is_registered_node: &'a dyn Fn(Address) -> bool,
    /// The easiest target allowed when the entry was anchored.
    pub work_limit: CompactTarget,
}

/// Verifies a chain block by block. It can be put aside and taken up again, without what was
/// [found](ChainVerifier::take_findings) and not taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChainVerifier {
    chain: ChainName,
    origin: Origin,
    /// Id of the parent block of a side-chain, when it is known.
    parent: Option<BlockId>,
    log: Log,
    previous: B256,
    previous_time: u32,
    #[serde(skip)]
    findings: Vec<Finding>,
}

/// Verifies a whole chain against the head that the contract holds: all findings, in order; none when it is sound.
pub fn verify_chain<'a>(
    mut verifier: ChainVerifier,
    blocks: impl IntoIterator<Item = Anchored<'a>>,
    expected_head: B256,
) -> Vec<Finding> {
    for block in blocks {
        verifier.push(&block);
    }
    verifier.finish(expected_head)
}

impl ChainVerifier {
    /// A requestor's thread with the origin of [`thread_origin`](crate::origin::thread_origin).
    #[must_use]
    pub fn thread(requestor: Address, origin: Origin) -> Self {
        Self::new(ChainName::Thread(requestor), origin, None)
    }

    /// The side-chain of a package. `parent` is the leaf hash of its parent block, `parent_id` that block's id.
    #[must_use]
    pub fn side(package: PackageId, parent: LeafHash, parent_id: Option<BlockId>) -> Self {
        Self::new(ChainName::Side(package), side_origin(parent), parent_id)
    }

    fn new(chain: ChainName, origin: Origin, parent: Option<BlockId>) -> Self {
        let previous = origin.0;
        let log = Log::default();
        Self {
            chain,
            origin,
            parent,
            log,
            previous,
            previous_time: 0,
            findings: Vec::new(),
        }
    }

    /// How many blocks were taken in: the height of the next one.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.log.size()
    }

    /// Hash of the last header, or the origin.
    #[must_use]
    pub const fn head(&self) -> B256 {
        self.previous
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes out what was found so far, for those who want each finding beside its block.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> ChainName {
        self.chain
    }

    /// What its blocks are signed under.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Takes in the next block. Gives it back when its record is the one that was anchored, whether or not its author
    /// made mistakes in it.
    pub fn push(&mut self, anchored: &Anchored<'_>) -> Option<Block> {
        let Anchored {
            entry,
            record,
            is_registered_node,
            work_limit,
        } = anchored;
        let examined = examine(self.chain, self.origin, entry.leaf, record.as_deref());
        self.push_examined(*entry, examined, is_registered_node, *work_limit)
    }

    /// Takes in the next block, whose record was [examined](examine) for this chain and this entry's leaf. Else as
    /// [`ChainVerifier::push`].
    pub fn push_examined(
        &mut self,
        entry: Entry,
        examined: Examined,
        is_registered_node: &dyn Fn(Address) -> bool,
        work_limit: CompactTarget,
    ) -> Option<Block> {
        let header = entry.header(self.previous);
        let hash = header.hash();
        let (chain, height) = (self.chain, self.height());
        self.log.push(entry.leaf);
        let mut faults = self.header_faults(&header, hash, work_limit);
        let block = match self.served(&header, hash, entry.leaf, examined) {
            Ok((block, is_signed)) => {
                self.author_faults(&block, is_signed, is_registered_node, &mut faults);
                Some(block)
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        self.findings
            .extend(faults.into_iter().map(|fault| Finding {
                chain,
                height,
                fault,
            }));
        self.previous = hash.0;
        self.previous_time = self.previous_time.max(header.time);
        block
    }

    /// All findings, with the last one: whether the head is the one that the contract holds.
    #[must_use]
    pub fn finish(mut self, expected_head: B256) -> Vec<Finding> {
        if self.previous != expected_head {
            let fault = Fault::HeadDiffers {
                computed: self.previous,
                held: expected_head,
            };
            self.findings.push(Finding {
                chain: self.chain,
                height: self.height(),
                fault,
            });
        }
        self.findings
    }

    /// Faults of the header by itself and behind its predecessor.
    fn header_faults(&self, header: &Header, hash: HeaderHash, limit: CompactTarget) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !header.bits.is_met_by(hash) {
            let bits = header.bits;
            faults.push(Fault::ProofOfWork { hash, bits });
        }
        if !header.bits.is_at_least_as_hard_as(limit) {
            faults.push(Fault::WorkLimit {
                bits: header.bits,
                limit,
            });
        }
        let expected = self.log.header_root();
        if header.merkle_root != expected {
            faults.push(Fault::MerkleRoot {
                expected,
                found: header.merkle_root,
            });
        }
        if header.time < self.previous_time {
            faults.push(Fault::TimeOrder {
                previous: self.previous_time,
                time: header.time,
            });
        }
        faults
    }

    /// The block and whether its node signed it, when what was served is what was anchored.
    fn served(
        &self,
        header: &Header,
        hash: HeaderHash,
        leaf: LeafHash,
        examined: Examined,
    ) -> Result<(Block, bool), Fault> {
        let Served {
            envelope,
            body,
            is_signed,
            ..
        } = examined.into_served(leaf)?;
        // The body is what its author anchored; what stands before it follows from the chain.
        let (block, id) = match body {
            Body::Parent(body) => {
                let header = *header;
                (Block::Parent(ParentBlock { header, body }), BlockId(hash.0))
            }
            Body::Side(body) => {
                let parent = self.parent.unwrap_or_else(|| envelope.id());
                let block = SideBlock::new(parent, *header, body);
                (Block::Side(block), block.id_under(hash))
            }
        };
        envelope.compare(header, id, &block)?;
        Ok((block, is_signed))
    }

    /// Faults that the block's author made.
    fn author_faults(
        &self,
        block: &Block,
        is_signed: bool,
        is_registered: &dyn Fn(Address) -> bool,
        faults: &mut Vec<Fault>,
    ) {
        match (self.chain, block) {
            (ChainName::Thread(requestor), Block::Parent(parent)) => {
                let found = parent.body.transaction.requestor;
                if found != requestor {
                    faults.push(Fault::Requestor {
                        found,
                        expected: requestor,
                    });
                }
            }
            (ChainName::Side(package), Block::Side(side)) => {
                let found = side.body.transaction.package;
                if found != package {
                    faults.push(Fault::Package {
                        found,
                        expected: package,
                    });
                }
                faults.extend(side.check_number().err().map(Fault::Malformed));
            }
            // `examine` makes the kind that belongs to the chain.
            (ChainName::Thread(_), Block::Side(_)) | (ChainName::Side(_), Block::Parent(_)) => {}
        }
        let node = block.node();
        if !is_signed {
            faults.push(Fault::Signature { node });
        }
        if !is_registered(node) {
            faults.push(Fault::UnknownNode { node });
        }
    }
}
